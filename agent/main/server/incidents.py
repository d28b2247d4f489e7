"""Puts the incidents of a team server together: only the server imports this."""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass

from agent.accounts.service import Accounts
from agent.core.i18n import Texts
from agent.incidents.queries import IncidentQueries
from agent.incidents.sending import Sending, ways_of
from agent.incidents.service import Incidents
from agent.incidents.watch import IncidentWatch
from agent.main.app import App
from agent.messages.channels import Channels
from agent.store.database import Database


@dataclass(frozen=True, slots=True)
class IncidentWork:
    incidents: Incidents
    watch: IncidentWatch
    sending: Sending

    @property
    def works(self) -> tuple[Callable[[], Awaitable[None]], ...]:
        """What runs until it is cancelled."""
        return self.watch.run, self.sending.run


def incidents_of(
    database: Database, app: App, accounts: Accounts, channels: Channels, address: Callable[[], str], texts: Callable[[], Texts]
) -> IncidentWork:
    """`address` is the server's, for links in messages. Settings take effect at once."""
    queries = IncidentQueries(database)
    watch = IncidentWatch(queries, app.witness, lambda: app.settings.incidents, lambda: ways_of(app.settings.incidents), app.now)
    sending = Sending(queries, lambda: app.settings.incidents, channels, address, texts, app.now)
    return IncidentWork(Incidents(queries, accounts, app.now), watch, sending)

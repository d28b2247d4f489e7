"""Puts the incidents of a team server together: only the server imports this."""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass

from agent.accounts.service import Accounts
from agent.incidents.queries import IncidentQueries
from agent.incidents.sending import incident_sending
from agent.incidents.service import Incidents
from agent.incidents.watch import IncidentWatch
from agent.main.app import App
from agent.messages.channels import Channels
from agent.messages.sending import Sending, Wording
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


def incidents_of(database: Database, app: App, accounts: Accounts, channels: Channels, wording: Wording) -> IncidentWork:
    """Settings take effect at once."""
    queries = IncidentQueries(database)
    sending = incident_sending(queries, lambda: app.settings.incidents, channels, wording)
    watch = IncidentWatch(queries, app.witness, lambda: app.settings.incidents, sending.ways, app.now)
    return IncidentWork(Incidents(queries, accounts, app.now), watch, sending)

"""Puts the desks of a team server together: only the server imports this."""

from agent.accounts.service import Accounts
from agent.desks.queries import DeskQueries
from agent.desks.service import Desks
from agent.main.app import App


def desks_of(app: App, accounts: Accounts) -> Desks:
    """Call it inside the event loop."""
    return Desks(DeskQueries(app.library.database), app.people, accounts, app.now)

"""Puts the desktop's membership of a team together."""

from agent.core.paths import AppPaths
from agent.main.app import App
from agent.main.library_home import home_of_key
from agent.team.queries import TeamQueries
from agent.team.service import TeamMembership
from agent.team.tokens import TeamTokens


def membership_of(app: App, paths: AppPaths) -> TeamMembership:
    """The token is kept where the library's key is. Call it inside the event loop."""
    tokens = TeamTokens(lambda: home_of_key(app.settings, paths), paths.data)
    return TeamMembership(TeamQueries(app.library.database), app.people, app.consents, tokens, app.environment)

"""Puts the desktop's membership of a team together."""

from agent.core.paths import AppPaths
from agent.main.app import App
from agent.main.library_home import home_of_key
from agent.team.photo_queries import TeamPhotoQueries
from agent.team.queries import TeamQueries
from agent.team.service import TeamMembership
from agent.team.sharing import FolderSharing
from agent.team.tokens import TeamTokens


def membership_of(app: App, paths: AppPaths) -> TeamMembership:
    """The token is kept where the library's key is. Call it inside the event loop."""
    tokens = TeamTokens(lambda: home_of_key(app.settings, paths), paths.data)
    database = app.library.database
    sharing = FolderSharing(TeamPhotoQueries(database), app.environment)
    return TeamMembership(TeamQueries(database), app.people, app.consents, tokens, app.environment, sharing)

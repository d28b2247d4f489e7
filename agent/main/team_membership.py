"""Puts the desktop's membership of a team together."""

from agent.core.paths import AppPaths
from agent.main.app import App
from agent.main.library_home import home_of_key
from agent.sources.folder.drives import is_online_only
from agent.team.folder_sharing import FolderSharing
from agent.team.line import TeamLine
from agent.team.photo_queries import TeamPhotoQueries
from agent.team.queries import TeamQueries
from agent.team.service import TeamMembership
from agent.team.team_alerts import TeamAlerts, Tell, ToldAlerts
from agent.team.team_names import TeamNames
from agent.team.team_tokens import TeamTokens
from agent.team.team_upload_queries import TeamUploadQueries
from agent.team.uploading import FolderUploads


def membership_of(app: App, paths: AppPaths, tell_alerts: Tell) -> TeamMembership:
    """The token is kept where the library's key is. Call it inside the event loop."""
    line = TeamLine(TeamTokens(lambda: home_of_key(app.settings, paths), paths.data))
    database = app.library.database
    sharing = FolderSharing(TeamPhotoQueries(database), app.environment)
    indexer = app.indexer
    uploads = FolderUploads(TeamUploadQueries(database), app.environment, lambda: indexer.paused or indexer.held, is_online_only)
    indexer.pausing.subscribe(uploads.wake)
    alerts = TeamAlerts(ToldAlerts(paths.data), tell_alerts)
    library = TeamQueries(database)
    names = TeamNames(library, app.people, app.consents, app.environment)
    return TeamMembership(library, names, line, app.environment, sharing, uploads, alerts)

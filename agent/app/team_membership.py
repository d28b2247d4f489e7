"""Puts the desktop's membership of a team together."""

from agent.app.app import App
from agent.app.library_home import home_of_key
from agent.desktop.team_client.folder_sharing import FolderSharing
from agent.desktop.team_client.folder_uploads import FolderUploads
from agent.desktop.team_client.photo_queries import TeamPhotoQueries
from agent.desktop.team_client.queries import TeamQueries
from agent.desktop.team_client.service import TeamMembership
from agent.desktop.team_client.team_alerts import NotifiedAlerts, TeamAlerts, Tell
from agent.desktop.team_client.team_names import TeamNames
from agent.desktop.team_client.team_session import TeamSession
from agent.desktop.team_client.team_tokens import TeamTokens
from agent.desktop.team_client.team_upload_queries import TeamUploadQueries
from agent.infrastructure.core.paths import AppPaths
from agent.infrastructure.sources.folder.drives import is_online_only


def membership_of(app: App, paths: AppPaths, tell_alerts: Tell) -> TeamMembership:
    """The token is kept where the library's key is. Call it inside the event loop."""
    line = TeamSession(TeamTokens(lambda: home_of_key(app.settings, paths), paths.data))
    database = app.library.database
    sharing = FolderSharing(TeamPhotoQueries(database), app.environment)
    indexer = app.indexer
    uploads = FolderUploads(TeamUploadQueries(database), app.environment, lambda: indexer.paused or indexer.held, is_online_only)
    indexer.pausing.subscribe(uploads.wake)
    alerts = TeamAlerts(NotifiedAlerts(paths.data), tell_alerts)
    library = TeamQueries(database)
    names = TeamNames(library, app.people, app.consents, app.environment)
    return TeamMembership(library, names, line, app.environment, sharing, uploads, alerts)

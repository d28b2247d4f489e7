"""Puts the desks of a team server together: only the server imports this."""

from agent.accounts.attempt_queries import AttemptQueries
from agent.accounts.service import Accounts
from agent.desks.join_queries import JoinQueries
from agent.desks.joining import Joining
from agent.desks.photos import DeskPhotoQueries
from agent.desks.queries import DeskQueries
from agent.desks.service import Desks
from agent.desks.sharing import DeskPhotos
from agent.desks.upload_queries import DeskUploadQueries
from agent.desks.uploads import DeskUploads
from agent.libraries.choice import LibraryChoice
from agent.library.recipes import recognises
from agent.main.app import App


def desks_of(app: App, accounts: Accounts, libraries: LibraryChoice) -> Desks:
    """Call it inside the event loop."""
    database = app.library.database
    photos = DeskPhotos(DeskPhotoQueries(database), app.people, libraries, app.bus.publish, app.now)
    uploads = DeskUploads(DeskUploadQueries(database), photos, app.people, app.now)
    joining = Joining(JoinQueries(database), AttemptQueries(database), app.now)
    return Desks(DeskQueries(database), app.people, accounts, joining, uploads, app.now, lambda: recognises(app.settings))

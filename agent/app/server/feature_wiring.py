"""Puts services of a team server together: only the server imports this."""

from collections.abc import Awaitable, Callable, Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime

from agent.app.app import App
from agent.features.library.recipes import recognises
from agent.features.people.vectors.rotation import SecretRotation
from agent.features.people.vectors.service import KEY, FaceVectors
from agent.features.people.vectors.vector_rows import VectorIndex, VectorQueries
from agent.infrastructure.core.malloc_tuning import mmap_large_blocks
from agent.infrastructure.core.server_settings import OidcSettings
from agent.infrastructure.store.database import Database
from agent.infrastructure.store.secret_stores import Home
from agent.server.accounts.oidc.configured import ConfiguredProvider
from agent.server.accounts.oidc.sign_in import ProviderSignIn
from agent.server.accounts.passwords import Passwords
from agent.server.accounts.queries import AccountQueries
from agent.server.accounts.second_factor import SecondFactor
from agent.server.accounts.service import Accounts
from agent.server.accounts.sign_in_throttle import SignInAttempts
from agent.server.accounts.throttle_queries import AttemptQueries
from agent.server.devices.desk_uploads import DeskUploads
from agent.server.devices.join_queries import JoinQueries
from agent.server.devices.joining import Joining
from agent.server.devices.queries import DeskQueries
from agent.server.devices.remote_photo_queries import DeskPhotoQueries
from agent.server.devices.remote_photos import DeskPhotos
from agent.server.devices.service import Desks
from agent.server.devices.upload_queries import DeskUploadQueries
from agent.server.incidents.incident_detector import IncidentWatch
from agent.server.incidents.incident_text import incident_sending
from agent.server.incidents.queries import IncidentQueries
from agent.server.incidents.service import Incidents
from agent.server.libraries.library_choice import LibraryChoice
from agent.server.libraries.queries import LibrariesQueries
from agent.server.libraries.service import Libraries
from agent.server.messages.channels import Channels
from agent.server.messages.sending import Sending, Wording

_SECOND_FACTORS = b"second factors"
_PROVIDER = b"sign-in by a provider"
_LARGE = 2**20  # bytes


def accounts_of(database: Database, clock: Callable[[], datetime]) -> Accounts:
    """The accounts in this database. Call it inside the event loop."""
    mmap_large_blocks(_LARGE)  # among small blocks, indexes of all photos would leave holes; glibc would keep the 19 MB of each hash
    second_factor = SecondFactor(database.key_for(_SECOND_FACTORS))
    queries = AccountQueries(database)
    return Accounts(queries, Passwords(), second_factor, SignInAttempts(queries, clock), clock)


def provider_of(
    database: Database, accounts: Accounts, settings: Callable[[], OidcSettings], home: Home, clock: Callable[[], datetime]
) -> ProviderSignIn:
    """Signing in by the OpenID provider of the settings in force; `home` keeps its client's secret."""
    queries, key = AccountQueries(database), database.key_for(_PROVIDER)
    provider = ConfiguredProvider(settings, home)
    return ProviderSignIn(queries, accounts.ceremonies, accounts.members, accounts.sessions, provider, key, clock)


def libraries_of(
    database: Database,
    watched: Callable[[], Iterable[str]],
    accounts: Accounts,
    clock: Callable[[], datetime],
    named: Callable[[str], Sequence[str]],
) -> Libraries:
    """The libraries in this database; a change ends what members' sessions go on with."""
    return Libraries(LibrariesQueries(database), watched, accounts.members.reload, clock, named)


def desks_of(app: App, accounts: Accounts, libraries: LibraryChoice) -> Desks:
    """Call it inside the event loop."""
    database = app.library.database
    photos = DeskPhotos(DeskPhotoQueries(database), app.people, libraries, app.bus.publish, app.now)
    uploads = DeskUploads(DeskUploadQueries(database), photos, app.people, app.now)
    joining = Joining(JoinQueries(database), AttemptQueries(database), app.now)
    return Desks(DeskQueries(database), app.people, accounts, joining, uploads, app.now, lambda: recognises(app.settings))


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


def face_vectors(database: Database, url: str) -> FaceVectors:
    """`url` is the database's in SQLAlchemy's form. Blocks. Raises StoreError."""
    rows = VectorQueries(database)
    rows.prepare()
    return FaceVectors(rows, SecretRotation(database.key_for(KEY)), VectorIndex(url))

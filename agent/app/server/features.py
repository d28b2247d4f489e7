"""The rooms that only a team server has: their services, built in one place, and their routes, added in one place."""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from datetime import datetime

from fastapi import FastAPI

from agent import __version__
from agent.app.app import App
from agent.app.library_home import home_of_key
from agent.app.server.alerts import AlertWork, Watched, alerts_of
from agent.app.server.feature_wiring import IncidentWork, desks_of, incidents_of, libraries_of, provider_of
from agent.app.server.uploads import upload_files, uploads_of
from agent.features.consent.service import Consents
from agent.features.people.vectors.routes import vector_routes
from agent.features.people.vectors.vector_rows import IndexState
from agent.infrastructure.core.config_file import SettingsFile
from agent.infrastructure.core.i18n import Texts
from agent.infrastructure.core.paths import AppPaths
from agent.infrastructure.core.service_context import utc_now
from agent.interfaces.web.tls_trust import ServerTrust
from agent.server.accounts.oidc.routes import provider_routes
from agent.server.accounts.oidc.sign_in import ProviderSignIn
from agent.server.accounts.routes import account_routes
from agent.server.accounts.service import Accounts
from agent.server.accounts.sign_in_throttle import SignInAttempts
from agent.server.accounts.throttle_queries import AttemptQueries
from agent.server.alerts.disk_full_alert import DirectAlert
from agent.server.alerts.routes import alert_routes
from agent.server.backups.routes import backup_routes
from agent.server.backups.service import ServerBackups
from agent.server.devices.routes import desk_routes, server_routes
from agent.server.devices.service import Desks
from agent.server.incidents.routes import incident_routes
from agent.server.libraries.bucket_routes import bucket_routes
from agent.server.libraries.buckets import Buckets
from agent.server.libraries.library_choice import LibraryChoice
from agent.server.libraries.routes import libraries_routes
from agent.server.libraries.service import Libraries
from agent.server.messages.channels import Channels
from agent.server.messages.sending import Wording
from agent.server.reference_photos.queries import ReferenceQueries
from agent.server.reference_photos.routes import reference_routes
from agent.server.reference_photos.service import ReferencePhotos
from agent.server.subject_access.queries import ConsentLinkQueries
from agent.server.subject_access.routes import consent_link_routes
from agent.server.subject_access.service import ConsentLinks
from agent.server.uploads.folder_names import UploadFolderNames
from agent.server.uploads.routes import upload_routes
from agent.server.uploads.service import Uploads
from agent.server.workers.queries.worker_rows import WorkerQueries
from agent.server.workers.routes import worker_routes


@dataclass(frozen=True, slots=True)
class Site:
    """What the rooms get from the server's process."""

    paths: AppPaths
    file: SettingsFile
    texts: Callable[[], Texts]
    name: Callable[[], str]
    address: Callable[[], str]
    pinned: Callable[[str], ServerTrust]
    """what desktops are to trust at a host"""
    expires: Callable[[], datetime]
    """the end of the certificate"""
    unstored: DirectAlert
    tell: Callable[[str, str], None] = lambda _, __: None
    """says something to the server's other processes"""


@dataclass(frozen=True, slots=True)
class ServerRooms:
    """The services of these rooms, one field each."""

    site: Site
    accounts: Accounts
    provider: ProviderSignIn
    libraries: Libraries
    folder_names: UploadFolderNames
    buckets: Buckets
    consents: Consents
    consent_links: ConsentLinks
    references: ReferencePhotos
    desks: Desks
    workers: WorkerQueries
    search_index: Callable[[], Awaitable[IndexState]]
    uploads: Uploads
    incidents: IncidentWork
    backups: ServerBackups
    alerts: AlertWork


def rooms_of(
    site: Site,
    app: App,
    accounts: Accounts,
    workers: WorkerQueries,
    search_index: Callable[[], Awaitable[IndexState]],
    buckets: Buckets,
    backups: ServerBackups,
) -> ServerRooms:
    """Build the services. Call it inside the event loop."""
    database, file, paths = app.library.database, site.file, site.paths

    def watched() -> list[str]:
        return [*(folder.root for folder in app.settings.folders), *buckets.roots]

    def named() -> list[tuple[int, str]]:
        return [(each.id, each.name) for each in libraries.all]

    folder_names = UploadFolderNames(upload_files(file, paths).library_of, named, site.texts)
    libraries = libraries_of(database, watched, accounts, app.now, folder_names.inside)
    choice = LibraryChoice(named)
    home = home_of_key(file.snapshot, paths)
    channels = Channels(home, app.now)
    wording = Wording(site.address, site.texts, app.now, file.caught_up)
    incidents = incidents_of(database, app, accounts, channels, wording)
    conditions = Watched(workers, site.expires, lambda: buckets.failing, incidents.incidents.queries.outbox)
    links = ConsentLinks(
        ConsentLinkQueries(database), app.library, app.consents, SignInAttempts(AttemptQueries(database), app.now), app.now
    )
    return ServerRooms(
        site=site,
        accounts=accounts,
        provider=provider_of(database, accounts, lambda: file.snapshot.oidc, home, app.now),
        libraries=libraries,
        folder_names=folder_names,
        buckets=buckets,
        consents=app.consents,
        consent_links=links,
        references=ReferencePhotos(ReferenceQueries(database), app.people, app.identification, app.analyser, choice, app.environment),
        desks=desks_of(app, accounts, choice),
        workers=workers,
        search_index=search_index,
        uploads=uploads_of(database, libraries, file, paths, app.now, site.tell),
        backups=backups,
        incidents=incidents,
        alerts=alerts_of(database, app, paths, channels, wording, conditions, site.unstored),
    )


def add_routes(api: FastAPI, rooms: ServerRooms) -> None:
    """Add every route that only a team server has."""
    server_routes(api, rooms.site.name, __version__, rooms.site.pinned)
    account_routes(api, rooms.accounts)
    provider_routes(api, rooms.accounts, rooms.provider)
    libraries_routes(api, rooms.libraries, rooms.site.file)
    bucket_routes(api, rooms.buckets, rooms.site.texts, rooms.libraries.read_again)
    consent_link_routes(api, rooms.consent_links, rooms.consents, rooms.site.texts)
    reference_routes(api, rooms.references, rooms.consents, lambda: rooms.site.file.snapshot, rooms.site.texts)
    desk_routes(api, rooms.desks, rooms.accounts)
    worker_routes(api, rooms.workers, rooms.site.texts)
    vector_routes(api, rooms.search_index)
    upload_routes(api, rooms.uploads)
    incident_routes(api, rooms.incidents.incidents, rooms.incidents.sending)
    backup_routes(api, rooms.backups, rooms.site.texts, utc_now)
    alert_routes(api, rooms.alerts.alerts, rooms.alerts.sending, lambda: rooms.alerts.watch.looked_at)

"""Puts a team server together around its open database: only the server imports this."""

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import dataclass

from agent.app.app import App
from agent.app.library_home import home_of_key
from agent.app.memory_limits import guarded_service
from agent.app.server.addresses import server_name
from agent.app.server.backups import backups_of_server, notice_earlier
from agent.app.server.buckets import buckets_of
from agent.app.server.cache_invalidation import Following
from agent.app.server.feature_wiring import accounts_of, face_vectors
from agent.app.server.features import ServerRooms, Site, rooms_of
from agent.app.server.job_coordination import HAS_WORKERS, JobCoordinator
from agent.app.server.operations import Operations
from agent.app.server.public_trust import PublicTrust
from agent.app.wiring import build
from agent.domain.path_text import BUCKET
from agent.features.people.vectors.service import FaceVectors
from agent.infrastructure.core.config_file import SettingsFile
from agent.infrastructure.core.i18n import Texts
from agent.infrastructure.core.memory_guard import ProcessKind
from agent.infrastructure.core.paths import AppPaths
from agent.infrastructure.core.sd_notify import is_supervised
from agent.infrastructure.core.service_context import utc_now
from agent.infrastructure.core.settings import Settings
from agent.infrastructure.store.database import Database
from agent.infrastructure.store.embedded_postgres import EmbeddedPostgres
from agent.interfaces.web.certificates import Certificates
from agent.interfaces.web.local_auth import Auth
from agent.server.alerts.disk_full_alert import DirectAlert
from agent.server.backups.service import ServerBackups


@dataclass(frozen=True, slots=True)
class ServerContext:
    """What a run of the server stands on, and what outlives it."""

    paths: AppPaths
    file: SettingsFile
    url: str  # of the database, in SQLAlchemy's form
    database: Database
    embedded: EmbeddedPostgres | None
    certificates: Certificates
    auth: Auth
    operations: Operations
    unstored: DirectAlert
    start_again: Callable[[], None]  # end as after a signal, so that the supervisor starts another process

    @property
    def settings(self) -> Settings:
        return self.file.snapshot

    def texts(self) -> Texts:
        return Texts(self.settings.general.language.value)


@dataclass(frozen=True, slots=True)
class ServerParts:
    """What runs on it."""

    app: App
    work: JobCoordinator
    vectors: FaceVectors
    rooms: ServerRooms
    following: Following
    public: PublicTrust


async def assemble(context: ServerContext, address: Callable[[], str], logs: Callable[[Settings], Awaitable[None]]) -> ServerParts:
    """Build the parts, and open what they keep. Raises StoreError, KeyHomeError, SettingsInvalid.

    `address` is asked once the server listens; `logs` follows the settings of the log files.
    """
    work = await asyncio.to_thread(JobCoordinator, context.database, context.url)
    vectors = await asyncio.to_thread(face_vectors, context.database, context.url)
    home = home_of_key(context.settings, context.paths)
    buckets = buckets_of(context.database, home, lambda: context.settings, utc_now)
    app = build(
        context.settings,
        context.paths,
        database=context.database,
        finder=vectors,
        remote={BUCKET: buckets.source},
        desktop=False,
        reconfigure={"logs": logs},
        renamed=context.file.rename_kept,
        queue=work.queue if HAS_WORKERS else None,
        leadership=work.election if HAS_WORKERS else None,
        claims=work.claims if HAS_WORKERS else None,
    )
    app.memory.also(guarded_service(ProcessKind.SERVER, app.rest.now, context.start_again, supervised=is_supervised()))
    backups = await asyncio.to_thread(_backups, context, app)
    public = PublicTrust(context.certificates, lambda: context.settings.server)
    await asyncio.to_thread(public.begin)
    site = _site(context, address, work, public)
    rooms = rooms_of(site, app, accounts_of(context.database, app.now), work.workers, vectors.state, buckets.buckets, backups)
    following = Following(rooms.accounts, rooms.libraries, buckets.buckets, rooms.uploads)
    if HAS_WORKERS:
        following.listen(work.join(app))
    await asyncio.to_thread(buckets.buckets.begin)
    await asyncio.to_thread(rooms.libraries.begin, context.texts()("cli.serve.first_library"))
    return ServerParts(app, work, vectors, rooms, following, public)


def _backups(context: ServerContext, app: App) -> ServerBackups:
    backups = backups_of_server(context.database, context.embedded, lambda: context.settings, context.paths, app.now)
    backups.begin()
    notice_earlier(context.database, app.witness, app.now())
    return backups


def _site(context: ServerContext, address: Callable[[], str], work: JobCoordinator, public: PublicTrust) -> Site:
    certificates = context.certificates
    return Site(
        paths=context.paths,
        file=context.file,
        texts=context.texts,
        name=lambda: server_name(context.settings),
        address=address,
        pinned=public.at,
        expires=lambda: certificates.validity[1],
        unstored=context.unstored,
        tell=work.tell,
    )

"""The team server's event loop: the services of the agent without a desktop, on the network."""

import asyncio
import sys
from collections.abc import Awaitable, Callable, Collection
from contextlib import AsyncExitStack
from dataclasses import dataclass
from functools import partial

import structlog

from agent import __version__
from agent.accounts.service import Accounts
from agent.accounts.team_access import TeamAccess
from agent.backups.repositories import repositories_of
from agent.core import logs
from agent.core.config_file import SettingsFile
from agent.core.environment import utc_now
from agent.core.heap import forget_sources, here_to_stay, release_free
from agent.core.i18n import Texts
from agent.core.memory_guard import ProcessKind
from agent.core.memory_trimmer import trim_while_busy
from agent.core.observable import first_of
from agent.core.paths import AppPaths
from agent.core.resources import resource
from agent.core.settings import Settings
from agent.core.supervisor import is_supervised, keep_alive, tell_supervisor
from agent.domain.errors import SettingsError
from agent.domain.path_text import BUCKET
from agent.library.onboarding import Onboarding
from agent.main.app import App
from agent.main.checkup import health
from agent.main.guarded import guarded_service
from agent.main.http import Context, Team, create_app
from agent.main.library_home import backup_store, home_of_key, move_key, recovery_code
from agent.main.library_restore import LibraryRestore, RestoreOutcome
from agent.main.server.announcing import Announcer, announcement_of
from agent.main.server.backups import backups_of_server
from agent.main.server.buckets import buckets_of
from agent.main.server.figures.database import FigureQueries
from agent.main.server.figures.server import Switches, Validity
from agent.main.server.figures.sparing import Sparing
from agent.main.server.following import Following
from agent.main.server.log_files import SERVER_LOG
from agent.main.server.operations import Operations
from agent.main.server.reached import Reached, first_link, server_address, server_name
from agent.main.server.rooms import Site, add_routes, rooms_of
from agent.main.server.services import accounts_of, face_vectors
from agent.main.server.team_work import HAS_WORKERS, TeamWork
from agent.main.wiring import build
from agent.screen.region_picker import RegionPicker
from agent.sources.folder.drives import is_remote
from agent.store.database import Database
from agent.store.embedded_postgres import EmbeddedPostgres
from agent.web.access import Scope
from agent.web.auth import Auth
from agent.web.certificates import Certificates, origins_of
from agent.web.connection_limits import Door
from agent.web.desk_port import NoDesk
from agent.web.draining import Draining
from agent.web.failover import DatabaseReturn, FailoverRetry
from agent.web.gate import Gate
from agent.web.handed_over import is_handed_over
from agent.web.help_routes import Places
from agent.web.lines import InPieces
from agent.web.redirect import redirecting
from agent.web.request_counts import CountedRequests
from agent.web.server import Network, Succession, serving

log = structlog.get_logger()

SOCKET = "https"  # the name under which systemd hands over the listening socket
MOST_CONNECTIONS = 1024
_LOOK_S = 1.0


@dataclass(frozen=True, slots=True)
class ServerGround:
    """What the loop stands on, and what outlives it."""

    paths: AppPaths
    file: SettingsFile
    url: str  # of the database, in SQLAlchemy's form
    database: Database
    embedded: EmbeddedPostgres | None
    certificates: Certificates
    auth: Auth
    operations: Operations
    start_again: Callable[[], None]  # end as after a signal, so that the supervisor starts another process


class ServerLoop:
    """One run with an open library. `up` is called when it answers."""

    def __init__(self, ground: ServerGround, up: Callable[[Reached], None]) -> None:
        self._ground = ground
        self._up = up

    async def run(self, stop: asyncio.Event) -> None:
        """Serve and work until `stop`; then finish what is running. Raises StoreError, SettingsInvalid if the port is taken."""
        try:
            await self._run(stop)
        finally:
            self._ground.operations.end()

    async def _run(self, stop: asyncio.Event) -> None:
        ground, wanted = self._ground, self._settings.server
        work = await asyncio.to_thread(TeamWork, ground.database, ground.url)
        vectors = await asyncio.to_thread(face_vectors, ground.database, ground.url)
        home = home_of_key(self._settings, ground.paths)
        buckets = buckets_of(ground.database, home, lambda: self._settings, utc_now)
        app = build(
            self._settings,
            ground.paths,
            database=ground.database,
            finder=vectors,
            remote={BUCKET: buckets.source},
            desktop=False,
            reconfigure={"logs": self._log_files},
            renamed=ground.file.rename_kept,
            queue=work.queue if HAS_WORKERS else None,
            lead=work.election if HAS_WORKERS else None,
            claims=work.claims if HAS_WORKERS else None,
        )
        app.memory.also(guarded_service(ProcessKind.SERVER, app.rest.now, ground.start_again, supervised=is_supervised()))
        reached_at: list[int] = []
        accounts, certificates = accounts_of(ground.database, app.now), ground.certificates
        site = Site(
            paths=ground.paths,
            file=ground.file,
            texts=self._texts,
            name=lambda: server_name(self._settings),
            address=lambda: server_address(self._settings, reached_at[0]),
            pinned=lambda: (certificates.fingerprint, certificates.authority),
            expires=lambda: certificates.validity[1],
            tell=work.tell,
        )
        backups = await asyncio.to_thread(
            backups_of_server, ground.database, ground.embedded, lambda: self._settings, ground.paths, app.now
        )
        await asyncio.to_thread(backups.begin)
        rooms = rooms_of(site, app, accounts, work.workers, vectors.state, buckets.buckets, backups)
        following = Following(accounts, rooms.libraries, buckets.buckets, rooms.uploads)
        if HAS_WORKERS:
            following.listen(work.join(app))
        await asyncio.to_thread(buckets.buckets.begin)
        await asyncio.to_thread(rooms.libraries.begin, self._texts()("cli.serve.first_library"))
        draining: list[Draining] = []

        def application(port: Callable[[], int]) -> CountedRequests:
            def origins() -> Collection[str]:
                public = self._settings.server.address
                return origins_of(certificates.names, port()) | ({public} if public else set())

            access = TeamAccess(accounts, ground.auth.token, origins, rooms.libraries.placed)
            team = Team(access, lambda api: add_routes(api, rooms), rooms.folder_names.whole)
            repeating = FailoverRetry(create_app(self._context(app, stop), port, team), DatabaseReturn(ground.database.version))
            draining.append(Draining(repeating, self._texts))
            return CountedRequests(InPieces(draining[0]), ground.operations.figures.requests)

        network = Network(wanted.host, "server.port", certificates.context, certificates.trusted, handed_over=SOCKET)
        succession = Succession() if is_handed_over(SOCKET) else None
        gate = Gate(wanted.address_connections, wanted.address_handshakes, wanted.proxies)
        door = Door(lambda _, __: True, most=MOST_CONNECTIONS, gate=gate)
        runtime, token = ground.paths.runtime, ground.auth.token
        async with AsyncExitStack() as answering:
            port = await answering.enter_async_context(
                serving(application, token=token, port=wanted.port, runtime=runtime, door=door, network=network, succession=succession)
            )
            reached_at.append(port)
            if wanted.http_port:
                await answering.enter_async_context(redirecting(wanted.host, wanted.http_port, lambda: certificates.names, port))
            log.info("server.started", version=__version__)
            forget_sources()
            here_to_stay(tidy=False)
            self._answer_operations(app, accounts)
            tell_supervisor("READY=1")
            answering.enter_context(app.bus.listening(rooms.desks.happened))
            answering.enter_context(app.bus.listening(ground.operations.figures.happened.note))
            announcer = Announcer(lambda: announcement_of(self._settings, site.name(), certificates, port))
            async with asyncio.TaskGroup() as tasks:
                led: list[Callable[[], Awaitable[None]]] = [partial(vectors.run, app.bus), announcer.run]
                led += [rooms.uploads.run, rooms.backups.run]
                works = [
                    app.run(),
                    work.run(app),
                    following.run(),
                    certificates.run(),
                    keep_alive(),
                    trim_while_busy(release_free),
                    *(app.lead.during(each) for each in (*led, *rooms.incidents.works, rooms.alerts.sending.run)),
                    *rooms.alerts.works(),
                    ground.file.watch(partial(self._changed, app), partial(self._refused, app)),
                ]
                if ground.embedded is not None:
                    works.append(self._keep(ground.embedded))
                running = [tasks.create_task(each) for each in works]
                if HAS_WORKERS:
                    await first_of(work.election.held.wait(), stop.wait())
                link = await self._link(accounts, site.address()) if app.lead.leads else None
                self._up(Reached(site.name(), site.address(), certificates.fingerprint, link))
                await stop.wait()
                await asyncio.sleep(wanted.drain_delay_s)
                log.info("server.draining")
                tell_supervisor("STOPPING=1")
                if succession is not None:
                    draining[0].each_is_last()
                    await succession.step_back()
                if not await draining[0].drain(wanted.drain_s):
                    log.warning("server.cut_off")
                await accounts.footprints.settle()
                for task in running:
                    task.cancel()
        log.info("server.ended")

    @property
    def _settings(self) -> Settings:
        return self._ground.file.snapshot

    def _texts(self) -> Texts:
        return Texts(self._settings.general.language.value)

    def _answer_operations(self, app: App, accounts: Accounts) -> None:
        """From now on this run is ready, and tells its figures."""

        async def has_scope(secret: str, scope: Scope) -> bool:
            token = await accounts.tokens.by_secret(secret)
            return token is not None and scope in token.principal.scopes

        operations, certificates = self._ground.operations, self._ground.certificates
        operations.database, operations.has_scope = self._ground.database, has_scope
        figures = operations.figures
        figures.rows = Sparing(FigureQueries(self._ground.database).rows)
        figures.validity = lambda: Validity(*certificates.validity)
        workers = self._settings.server.workers if HAS_WORKERS else 0
        embedded = self._ground.embedded is not None

        def switches() -> Switches:
            settings = app.settings
            return Switches(settings.recognition.enabled, app.indexer.paused, workers, repositories_of(settings) if embedded else ())

        figures.switches = switches

    async def _link(self, accounts: Accounts, address: str) -> str | None:
        """Of several processes one invites: a second link would end the first."""
        return await first_link(accounts.members, self._texts()("cli.serve.administrator"), address, self._ground.paths.data)

    def _context(self, app: App, stop: asyncio.Event) -> Context:
        ground, desk = self._ground, NoDesk()
        return Context(
            app=app,
            auth=ground.auth,
            desk=desk,
            picking=RegionPicker(lambda: app.screen.capturing, desk),
            settings=ground.file,
            move_key=lambda to: move_key(ground.file, ground.paths, to),
            recovery_code=lambda: recovery_code(self._settings, ground.paths),
            beginning=Onboarding(app.library, lambda: True, lambda: None, lambda _: None),
            suggested=tuple,
            texts=self._texts,
            remote=is_remote,
            quit=stop.set,  # for commands of this computer
            health=health(app, ground.paths, self._texts, __version__, desktop=False),
            version=__version__,
            ui=resource("ui"),
            help=resource("help"),
            places=Places(ground.paths.data, ground.paths.logs),
            restore=self._restore(),
            drafts=app.library,
        )

    def _restore(self) -> LibraryRestore:
        """A server's database is restored by its administrator."""
        return LibraryRestore(
            lambda: backup_store(self._settings, self._ground.paths),
            self._ground.database,
            damaged=lambda: False,
            close=lambda _: None,
            last=RestoreOutcome(),
        )

    async def _keep(self, embedded: EmbeddedPostgres) -> None:
        """Start the database again whenever it ends: it recovers by its log."""
        while True:
            await asyncio.sleep(_LOOK_S)
            if not embedded.runs:
                log.warning("database.ended")
                await asyncio.to_thread(embedded.start)

    async def _changed(self, app: App, settings: Settings, _: frozenset[str]) -> None:
        await app.apply(settings)

    async def _refused(self, app: App, error: SettingsError) -> None:
        app.refuse(error)

    async def _log_files(self, settings: Settings) -> None:
        try:
            await asyncio.to_thread(logs.configure, settings.logs, self._ground.paths.logs, file=SERVER_LOG, stdout=sys.stdout)
        except OSError:
            log.error("logs.unwritable")

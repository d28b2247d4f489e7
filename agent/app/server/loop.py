"""The team server's event loop: the services of the agent without a desktop, on the network."""

import asyncio
import sys
from collections.abc import Awaitable, Callable, Collection, Coroutine, Iterator
from contextlib import AsyncExitStack, contextmanager
from functools import partial
from typing import Any

import structlog

from agent import __version__
from agent.app.app import App
from agent.app.checkup import health
from agent.app.http import Context, Team, create_app
from agent.app.library_home import backup_store, move_key, recovery_code
from agent.app.library_restore import LibraryRestore, RestoreOutcome
from agent.app.server.addresses import ServerAddresses, first_link, server_address
from agent.app.server.announcing import Announcer, announcement_of
from agent.app.server.assembly import ServerContext, ServerParts, assemble
from agent.app.server.features import add_routes
from agent.app.server.job_coordination import HAS_WORKERS
from agent.app.server.log_files import SERVER_LOG
from agent.app.server.metrics.database import FigureQueries
from agent.app.server.metrics.server import Switches, Validity
from agent.app.server.metrics.sparing import CostLimitedCache
from agent.app.server.network_context import network_of
from agent.desktop.capture.region_picker import RegionPicker
from agent.domain.errors import SettingsError, StoreError, reason_of
from agent.features.library.onboarding import Onboarding
from agent.infrastructure.core import logs
from agent.infrastructure.core.malloc_tuning import forget_sources, freeze_gc, release_free
from agent.infrastructure.core.memory_trimmer import trim_while_busy
from agent.infrastructure.core.observable import first_of
from agent.infrastructure.core.resources import resource
from agent.infrastructure.core.sd_notify import keep_alive, sd_notify
from agent.infrastructure.core.settings import Settings
from agent.infrastructure.sources.folder.drives import is_remote
from agent.infrastructure.store.embedded_postgres import EmbeddedPostgres
from agent.interfaces.web.access import Scope
from agent.interfaces.web.certificates import origins_of
from agent.interfaces.web.connection_quota import ConnectionQuota
from agent.interfaces.web.database_retry import DatabaseRecovery, RetryMiddleware
from agent.interfaces.web.draining import Draining
from agent.interfaces.web.help_routes import Places
from agent.interfaces.web.local_connections import ConnectionPolicy
from agent.interfaces.web.redirect import redirecting
from agent.interfaces.web.request_counts import CountedRequests
from agent.interfaces.web.server import Network, SocketHandover, serving
from agent.interfaces.web.socket_activation import is_activated
from agent.interfaces.web.streaming import ChunkedWrites
from agent.interfaces.web.ui_port import HeadlessUi
from agent.server.accounts.member_auth import MemberAuth
from agent.server.accounts.service import Accounts
from agent.server.backups.repositories import repositories_of

log = structlog.get_logger()

SOCKET = "https"  # the name under which systemd hands over the listening socket
MOST_CONNECTIONS = 1024
_LOOK_S = 1.0


class ServerLoop:
    """One run with an open library. `up` is called when it answers."""

    def __init__(self, context: ServerContext, up: Callable[[ServerAddresses], None]) -> None:
        self._server_context = context
        self._up = up
        self._port = 0  # none yet
        self._draining: Draining | None = None

    async def run(self, stop: asyncio.Event) -> None:
        """Serve and work until `stop`; then finish what is running. Raises StoreError, SettingsInvalid if the port is taken."""
        try:
            await self._run(await assemble(self._server_context, self._address, self._log_files), stop)
        finally:
            self._server_context.operations.end()

    async def _run(self, parts: ServerParts, stop: asyncio.Event) -> None:
        async with AsyncExitStack() as answering:
            drain = await self._answer(parts, stop, answering)
            with self._telling_why():
                async with asyncio.TaskGroup() as tasks:
                    running = [tasks.create_task(each) for each in self._works(parts)]
                    await self._invite(parts, stop)
                    await stop.wait()
                    await drain()
                    await parts.rooms.accounts.usage_audit.settle()
                    for task in running:
                        task.cancel()
        log.info("server.ended")

    @contextmanager
    def _telling_why(self) -> Iterator[None]:
        """Have requests that the database's end breaks off learn of that: the process goes on, and serves again."""
        try:
            yield
        except BaseException as error:
            if isinstance(reason := reason_of(error), StoreError) and self._draining is not None:
                self._draining.abort_running(reason)
            raise

    async def _answer(self, parts: ServerParts, stop: asyncio.Event, answering: AsyncExitStack) -> Callable[[], Awaitable[None]]:
        """Listen and answer as long as `answering`; return what ends that without cutting off a request, unless it takes too long."""
        context, wanted = self._server_context, self._settings.server
        certificates, figures = context.certificates, context.operations.figures

        def application(port: Callable[[], int]) -> CountedRequests:
            self._draining = Draining(self._pages(parts, stop, port), context.texts)
            return CountedRequests(ChunkedWrites(self._draining), figures.requests)

        network = Network(wanted.host, "server.port", certificates.context, certificates.trusted, activated_socket=SOCKET)
        succession = SocketHandover() if is_activated(SOCKET) else None
        quota = ConnectionQuota(wanted.address_connections, wanted.address_handshakes, wanted.proxies)
        policy = ConnectionPolicy(lambda _, __: True, most=MOST_CONNECTIONS, quota=quota)
        runtime, token = context.paths.runtime, context.auth.token
        self._port = await answering.enter_async_context(
            serving(application, token=token, port=wanted.port, runtime=runtime, policy=policy, network=network, succession=succession)
        )
        if wanted.http_port:
            await answering.enter_async_context(redirecting(wanted.host, wanted.http_port, lambda: certificates.names, self._port))
        log.info("server.started", version=__version__)
        forget_sources()
        freeze_gc(tidy=False)
        self._answer_operations(parts.app, parts.rooms.accounts)
        sd_notify("READY=1")
        answering.enter_context(parts.app.bus.listening(parts.rooms.desks.happened))
        answering.enter_context(parts.app.bus.listening(figures.happened.note))

        async def drain() -> None:
            assert self._draining is not None
            await asyncio.sleep(wanted.drain_delay_s)
            log.info("server.draining")
            sd_notify("STOPPING=1")
            if succession is not None:
                self._draining.close_after_response()
                await succession.stop_accepting()
            if not await self._draining.drain(wanted.drain_s):
                log.warning("server.cut_off")

        return drain

    def _pages(self, parts: ServerParts, stop: asyncio.Event, port: Callable[[], int]) -> RetryMiddleware:
        context, rooms = self._server_context, parts.rooms

        def origins() -> Collection[str]:
            public = self._settings.server.address
            return origins_of(context.certificates.names, port()) | ({public} if public else set())

        access = MemberAuth(rooms.accounts, context.auth.token, origins, rooms.libraries.placed)
        team = Team(access, lambda api: add_routes(api, rooms), rooms.folder_names.whole)
        return RetryMiddleware(create_app(self._context(parts.app, stop), port, team), DatabaseRecovery(context.database.version))

    def _works(self, parts: ServerParts) -> Iterator[Coroutine[Any, Any, None]]:
        """What runs beside the answers; of several processes on one database only the leading one does some of it."""
        context, app, rooms = self._server_context, parts.app, parts.rooms
        announcer = Announcer(lambda: announcement_of(self._settings, rooms.site.name(), parts.public.fingerprint, self._port))
        led: list[Callable[[], Awaitable[None]]] = [
            partial(parts.vectors.run, app.bus),
            announcer.run,
            rooms.uploads.run,
            rooms.backups.run,
        ]
        yield from (app.run(), parts.work.run(app), parts.following.run(), context.certificates.run(), parts.public.run())
        yield from (keep_alive(), trim_while_busy(release_free))
        yield from (app.leadership.during(each) for each in (*led, *rooms.incidents.works, rooms.alerts.sending.run))
        yield from rooms.alerts.works()
        yield context.file.watch(partial(self._changed, app), partial(self._refused, app))
        if context.embedded is not None:
            yield self._keep(context.embedded)

    async def _invite(self, parts: ServerParts, stop: asyncio.Event) -> None:
        """Tell where the server is reached. Of several processes one invites: a second link would end the first."""
        context, site = self._server_context, parts.rooms.site
        if HAS_WORKERS:
            await first_of(parts.work.election.held.wait(), stop.wait())
        link = None
        if parts.app.leadership.leads:
            name = context.texts()("cli.serve.administrator")
            link = await first_link(parts.rooms.accounts.members, name, site.address(), context.paths.data)
        await parts.public.look()
        self._up(ServerAddresses(site.name(), site.address(), parts.public.fingerprint, link))

    @property
    def _settings(self) -> Settings:
        return self._server_context.settings

    def _address(self) -> str:
        return server_address(self._settings, self._port)

    def _answer_operations(self, app: App, accounts: Accounts) -> None:
        """From now on this run is ready, and tells its figures."""

        async def has_scope(secret: str, scope: Scope) -> bool:
            token = await accounts.tokens.by_secret(secret)
            return token is not None and scope in token.principal.scopes

        operations, certificates = self._server_context.operations, self._server_context.certificates
        operations.database, operations.has_scope = self._server_context.database, has_scope
        figures = operations.figures
        figures.rows = CostLimitedCache(FigureQueries(self._server_context.database).rows)
        figures.validity = lambda: Validity(*certificates.validity)
        workers = self._settings.server.workers if HAS_WORKERS else 0
        embedded = self._server_context.embedded is not None

        def switches() -> Switches:
            settings = app.settings
            return Switches(settings.recognition.enabled, app.indexer.paused, workers, repositories_of(settings) if embedded else ())

        figures.switches = switches

    def _context(self, app: App, stop: asyncio.Event) -> Context:
        context, desk = self._server_context, HeadlessUi()
        network = network_of(context.paths, lambda: self._settings, context.texts, context.database, context.certificates)
        return Context(
            app=app,
            auth=context.auth,
            desk=desk,
            picking=RegionPicker(lambda: app.screen.capturing, desk),
            settings=context.file,
            move_key=lambda to: move_key(context.file, context.paths, to),
            recovery_code=lambda: recovery_code(self._settings, context.paths),
            beginning=Onboarding(app.library, lambda: True, lambda: None, lambda _: None),
            suggested=tuple,
            texts=context.texts,
            remote=is_remote,
            quit=stop.set,  # for commands of this computer
            health=health(app, context.paths, context.texts, __version__, network=network),
            version=__version__,
            ui=resource("ui"),
            help=resource("help"),
            places=Places(context.paths.data, context.paths.logs),
            restore=self._restore(),
            drafts=app.library,
        )

    def _restore(self) -> LibraryRestore:
        """A server's database is restored by its administrator."""
        return LibraryRestore(
            lambda: backup_store(self._settings, self._server_context.paths),
            self._server_context.database,
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
            await asyncio.to_thread(logs.configure, settings.logs, self._server_context.paths.logs, file=SERVER_LOG, stdout=sys.stdout)
        except OSError:
            log.error("logs.unwritable")

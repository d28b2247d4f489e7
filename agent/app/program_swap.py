"""Replaces the program by a newer version: the old one tries it, puts it in place, or rolls everything back."""

import contextlib
import os
import random
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Mapping, Sequence

import psutil
import structlog
from filelock import FileLock, Timeout

from agent import __version__
from agent.app.library_home import library_care
from agent.desktop.system.watchdog import unwatched
from agent.domain.errors import AgentError, AlreadyRunning, LifecycleError, UpdateError, UpdateFailed, UpdateManaged, UpdateNotReady
from agent.features.updates.install import Installation
from agent.features.updates.install_journal import JournalFile
from agent.features.updates.install_places import InstallPlace, place_of
from agent.features.updates.memory import MemoryFile, ToldError
from agent.features.updates.service import UpdateActions, Updates
from agent.features.updates.update_worker import ask
from agent.features.updates.updater import channel_of, updater_of
from agent.infrastructure.core.files import error_code
from agent.infrastructure.core.instance_lock import alone
from agent.infrastructure.core.package_info import Build, PackageKind, read_build
from agent.infrastructure.core.paths import AppPaths
from agent.infrastructure.core.service_context import utc_now
from agent.infrastructure.core.settings import Settings
from agent.infrastructure.core.subprocesses import NO_CONSOLE

log = structlog.get_logger()

TRIAL_LIMIT_S = 180.0  # includes migrating a large library
END_LIMIT_S = 20.0
LOCK_WAIT_S = 30.0
POLL_S = 0.1


def updates_of(paths: AppPaths, settings: Callable[[], Settings], *, restart: Callable[[], None]) -> Updates:
    """The running agent's update service. Raises ValidationError if the package's metadata is malformed."""
    build = read_build()
    known = updater_of(paths, build)

    async def ask_child(check: bool, fetch: bool, patient: bool) -> None:
        channel = channel_of(settings(), build)
        await ask(build, paths.updates, paths.downloads, __version__, channel, check=check, fetch=fetch, patient=patient)

    return Updates(
        lambda: known.state(channel_of(settings(), build)),
        ask_child,
        wanted=lambda: settings().updates.enabled,
        clock=utc_now,
        actions=UpdateActions(restart, settle=lambda: Handover(paths, settings(), build).settle(), dismiss_outcome=known.dismiss_outcome),
        jitter=random.random(),
    )


class Handover:
    """The handover of the program in these folders. All methods block; only `settle` may be called while the agent runs."""

    def __init__(self, paths: AppPaths, settings: Settings, build: Build) -> None:
        self._paths = paths
        self._build = build
        self._channel = channel_of(settings, build)
        self._wanted = settings.updates.enabled
        self._updater = updater_of(paths, build)
        self._restart = False  # as the new version, by its installer
        self._leaving = False  # an installer waits for the end of this process
        self._installation = Installation(
            installed=__version__,
            journal=JournalFile(paths.updates),
            memory=MemoryFile(paths.updates),
            care=library_care(settings, paths),
            place=self._place,
            health_check=lambda place, version: health_check([*place.staged_command, "run", "--trial"], version, paths),
            alone=lambda: alone(paths, command=False, wait_s=LOCK_WAIT_S),
        )

    def before_run(self) -> InstallPlace | None:
        """Complete an interrupted installation and install a ready update. Returns the place to start instead of this program, if any.

        Never raises: errors are stored, and this version runs. Does nothing while the agent runs.
        """
        with contextlib.suppress(LifecycleError), self._turn():
            with alone(self._paths, command=False):
                try:
                    other = self._installation.end()
                except (AgentError, OSError) as error:
                    log.error("update.unended", code=error_code(error), kind=type(error).__name__)
                    return None
            if other is not None:
                return other
            with contextlib.suppress(OSError):
                self._updater.sweep()
            if self._wanted and self._build.kind is not PackageKind.NSIS:
                return self._install_quietly()
        return None

    def after_quit(self, *, asked: bool) -> InstallPlace | None:
        """Install a ready update for the next start. Returns the place to start now if the user `asked` for it. Never raises."""
        self._restart = asked
        place = None
        if self._wanted or asked:
            with contextlib.suppress(LifecycleError), self._turn():
                place = self._install_quietly()
        if not asked or self._leaving:
            return None
        return place or self._place(__version__)

    def install(self, *, again: bool = False) -> InstallPlace | None:
        """Install at the user's request: returns the new version's place, None if an installer does the rest. `again` retries one given up.

        Raises UpdateError, StoreError, KeyHomeError, LifecycleError.
        """
        with self._turn():
            if again:
                self._updater.memory.change(given_up={}, outcome=None)
            return self._install()

    def settle(self) -> None:
        """Delete the previous version: this one has run long enough for its user. Never raises."""
        try:
            self._installation.settle()
        except (AgentError, OSError) as error:
            log.warning("update.unsettled", code=error_code(error), kind=type(error).__name__)

    def _install(self) -> InstallPlace | None:
        ready = self._updater.ready(self._channel)
        if ready is None:
            raise UpdateManaged if self._updater.state(self._channel).command else UpdateNotReady
        offer, file = ready
        try:
            place = self._installation.install(offer, file)
        except OSError as error:
            raise UpdateFailed(version=offer.version) from error
        self._leaving = not place.at_once
        return place if place.at_once else None

    def _place(self, version: str) -> InstallPlace | None:
        return place_of(self._build.kind, version, start=detached, restart=self._restart)

    def _install_quietly(self) -> InstallPlace | None:
        try:
            return self._install()
        except (UpdateNotReady, UpdateManaged):
            return None
        except (AgentError, OSError) as error:
            log.warning("update.not_installed", code=error_code(error), kind=type(error).__name__)
            if isinstance(error, UpdateError):
                with contextlib.suppress(OSError, AgentError):
                    self._updater.memory.change(problem=ToldError.of(error))
            return None

    @contextlib.contextmanager
    def _turn(self) -> Iterator[None]:
        """Allow one installation at a time; a process that starts meanwhile waits for its end. Raises AlreadyRunning."""
        self._paths.create()
        self._paths.updates.mkdir(mode=0o700, exist_ok=True)
        lock = FileLock(self._paths.updates / "install.lock", timeout=TRIAL_LIMIT_S)
        try:
            lock.acquire()
        except Timeout as error:
            raise AlreadyRunning from error
        try:
            yield
        finally:
            lock.release()


def health_check(command: Sequence[str], version: str, paths: AppPaths) -> bool:
    """Start a new version, wait until it reports health and that version, and end it with all its processes."""
    none = subprocess.DEVNULL
    try:
        process = subprocess.Popen(
            command, stdin=subprocess.PIPE, stdout=none, stderr=none, env=fresh_environment(), creationflags=NO_CONSOLE
        )
    except OSError:
        return False
    try:
        deadline = time.monotonic() + TRIAL_LIMIT_S
        while process.poll() is None and time.monotonic() < deadline:
            if (said := _answer(paths)) is not None:
                return said == version
            time.sleep(POLL_S)
        return False
    finally:
        _end(process)


def _answer(paths: AppPaths) -> str | None:
    """The version reported by a healthy agent."""
    import httpx  # imported here, because the running agent uses the rest of this module

    from agent.interfaces.web.client import Client

    try:
        with contextlib.closing(Client.find(paths.runtime)) as client:
            client.get_json("/health")
            return client.status().version
    except (AgentError, httpx.HTTPError, ValueError):
        return None


def _end(process: "subprocess.Popen[bytes]") -> None:
    below: list[psutil.Process] = []
    with contextlib.suppress(psutil.Error):
        below = psutil.Process(process.pid).children(recursive=True)
    with contextlib.suppress(OSError):
        process.stdin.close()  # type: ignore[union-attr]  # it has one
    try:
        process.wait(END_LIMIT_S)
    except subprocess.TimeoutExpired:
        process.kill()
        process.wait()
    for child in below:
        with contextlib.suppress(psutil.Error):
            child.kill()


def become(place: InstallPlace, words: Sequence[str]) -> None:
    """Replace this process by the version that is now in place. Returns only if that fails."""
    replace_process([*place.command, "run", *words], fresh_environment())


def replace_process(command: Sequence[str], environment: Mapping[str, str]) -> None:
    """Replace this process by another program. Returns only if that fails."""
    sys.stdout.flush()
    sys.stderr.flush()
    with contextlib.suppress(OSError):
        if sys.platform == "win32":
            # Windows can't replace a process: exec starts a second one, and splits the arguments at each space of the path.
            detached(command, environment)
            raise SystemExit(0)
        os.execve(command[0], [*command], environment)


def detached(command: Sequence[str], environment: Mapping[str, str] | None = None) -> None:
    """Start a process that outlives this one: another version, or the installer that starts it. Raises OSError."""
    none = subprocess.DEVNULL
    flags = getattr(subprocess, "DETACHED_PROCESS", 0) | getattr(subprocess, "CREATE_NEW_PROCESS_GROUP", 0)
    subprocess.Popen(
        command,
        stdin=none,
        stdout=none,
        stderr=none,
        creationflags=flags,
        start_new_session=os.name == "posix",
        env=fresh_environment() if environment is None else environment,
    )


def fresh_environment() -> dict[str, str]:
    """The environment for another version of this program, without variables set by this one's packaging."""
    kept = {name: value for name, value in os.environ.items() if name not in ("APPDIR", "ARGV0", "OWD", "APPIMAGE")}
    for name in ("LD_LIBRARY_PATH", "DYLD_LIBRARY_PATH"):
        if getattr(sys, "frozen", False):
            kept.pop(name, None)
            if (before := kept.get(f"{name}_ORIG")) is not None:
                kept[name] = before
    return {**unwatched(kept), "PYINSTALLER_RESET_ENVIRONMENT": "1"}

"""The basis of every command: folders, settings, texts, and access to a running agent."""

import asyncio
import sys
import threading
from collections.abc import Callable, Coroutine, Iterator
from contextlib import AbstractContextManager, contextmanager, nullcontext, suppress
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import cached_property
from typing import TYPE_CHECKING, TypeVar

import click
from pydantic import BaseModel

from agent.domain.errors import (
    AgentError,
    AgentLost,
    NotFound,
    NotRunning,
    ServerRuns,
    ServerStopped,
    SettingsError,
    StoreDamaged,
    StoreError,
)
from agent.domain.image import Recipe
from agent.infrastructure.core.config_copy import SettingsCopy
from agent.infrastructure.core.config_file import SettingsFile
from agent.infrastructure.core.i18n import Texts
from agent.infrastructure.core.paths import SERVER_FOLDER, AppPaths
from agent.infrastructure.core.sd_notify import is_supervised
from agent.infrastructure.core.settings import Settings
from agent.interfaces.cli.output import say

if TYPE_CHECKING:
    from starlette.types import ASGIApp

    from agent.infrastructure.store.database import Database
    from agent.interfaces.web.client import Client

T = TypeVar("T")
# The longest that a finished command waits for the check; a small library takes a moment unless the computer is busy.
WAIT_S, WAIT_SMALL_S = 2.0, 20.0
A = TypeVar("A", bound=BaseModel)


@dataclass(frozen=True)
class Application:
    """The agent's application in this process, with its background work but without watching folders."""

    answer: "ASGIApp"
    token: str
    port: int  # of its address; nothing listens there
    work: Callable[[], Coroutine[None, None, None]]
    prepared: asyncio.Event  # set once the work that an earlier run left is finished


@dataclass(frozen=True)
class Program:
    """The parts of the program that commands need and only the composition root can provide."""

    application: "Callable[[CommandSession, bool | None], AbstractContextManager[Callable[[], Application]]]"
    """Prepares the application; call the result in the event loop. Models are fetched: with True also the embedder, with None none."""
    browse: Callable[[str], bool]
    """Opens an address in the user's browser; False if there is none."""
    check_screen: Callable[[], None]
    """Raises the error that prevents screen watching on this system."""
    recipe: Callable[[Settings, bool], Recipe]
    """The recipe of the settings; with True, including embeddings regardless of the settings."""
    install_update: "Callable[[CommandSession, bool], None]"
    """Installs the waiting update; with True, also one that was rolled back. Raises UpdateError."""


@dataclass
class CommandSession:
    """One command's environment. Nothing is created or opened before its first use."""

    paths: AppPaths
    program: Program
    verbose: bool = False
    """also say what is logged, and where an error arose"""

    @cached_property
    def file(self) -> SettingsFile:
        return SettingsFile(self.paths.settings, copy=SettingsCopy(self.paths.settings_copy))

    @cached_property
    def settings(self) -> Settings:
        """Raises SettingsError."""
        return self.file.load()

    @cached_property
    def texts(self) -> Texts:
        """Texts in the settings' language; with unreadable settings, a running agent's, whose texts appear beside ours, or the system's."""
        try:
            return Texts(self.settings.general.language.value)
        except AgentError:
            with suppress(AgentError):
                return Texts(self.client().status().language)
            return Texts()

    def client(self) -> "Client":
        """Raises NotRunning."""
        from agent.interfaces.web.client import Client

        client = Client.find(self.paths.runtime)
        client.on_silence = lambda: self.mention(self.silence)
        return client

    @property
    def silence(self) -> str:
        """What is said while an agent or a server gives no sign of life."""
        return self.texts("cli.silent_server" if self.has_server else "cli.silent")

    def server(self) -> "Client":
        """The team server of this computer. Raises ServerStopped, NotRunning if there is none."""
        try:
            return self.client()
        except NotRunning as error:
            from agent.infrastructure.core.instance_lock import is_held

            if self.has_server:
                why = {"starts": 1} if is_held(self.paths) else {} if self._has_settings else {"settings": 1}
                raise ServerStopped(**why) from error
            raise

    @property
    def has_server(self) -> bool:
        """Whether this home is a team server's. With settings that can't be read, what starts it, or its database, says so."""
        named = bool(self.settings.server.database) if self._has_settings else is_supervised()
        return named or (self.paths.data / SERVER_FOLDER).exists()

    @property
    def _has_settings(self) -> bool:
        """Whether they can be read."""
        try:
            return bool(self.settings)
        except SettingsError:
            return False

    @property
    def is_served(self) -> bool:
        """Whether the library is a team server's, and none of this computer's own."""
        from agent.infrastructure.store.open_library import DATABASE_FILE

        return self.has_server and not (self.paths.library / DATABASE_FILE).exists()

    @contextmanager
    def alone(self, *, command: bool = True, wait_s: float = 0) -> Iterator[None]:
        """Hold the instance's lock, as a `command` or as the agent. Raises AlreadyRunning, CommandRunning."""
        from agent.infrastructure.core.instance_lock import alone

        with alone(self.paths, command=command, wait_s=wait_s):
            yield

    @contextmanager
    def together(self) -> Iterator[None]:
        """Hold the instance's lock as one of several servers. Raises AlreadyRunning, CommandRunning."""
        from agent.infrastructure.core.instance_lock import together

        with together(self.paths):
            yield

    @contextmanager
    def library(self, queries: "Callable[[Database], T]", *, checked: bool = False) -> Iterator[T]:
        """Open the library with a room's queries; otherwise as `database`."""
        with self.database(checked=checked) as database:
            yield queries(database)

    @contextmanager
    def database(self, *, checked: bool = False) -> Iterator["Database"]:
        """Open the library's database. It is created on first use, and then the recovery code is shown.

        Raises StoreError, KeyHomeError, and ServerStopped or ServerRuns if it is a team server's.

        With `checked`, a library not checked for a day is checked meanwhile, and damage is reported at the end.
        """
        from agent.infrastructure.store.keys import LibraryKeys
        from agent.infrastructure.store.open_library import open_library
        from agent.infrastructure.store.secret_stores import key_home

        if self.is_served:
            self.server().close()
            raise ServerRuns
        home = key_home(self.settings.library.key_home, self.paths.keys)
        keys = LibraryKeys(self.paths.library, home)
        is_new = not keys.exist
        try:
            database = open_library(self.paths.library, home)
        except StoreDamaged as error:
            from agent.infrastructure.store.backup import BackupStore

            raise BackupStore(self.paths.library, home, keep=1).unopened() from error
        try:
            if is_new:
                self.say_recovery_code(keys.recovery_code(keys.unlock()))
            with _checking(self, database) if checked else nullcontext():
                yield database
        finally:
            database.close()

    def say_recovery_code(self, code: str) -> None:
        """Show the recovery code, only on a terminal: otherwise it would end up in a log."""
        self.mention(*(self.texts("cli.recovery.new", code=code) if sys.stderr.isatty() else self.texts("cli.recovery.later")).split("\n"))

    def explain(self, error: AgentError, *, about: str = "") -> None:
        """Print cause, remedy and code on standard error."""
        error, about = self.named(error), f"{about}: " if about else ""
        self.mention(f"{about}{self.sentences(self.texts.cause(error), self.texts.remedy(error))} [{error.code}]")
        if self.verbose:
            from agent.infrastructure.core.log_privacy import places

            self.mention(places(error))

    def named(self, error: AgentError) -> AgentError:
        """Return the error as it is told here: a server is started and ended by other commands than an agent."""
        return type(error)(server=1) if isinstance(error, AgentLost) and self.has_server else error

    @staticmethod
    def mention(*lines: str) -> None:
        """Print on standard error, even with `--quiet`."""
        say(*lines, err=True)

    def sentences(self, cause: str, remedy: str) -> str:
        """Both sentences in one line, joined by the language's rules."""
        return self.texts("ui.sentences", cause=cause, remedy=remedy)


@contextmanager
def _checking(session: CommandSession, database: "Database") -> Iterator[None]:
    """Also reports the last check's result if this one takes too long. A failing command reports its own reason."""
    from agent.infrastructure.store.integrity import Soundness

    soundness = Soundness(session.paths.library)
    if not soundness.due(datetime.now(UTC)):
        yield
        return  # intact: after damage, a check would be due

    def look() -> None:
        with suppress(StoreError):  # busy, or closed: the next command checks
            soundness.look(database)

    reader = threading.Thread(target=look, name="library-check", daemon=True)
    reader.start()
    yield
    reader.join(WAIT_SMALL_S if soundness.small else WAIT_S)
    warn_if_damaged(session)


def warn_if_damaged(session: CommandSession) -> None:
    """Report damage if the last check found any."""
    from agent.infrastructure.store.integrity import Soundness

    if Soundness(session.paths.library).damaged:
        session.explain(StoreDamaged())


def of_server(session: CommandSession, client: "Client", path: str, answer: type[A]) -> A:
    """Return the answer to a route that only a team server has. Raises ClickException if what runs here is none."""
    try:
        return client.call("GET", path, answer)
    except NotFound as error:
        raise click.ClickException(session.texts("cli.members.no_server")) from error

"""The basis of every command: folders, settings, texts, and access to a running agent."""

import asyncio
import sys
from collections.abc import Callable, Coroutine, Iterator
from contextlib import AbstractContextManager, contextmanager, nullcontext, suppress
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING, TypeVar

from agent.cli.output import say
from agent.core.config_file import SettingsFile
from agent.core.i18n import Texts
from agent.core.paths import AppPaths
from agent.core.settings import Settings
from agent.domain.errors import AgentError
from agent.domain.image import Recipe

if TYPE_CHECKING:
    from starlette.types import ASGIApp

    from agent.store.database import Database
    from agent.web.client import Client

T = TypeVar("T")


@dataclass(frozen=True)
class Application:
    """The agent's application in this process, and its background work, which watches nothing."""

    answer: "ASGIApp"
    token: str
    port: int  # that it takes for its own; nothing listens there
    work: Callable[[], Coroutine[None, None, None]]
    prepared: asyncio.Event  # what an earlier run left undone is done


@dataclass(frozen=True)
class Program:
    """What commands need and only the composition root can give."""

    application: "Callable[[Session, bool], AbstractContextManager[Callable[[], Application]]]"
    """With True the model for face prints is fetched too. What it gives is called in the event loop."""
    browse: Callable[[str], bool]
    """Open an address in the user's browser; False if there is none."""
    check_screen: Callable[[], None]
    """Raises what keeps the screen from being watched here."""
    recipe: Callable[[Settings, bool], Recipe]
    """What analyses are made with; True: with face prints, whatever the settings say."""
    install_update: "Callable[[Session, bool], None]"
    """Put the version that waits in this one's place; True: also one that was taken back. Raises UpdateError."""


@dataclass
class Session:
    """One command's environment. Nothing is created or opened before its first use."""

    paths: AppPaths
    program: Program
    verbose: bool = False
    """also say what is logged, and where an error arose"""

    @cached_property
    def file(self) -> SettingsFile:
        return SettingsFile(self.paths.settings)

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
        from agent.web.client import Client

        return Client.find(self.paths.runtime)

    @contextmanager
    def alone(self, *, command: bool = True, wait_s: float = 0) -> Iterator[None]:
        """Hold the instance's lock, as a `command` or as the agent. Raises AlreadyRunning, CommandRunning."""
        from agent.core.instance_lock import alone

        with alone(self.paths, command=command, wait_s=wait_s):
            yield

    @contextmanager
    def library(self, queries: "Callable[[Database], T]", *, checked: bool = False) -> Iterator[T]:
        """Open the library with a room's queries; otherwise as `database`."""
        with self.database(checked=checked) as database:
            yield queries(database)

    @contextmanager
    def database(self, *, checked: bool = False) -> Iterator["Database"]:
        """Open the library's database. It is created on first use, and then the recovery code is shown. Raises StoreError, KeyHomeError.

        With `checked`, a library not checked for a day is checked meanwhile, and damage is reported at the end.
        """
        from agent.cli.library_check import checking
        from agent.store.key_homes import key_home
        from agent.store.keys import LibraryKeys
        from agent.store.opening import open_library

        home = key_home(self.settings.library.key_home, self.paths.keys)
        keys = LibraryKeys(self.paths.library, home)
        is_new = not keys.exist
        database = open_library(self.paths.library, home)
        try:
            if is_new:
                self.say_recovery_code(keys.recovery_code(keys.unlock()))
            with checking(self, database) if checked else nullcontext():
                yield database
        finally:
            database.close()

    def say_recovery_code(self, code: str) -> None:
        """Show the recovery code, only on a terminal: otherwise it would end up in a log."""
        self.mention(*(self.texts("cli.recovery.new", code=code) if sys.stderr.isatty() else self.texts("cli.recovery.later")).split("\n"))

    def explain(self, error: AgentError, *, about: str = "") -> None:
        """Print cause, remedy and code on standard error."""
        about = f"{about}: " if about else ""
        self.mention(f"{about}{self.sentences(self.texts.cause(error), self.texts.remedy(error))} [{error.code}]")
        if self.verbose:
            from agent.core.logs import places

            self.mention(places(error))

    @staticmethod
    def mention(*lines: str) -> None:
        """Print on standard error, even with `--quiet`."""
        say(*lines, err=True)

    def sentences(self, cause: str, remedy: str) -> str:
        """Both sentences in one line, joined by the language's rules."""
        return self.texts("ui.sentences", cause=cause, remedy=remedy)

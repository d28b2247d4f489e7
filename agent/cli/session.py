"""What every command starts from: folders, settings, texts, and the way to a running agent."""

import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager, nullcontext, suppress
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING, TypeVar

from agent.cli.output import say
from agent.core.config_file import SettingsFile
from agent.core.i18n import Texts
from agent.core.paths import AppPaths
from agent.core.settings import Settings
from agent.domain.errors import AgentError

if TYPE_CHECKING:
    from agent.store.database import Database
    from agent.web.client import Client

T = TypeVar("T")


@dataclass
class Session:
    """One command's surroundings. Nothing is created or opened before it is asked for."""

    paths: AppPaths
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
        """The settings' language. While they can't be read, a running agent's, whose words stand beside ours; else the system's."""
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

        With `checked`, pages that were not read for a day are read meanwhile, and damage is reported at the end.
        """
        from agent.cli.library_check import checking
        from agent.main.wiring import home_of_key
        from agent.store.keys import LibraryKeys
        from agent.store.opening import open_library

        home = home_of_key(self.settings, self.paths)
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
        """On a terminal only: elsewhere it would end in somebody's log."""
        self.mention(*(self.texts("cli.recovery.new", code=code) if sys.stderr.isatty() else self.texts("cli.recovery.later")).split("\n"))

    def explain(self, error: AgentError, *, about: str = "") -> None:
        """Cause, remedy and code on standard error."""
        about = f"{about}: " if about else ""
        self.mention(f"{about}{self.sentences(self.texts.cause(error), self.texts.remedy(error))} [{error.code}]")
        if self.verbose:
            from agent.core.logs import places

            self.mention(places(error))

    @staticmethod
    def mention(*lines: str) -> None:
        """On standard error, also with `--quiet`."""
        say(*lines, err=True)

    def sentences(self, cause: str, remedy: str) -> str:
        """Both in one line, as the language joins them."""
        return self.texts("ui.sentences", cause=cause, remedy=remedy)

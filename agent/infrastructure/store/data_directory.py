"""The folder of a PostgreSQL cluster, and how its user reaches it and the repository of its write-ahead log.

Where the program is root, PostgreSQL runs as `nobody`, who can't enter the folders above: it gets both as open descriptors, always
under the same numbers, because pgBackRest compares paths with PostgreSQL's.
"""

import contextlib
import os
import subprocess
import sys
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final

import structlog

from agent.domain.errors import RepositoryUnwritable
from agent.infrastructure.core.files import write_private
from agent.infrastructure.core.resource_limits import raise_open_file_limit
from agent.infrastructure.store.postgres_programs import Account

log = structlog.get_logger()

STANZA: Final = "ai-popup"
DATA: Final = "data"
_CONFIGURATION, _PASSWORDS = "pgbackrest.conf", "pgpass"
_FIRST = 1_024  # of the descriptors: pgBackRest closes those below in its processes in the background
_OPEN_FILES = 2_048  # the least limit that has room for such numbers
# Puts the descriptors in their places, becomes the other user, and then the program.
_BECOME = f"""
import fcntl, os, sys
user, group, descriptors = int(sys.argv[1]), int(sys.argv[2]), [int(each) for each in sys.argv[3].split(",")]
held = [fcntl.fcntl(each, fcntl.F_DUPFD, {_FIRST} + len(descriptors)) for each in descriptors]
for number, each in enumerate(held, {_FIRST}):
    os.dup2(each, number)
for each in held + descriptors:
    if not {_FIRST} <= each < {_FIRST} + len(held):
        os.close(each)
os.setgroups([]); os.setgid(group); os.setuid(user)
os.execv(sys.argv[4], sys.argv[4:])
"""
_KEPT = ("PATH", "SYSTEMROOT", "TEMP", "TMP", "TMPDIR")


@dataclass(frozen=True, slots=True)
class Archive:
    """Where the write-ahead log goes: by pgBackRest, to the repositories of its configuration."""

    program: str
    configuration: str = field(repr=False)  # holds keys
    folders: Mapping[str, Path]  # pgBackRest's option -> a repository's folder, created if missing
    files: Mapping[str, bytes] = field(repr=False)  # pgBackRest's option -> content of a file that it needs
    wal_seconds: int

    @property
    def settings(self) -> dict[str, str]:
        """Return PostgreSQL's settings. Paths and keys are in the environment and the configuration, not in the command."""
        return {
            "archive_command": f'"{self.program}" --stanza={STANZA} archive-push "%p"',
            "archive_mode": "on",
            "archive_timeout": str(self.wal_seconds),
            "wal_level": "replica",
        }


@dataclass(frozen=True, slots=True)
class FolderReached:
    """The path by which the cluster's user reaches the folder, the descriptors that it takes, and variables for its programs."""

    here: str
    descriptors: tuple[int, ...]
    environment: dict[str, str]


class ClusterFolder:
    def __init__(self, path: Path, account: Account | None, archive: Archive | None = None) -> None:
        self.path = path
        self.account = account
        self.archive = archive

    @property
    def data(self) -> Path:
        return self.path / DATA

    def make(self) -> None:
        """Create it, private, with pgBackRest's configuration. Raises OSError.

        A repository that can't be created is left: its disk may be away, and the database runs without it.
        """
        make_private_for(self.path, self.account)
        if self.archive is None:
            return
        if self.make_repositories():
            log.warning("backup.no_folder", code=RepositoryUnwritable.code)
        for option, content in self.archive.files.items():
            self.write(option, content)
        self.write(_CONFIGURATION, self.archive.configuration.encode())

    def make_repositories(self) -> dict[str, OSError]:
        """Create the folders of the repositories; returns why some can't be, by pgBackRest's option."""
        failed: dict[str, OSError] = {}
        for option, repository in (self.archive.folders if self.archive is not None else {}).items():
            try:
                repository.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
                make_private_for(repository, self.account)
            except OSError as error:
                failed[option] = error
        return failed

    def write(self, name: str, content: bytes) -> Path:
        """Write a file that only the cluster's user can read. Raises OSError."""
        write_private(self.path / name, content)
        if self.account is not None:
            self.account.own(self.path / name)
        return self.path / name

    def write_password(self, password: str) -> None:
        """Keep the database's password for pgBackRest. Raises OSError."""
        escaped = password.replace("\\", "\\\\").replace(":", "\\:")
        self.write(_PASSWORDS, f"*:*:*:*:{escaped}\n".encode())

    @contextlib.contextmanager
    def reached(self) -> Iterator[FolderReached]:
        """Raises OSError, FewFiles if descriptors can't have such numbers."""
        if self.account is not None:
            raise_open_file_limit(_OPEN_FILES)
        with contextlib.ExitStack() as opened:
            descriptors: list[int] = []

            def reach(folder: Path) -> str:
                if self.account is None or sys.platform == "win32":
                    return str(folder)
                try:
                    descriptor = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
                except OSError:
                    if folder == self.path:
                        raise
                    return str(folder)  # a repository whose disk is away: pgBackRest says so
                opened.callback(os.close, descriptor)
                descriptors.append(descriptor)
                return f"/proc/self/fd/{_FIRST + len(descriptors) - 1}"

            here = reach(self.path)
            environment = {name: os.environ[name] for name in _KEPT if name in os.environ} | {"LC_ALL": "C"}
            if self.archive is not None:
                environment |= {
                    "PGBACKREST_CONFIG": f"{here}/{_CONFIGURATION}",
                    "PGBACKREST_LOCK_PATH": f"{here}/lock",
                    "PGBACKREST_PG1_PATH": f"{here}/{DATA}",
                    "PGBACKREST_SPOOL_PATH": f"{here}/spool",
                    "PGPASSFILE": f"{here}/{_PASSWORDS}",
                }
                environment |= {_variable(option): reach(folder) for option, folder in self.archive.folders.items()}
                environment |= {_variable(option): f"{here}/{option}" for option in self.archive.files}
            yield FolderReached(here, tuple(descriptors), environment)

    def command(self, reached: FolderReached, words: Sequence[str]) -> list[str]:
        """Return what starts a program as the cluster's user; `words` begin with its path."""
        if self.account is None:
            return list(words)
        descriptors = ",".join(map(str, reached.descriptors))
        return [sys.executable, "-I", "-S", "-c", _BECOME, str(self.account.user), str(self.account.group), descriptors, *words]

    def of_process(self, reached: FolderReached) -> dict[str, Any]:
        """Return the arguments of its processes: bare, and apart from signals that the terminal sends to the program."""
        common: dict[str, Any] = {"cwd": "/" if self.account else self.path, "env": reached.environment}
        if sys.platform == "win32":
            return {**common, "creationflags": subprocess.CREATE_NEW_PROCESS_GROUP | subprocess.CREATE_NO_WINDOW}
        return {**common, "start_new_session": True, "pass_fds": reached.descriptors}


def _variable(option: str) -> str:
    return f"PGBACKREST_{option.replace('-', '_').upper()}"


def make_private_for(folder: Path, owner: Account | None) -> None:
    """Create a folder that only this user can enter."""
    folder.mkdir(mode=0o700, exist_ok=True)
    if owner is not None:
        owner.own(folder)

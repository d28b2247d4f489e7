"""Runs pgBackRest on a cluster's folder. It prints no key, and what it prints is not passed on: it may hold paths and hosts."""

import json
import shutil
import subprocess
import tempfile
import time
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Final

import structlog

from agent.domain.errors import (
    AgentError,
    BackupAhead,
    BackupError,
    BackupFailed,
    BackupRunning,
    BackupToolMissing,
    RepositoryDamaged,
    RepositoryEmpty,
    RepositoryKeyWrong,
    RepositoryUnreachable,
    RepositoryUnwritable,
)
from agent.infrastructure.core.files import disk_full
from agent.infrastructure.core.subprocesses import answer_of
from agent.infrastructure.store.backup_dates import is_future
from agent.infrastructure.store.data_directory import STANZA, ClusterFolder
from agent.server.backups.repositories import LOCAL, OFFSITE
from agent.server.backups.tool_errors import is_refused

log = structlog.get_logger()

TOOL: Final = "pgbackrest"
_LIMIT_S = 6 * 3_600.0
_LOCKED_S, _AGAIN_S = 60.0, 0.5
_REPOSITORIES = {1: LOCAL, 2: OFFSITE}
# Its exit statuses, from its own list of errors.
_RUNNING, _LOST = {50}, {39, 41, 42, 45, 47, 49, 55, 73, 101, 102, 103, 104, 105}
_DAMAGED, _KEY = {26, 29, 31, 44, 76, 95}, {95}
_NONE = {75}
# The log does not arrive: it is kept back while any repository takes none.
_WAITING = {82}
# What `info` says of a repository: 0 has backups, 1 is to be created, 2 has none yet, 4 differs from the others.
_IN_ORDER = {0, 1, 2, 4}
_CREATED = {0, 2}


@dataclass(frozen=True, slots=True)
class BaseBackup:
    """A base backup in one repository. Its write-ahead log reaches to the present."""

    label: str
    repository: str
    kind: str  # full, diff or incr
    at: datetime  # when it was complete
    size: int  # bytes of the database
    stored: int  # bytes that it added to the repository


@dataclass(frozen=True, slots=True)
class Repository:
    """What a repository says about itself. `code` is an error's, empty if it is in order."""

    name: str
    code: str
    backups: tuple[BaseBackup, ...]
    newest_wal: str
    is_created: bool = True


def program() -> str:
    """Raises BackupToolMissing."""
    found = shutil.which(TOOL)
    if found is None:
        raise BackupToolMissing(tool=TOOL)
    return found


class PgBackRest:
    """All methods block and raise BackupError, StoreError."""

    def __init__(self, home: ClusterFolder, sockets: Path | None = None) -> None:
        """`sockets` is the folder of the running database's socket; the cluster's own if None."""
        self._home = home
        self._sockets = sockets

    @property
    def repositories(self) -> list[int]:
        archive = self._home.archive
        return [1, 2] if archive is not None and "\nrepo2-type=" in archive.configuration else [1]

    def prepare(self) -> None:
        """Create the repositories, unless they are there; the database need not run."""
        failed = self._home.make_repositories()
        try:
            self._create()
        except BackupError:
            if not failed:
                raise
        for option, error in failed.items():
            where = _REPOSITORIES[int(option.removeprefix("repo").partition("-")[0])]
            raise (RepositoryUnreachable if disk_full(error) else RepositoryUnwritable)(where=where) from error

    def _create(self) -> None:
        """Pieces of the log that are handed over at the same moment keep it waiting, so it tries again for a while."""
        until = time.monotonic() + _LOCKED_S
        while True:
            try:
                self._run(["stanza-create", "--no-online"])
            except BackupRunning:
                if time.monotonic() > until:
                    raise
                time.sleep(_AGAIN_S)
            else:
                return

    def back_up(self, repository: int, *, full: bool) -> None:
        """Make a base backup of the running database; then expire old ones."""
        self._run([f"--type={'full' if full else 'diff'}", f"--repo={repository}", "backup"], repository)

    def drop_ahead(self, repository: int, now: datetime) -> None:
        """Remove backups that a clock made which was far ahead: until their date pgBackRest would make no other, for the sake of order.

        Their log stays, and continues the ones before. If there are none before, this clock may be the wrong one: raises BackupAhead.
        """
        [known] = self.info(repository)
        ahead = [each.label for each in known.backups if is_future(each.at, now)]
        if ahead and len(ahead) == len(known.backups):
            raise BackupAhead(where=known.name)
        for label in sorted(ahead, reverse=True):  # those that build on another one are before it
            self._run([f"--repo={repository}", f"--set={label}", "expire"], repository)
        history = f"backup/{STANZA}/backup.history"
        for path in self._run([f"--repo={repository}", "--recurse", "repo-ls", history], repository).split() if ahead else ():
            if path.partition("/")[2].partition(".")[0] in ahead:
                self._run([f"--repo={repository}", "repo-rm", f"{history}/{path}"], repository)

    def verify(self, repository: int, label: str | None = None) -> None:
        """Read every file of the repository, or of one backup and its log. Raises RepositoryDamaged."""
        one = [] if label is None else [f"--set={label}"]
        said = self._run([f"--repo={repository}", "--output=text", *one, "verify"], repository)
        if "status: error" in said:  # nothing is printed about one that is in order
            raise RepositoryDamaged(where=_REPOSITORIES[repository])

    def restore(self, repository: int, words: Sequence[str]) -> None:
        """Write the cluster's data folder, which is empty or absent. It replays the log when it starts. Raises RepositoryDamaged."""
        fetch = f'restore_command="{program()}" --stanza={STANZA} archive-get %f "%p"'
        try:
            self._run([f"--repo={repository}", f"--recovery-option={fetch}", *words, "restore"], repository)
        except (RepositoryKeyWrong, RepositoryUnreachable) as error:
            # A cut file is no whole cipher, and a missing one is as far away as its disk: the repository's own list tells them apart.
            if not self._is_readable(repository):
                raise
            raise RepositoryDamaged(where=_REPOSITORIES[repository]) from error

    def _is_readable(self, repository: int) -> bool:
        """Whether its list of backups is there and opens."""
        with suppress(BackupError):
            return any(each.backups and not each.code for each in self.info(repository))
        return False

    def info(self, only: int | None = None) -> list[Repository]:
        """Return what each repository holds, newest backup first; one that can't be read says so. `only` one is asked if given."""
        # Not strict: a message may quote what a wrong key made of a file, with characters that JSON doesn't allow.
        said = json.loads(self._run(["--output=json", *([f"--repo={only}"] if only else []), "info"]), strict=False)
        stanza: dict[str, Any] = next((each for each in said if each["name"] == STANZA), {})
        found = []
        for number in [only] if only else self.repositories:
            status = next((each["status"] for each in stanza.get("repo", ()) if each["key"] == number), {"code": 1})
            backups = [_base_backup(each, number) for each in stanza.get("backup", ()) if each["database"]["repo-key"] == number]
            wal = [each["max"] for each in stanza.get("archive", ()) if each["database"]["repo-key"] == number and each["max"]]
            code = "" if status["code"] in _IN_ORDER else _refusal(str(status.get("message", ""))).code
            backups.sort(key=lambda each: each.at, reverse=True)
            found.append(Repository(_REPOSITORIES[number], code, tuple(backups), max(wal, default=""), status["code"] in _CREATED))
        return found

    def _run(self, words: Sequence[str], repository: int = 0) -> str:
        with self._home.reached() as reached, tempfile.TemporaryFile() as errors:
            sockets = reached.here if self._sockets in (None, self._home.path) else str(self._sockets)
            arguments = self._home.of_process(reached)
            arguments["env"] = {**arguments["env"], "PGBACKREST_PG1_SOCKET_PATH": sockets}
            command = self._home.command(reached, [program(), f"--stanza={STANZA}", *words])
            try:
                done = answer_of(command, limit_s=_LIMIT_S, stderr=errors, **arguments)
            except OSError as error:
                raise BackupToolMissing(tool=TOOL) from error
            except subprocess.TimeoutExpired:
                raise BackupFailed(tool=TOOL, number=-1, where=_REPOSITORIES.get(repository, "")) from None
            errors.seek(0)
            said: str = done.stdout.decode(errors="replace")
            if done.returncode != 0:
                raise _meaning(done.returncode, said + errors.read().decode(errors="replace"), repository)
            return said


def _meaning(status: int, said: str, repository: int) -> AgentError:
    where = _REPOSITORIES.get(repository, "")
    log.warning("backup.tool_failed", tool=TOOL, status=status, repository=where)
    if status in _RUNNING:
        return BackupRunning()
    if status in _NONE:
        return RepositoryEmpty()
    if "cipher" in said.lower() or "unable to flush" in said or "bad magic" in said.lower():
        return RepositoryKeyWrong()
    if is_refused(said):
        return RepositoryUnwritable(where=where)
    if status in _DAMAGED:
        return RepositoryDamaged(where=where)
    if status in _WAITING:
        return RepositoryUnreachable(where="")
    if status in _LOST:
        return RepositoryUnreachable(where=where)
    return BackupFailed(tool=TOOL, number=status, where=where)


def _refusal(said: str) -> type[RepositoryUnreachable] | type[RepositoryUnwritable]:
    return RepositoryUnwritable if is_refused(said) else RepositoryUnreachable


def _base_backup(said: dict[str, Any], number: int) -> BaseBackup:
    return BaseBackup(
        said["label"],
        _REPOSITORIES[number],
        said["type"],
        datetime.fromtimestamp(said["timestamp"]["stop"], UTC),
        said["info"]["size"],
        said["info"]["repository"]["delta"],
    )

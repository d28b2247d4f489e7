"""Runs restic on one repository: encrypted snapshots of files. Keys are in its environment, and what it prints is not passed on."""

import json
import os
import shutil
import subprocess
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any, Final

import structlog

from agent.domain.errors import (
    BackupError,
    BackupFailed,
    BackupRunning,
    BackupToolMissing,
    OffsiteGone,
    RepositoryDamaged,
    RepositoryEmpty,
    RepositoryKeyWrong,
    RepositoryUnreachable,
    RepositoryUnwritable,
    StoreDiskFull,
)
from agent.infrastructure.core.files import disk_full
from agent.infrastructure.core.scratch_folders import scratch_folder
from agent.infrastructure.core.subprocesses import answer_of
from agent.infrastructure.store.backup_dates import is_future, newest_first
from agent.server.backups.repositories import FILES_FOLDER, LOCAL, S3, Place, RepositoryFolder, RepositoryPasswords, Sftp
from agent.server.backups.tool_errors import is_refused

log = structlog.get_logger()

TOOL: Final = "restic"
_KEPT = ("PATH", "HOME", "TMPDIR", "SYSTEMROOT", "TEMP", "TMP", "SSH_AUTH_SOCK")
_AWAY: Final = (
    "dial tcp",
    "connection",
    "ssh command exited",
    "unable to open repository",
    "unable to create",
    "no space",
    "timeout",
)
_LIMIT_S = 24 * 3_600.0
_NO_REPOSITORY = 10
_PARTLY = 3  # files that could not be read were left out: they are being written, and come next time


@dataclass(frozen=True, slots=True)
class Snapshot:
    id: str
    at: datetime
    tag: str


class Restic:
    """All methods block and raise BackupError."""

    def __init__(self, place: Place, passwords: RepositoryPasswords, cache: Path, where: str = LOCAL) -> None:
        self._place = place
        self._passwords = passwords
        self._cache = cache
        self._where = where

    def prepare(self, *, used: bool = False) -> None:
        """Create the repository, unless it is there. Locks of killed runs are removed: otherwise nothing expires any more.

        Raises OffsiteGone if it was `used` before and isn't there: below the place of an unmounted disk, nothing is created.
        """
        status, said = self._try(["unlock"])
        if status == _NO_REPOSITORY:
            if used:
                raise OffsiteGone
            if isinstance(self._place, RepositoryFolder):
                self._make(self._place.path)
            status, said = self._try(["init"])
        self._check(status, said)

    def back_up(self, folder: Path, names: Iterable[str], tag: str, exclude: Sequence[str] = ()) -> tuple[int, int]:
        """Take a snapshot of what is in `folder` under these names; returns its bytes, and those that it added to the repository."""
        there = [name for name in names if (folder / name).exists()]
        if not there:
            return 0, 0
        words = [word for pattern in exclude for word in ("--exclude", pattern)]
        said = self._run(["backup", "--json", "--tag", tag, "--host", "ai-popup", "--group-by", "host,tags", *words, "--", *there], folder)
        summary: dict[str, Any] = json.loads(said.strip().rpartition("\n")[2])
        return int(summary["total_bytes_processed"]), int(summary["data_added_packed"])

    def snapshots(self) -> list[Snapshot]:
        """Return all snapshots."""
        return [
            Snapshot(each["id"], datetime.fromisoformat(each["time"]), (each.get("tags") or [""])[0])
            for each in json.loads(self._run(["snapshots", "--json", "--no-lock"]))
        ]

    def restore(self, snapshot: str, target: Path) -> None:
        """Write a snapshot's files below `target`. Raises RepositoryDamaged, StoreDiskFull."""
        status, said = self._try(["restore", "--no-lock", "--target", str(target), snapshot])
        if status != 0 and "no space left" in said:
            raise StoreDiskFull
        self._check(status, said, RepositoryDamaged(where=self._where) if status == 1 else None)

    def expire(self, keep_days: int, now: datetime) -> None:
        """Delete snapshots that are older, except the newest of each kind, and what only they hold."""
        if gone := expired(self.snapshots(), now, keep_days):
            self._run(["forget", "--prune", "--", *gone])

    def verify(self, *, whole: bool) -> None:
        """Read the whole repository, or a random part of the content. Raises RepositoryDamaged."""
        status, said = self._try(["check", "--no-lock", "--read-data" if whole else "--read-data-subset=5%"])
        self._check(status, said, RepositoryDamaged(where=self._where) if status == 1 else None)

    def _make(self, folder: Path) -> None:
        try:
            folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        except OSError as error:
            raise (RepositoryUnreachable if disk_full(error) else RepositoryUnwritable)(where=self._where) from error

    def _reach(self, folder: Path) -> None:
        """Raise RepositoryUnreachable if a file is in the folder's place, or its disk fails: restic would retry for 15 minutes."""
        try:
            (folder / FILES_FOLDER / "config").stat()
        except (FileNotFoundError, PermissionError):
            pass  # restic says so at once
        except OSError as error:
            raise RepositoryUnreachable(where=self._where) from error

    def _run(self, words: Sequence[str], folder: Path | None = None) -> str:
        status, said = self._try(words, folder)
        if status != _PARTLY or words[0] != "backup":
            self._check(status, said)
        return said

    def _try(self, words: Sequence[str], folder: Path | None = None) -> tuple[int, str]:
        program = shutil.which(TOOL)
        if program is None:
            raise BackupToolMissing(tool=TOOL)
        if isinstance(self._place, RepositoryFolder):
            self._reach(self._place.path)
        try:
            with scratch_folder("restic") as heard:
                return self._ran(program, words, folder, heard / "ssh")
        except OSError as error:  # as on a full disk
            raise BackupFailed(tool=TOOL, number=-1, where=self._where) from error

    def _ran(self, program: str, words: Sequence[str], folder: Path | None, ssh_log: Path) -> tuple[int, str]:
        command = [program, *([] if "--json" in words else ["--quiet"]), *self._options(ssh_log), *words]
        try:
            done = answer_of(command, limit_s=_LIMIT_S, stderr=subprocess.PIPE, cwd=folder, env=self._environment())
        except OSError as error:
            raise BackupToolMissing(tool=TOOL) from error
        except subprocess.TimeoutExpired:
            raise BackupFailed(tool=TOOL, number=-1, where=self._where) from None
        said = done.stdout.decode(errors="replace")
        if done.returncode == 0:
            return 0, said
        # When ssh gives up, restic may end before it has passed on why.
        why = ssh_log.read_text(errors="replace") if ssh_log.is_file() else ""
        return done.returncode, said + done.stderr.decode(errors="replace") + why

    def _check(self, status: int, said: str, otherwise: BackupError | None = None) -> None:
        """`otherwise` is what a failure means that tells nothing else."""
        if status == 0:
            return
        log.warning("backup.tool_failed", tool=TOOL, status=status, repository=self._where)
        match status:
            case 10:  # no repository
                raise RepositoryEmpty
            case 11:  # in use
                raise BackupRunning
            case 12:  # the password
                raise RepositoryKeyWrong
        if is_refused(said):
            raise RepositoryUnwritable(where=self._where)
        if "ciphertext verification failed" in said or "invalid data" in said or "does not match" in said:
            raise RepositoryDamaged(where=self._where)
        if any(words in said.lower() for words in _AWAY):
            raise RepositoryUnreachable(where=self._where)
        raise otherwise or BackupFailed(tool=TOOL, number=status, where=self._where)

    def _options(self, ssh_log: Path) -> list[str]:
        words = ["--cache-dir", str(self._cache), "--retry-lock", "1m"]
        match self._place:
            case S3(authority=authority) if authority:
                words += ["--cacert", authority]
            case Sftp(identity=identity, known_hosts=known):
                ssh = [f"-E '{ssh_log}'", "-o BatchMode=yes", "-o StrictHostKeyChecking=yes"]
                ssh += [f"-i '{identity}' -o IdentitiesOnly=yes"] if identity else []
                ssh += [f"-o 'UserKnownHostsFile={known}'"] if known else []
                words += ["-o", f"sftp.args={' '.join(ssh)}"]
        return words

    def _environment(self) -> dict[str, str]:
        kept = {name: os.environ[name] for name in _KEPT if name in os.environ}
        own = {"RESTIC_PASSWORD": self._passwords.files, "RESTIC_REPOSITORY": _address(self._place), "LC_ALL": "C"}
        match self._place:
            case S3(key_id=key_id, secret=secret, region=region):
                own |= {"AWS_ACCESS_KEY_ID": key_id, "AWS_SECRET_ACCESS_KEY": secret, "AWS_DEFAULT_REGION": region}
        return {**kept, **own}


def newest_of_each(snapshots: Iterable[Snapshot], now: datetime) -> dict[str, str]:
    """Return the newest snapshot's id of each kind."""
    newest: dict[str, str] = {}
    for each in newest_first(snapshots, now):
        newest.setdefault(each.tag, each.id)
    return newest


def expired(snapshots: Iterable[Snapshot], now: datetime, keep_days: int) -> list[str]:
    """Return the ids of those that are older, except the newest of each kind. One that is dated ahead is as old as the oldest other."""
    kinds: dict[str, list[Snapshot]] = {}
    for each in newest_first(snapshots, now):
        kinds.setdefault(each.tag, []).append(each)
    oldest, gone = now - timedelta(days=keep_days), list[str]()
    for newest, *others in kinds.values():
        at = newest.at
        for each in others:
            at = at if is_future(each.at, now) else each.at
            gone += [each.id] if at < oldest else []
    return gone


def _address(place: Place) -> str:
    match place:
        case RepositoryFolder(path):
            return str(path / FILES_FOLDER)
        case S3(host=host, port=port, bucket=bucket, folder=folder):
            return f"s3:https://{host}:{port}/{bucket}{folder}/{FILES_FOLDER}"
        case Sftp(user=user, host=host, port=port, folder=folder):
            return f"sftp://{user}@{host}:{port}/{folder}/{FILES_FOLDER}"

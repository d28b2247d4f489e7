"""The audit log's head, and how far it was checked, beside the library: out of reach of an account that can only write to the database."""

from pathlib import Path
from typing import Final

import structlog

from agent.domain.errors import StoreError
from agent.infrastructure.core.files import store_error, write_private
from agent.infrastructure.store.audit_chain import AuditHead
from agent.infrastructure.store.audit_log import AuditQueries

log = structlog.get_logger()

WITNESS_FILE: Final = "record-head"
CHECKPOINT_FILE: Final = "record-verified"


class AuditAnchor:
    """The two files. Calls block and raise StoreError."""

    def __init__(self, library_folder: Path) -> None:
        self._path = library_folder.with_name(WITNESS_FILE)
        self._checkpoint = library_folder.with_name(CHECKPOINT_FILE)

    @property
    def folder(self) -> Path:
        """The folder of the file: the program's data."""
        return self._path.parent

    def read(self) -> AuditHead | None:
        """Return the head as last noted; None if there is none, or it is unreadable."""
        try:
            number, digest = (_read(self._path) or "").split()
            return AuditHead(int(number), digest)
        except ValueError:
            return None

    def check(self, library: AuditQueries) -> int | None:
        """Check what was added to the log since the last call, and a part of its old entries; all after the noted head was dropped.

        Return the first entry that isn't as it was written, or that is missing.
        """
        head = self.read()
        before = _read(self._checkpoint) if head is not None else None
        found, after = library.audit_check_on(head, before)
        if found is None:
            try:
                _write(self._checkpoint, after)
            except StoreError as error:  # the next check reads the same again
                log.warning("record.checkpoint_not_noted", code=error.code)
        return found

    def follow(self, library: AuditQueries) -> AuditHead | None:
        """Note the present head, and return it; None, with the file unchanged, if the log no longer holds the noted one."""
        before, head = self.read(), library.audit_head()
        if before is None:
            _drop(self._checkpoint)  # it may be of a library that was replaced by another
        if before is not None and library.audit_digest(before.number) != before.digest:
            return None
        if head != before:
            _write(self._path, f"{head.number} {head.digest}")
        return head

    def forget(self) -> None:
        """Drop both: another library replaces this one."""
        _drop(self._checkpoint)
        _drop(self._path)


def _read(path: Path) -> str | None:
    try:
        return path.read_text(encoding="ascii", errors="replace")
    except FileNotFoundError:
        return None
    except OSError as error:
        raise store_error(error) from error


def _write(path: Path, line: str) -> None:
    try:
        write_private(path, f"{line}\n".encode("ascii"))
    except OSError as error:
        raise store_error(error) from error


def _drop(path: Path) -> None:
    try:
        path.unlink(missing_ok=True)
    except OSError as error:
        raise store_error(error) from error

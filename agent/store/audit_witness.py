"""The audit log's head in a file beside the library, out of reach of an account that can only write to the database."""

from pathlib import Path
from typing import Final

from agent.core.files import store_error, write_private
from agent.store.audit_log import AuditHead, AuditQueries

WITNESS_FILE: Final = "record-head"


class AuditWitness:
    """The file. Calls block and raise StoreError."""

    def __init__(self, library_folder: Path) -> None:
        self._path = library_folder.with_name(WITNESS_FILE)

    @property
    def folder(self) -> Path:
        """The folder of the file: the program's data."""
        return self._path.parent

    def read(self) -> AuditHead | None:
        """Return the head as last noted; None if there is none, or it is unreadable."""
        try:
            number, digest = self._path.read_text(encoding="ascii", errors="replace").split()
            return AuditHead(int(number), digest)
        except (FileNotFoundError, ValueError):
            return None
        except OSError as error:
            raise store_error(error) from error

    def follow(self, library: AuditQueries) -> AuditHead | None:
        """Note the present head, and return it; None, with the file unchanged, if the log no longer holds the noted one."""
        before, head = self.read(), library.audit_head()
        if before is not None and library.audit_digest(before.number) != before.digest:
            return None
        if head != before:
            try:
                write_private(self._path, f"{head.number} {head.digest}\n".encode("ascii"))
            except OSError as error:
                raise store_error(error) from error
        return head

    def forget(self) -> None:
        """Drop it: another library replaces this one."""
        try:
            self._path.unlink(missing_ok=True)
        except OSError as error:
            raise store_error(error) from error

"""Forgotten people as random ids in a file beside the library: after restoring an earlier backup, they are forgotten again."""

from collections.abc import Sequence
from pathlib import Path

from filelock import FileLock, Timeout

from agent.domain.errors import StoreBusy
from agent.infrastructure.core.files import store_error, write_private

_TURN_S = 10.0


class ErasureList:
    """The file. Calls block and raise StoreError. It contains nothing about people but random ids."""

    def __init__(self, path: Path) -> None:
        self._path = path

    def read(self) -> frozenset[str]:
        try:
            return frozenset(self._path.read_text(encoding="ascii", errors="replace").split())
        except FileNotFoundError:
            return frozenset()
        except OSError as error:
            raise store_error(error) from error

    def add(self, uids: Sequence[str]) -> None:
        """Add ids; they are on the disk when this returns. Processes of a server that share the file take turns."""
        if set(uids) <= self.read():
            return
        try:
            with FileLock(self._path.with_name(f"{self._path.name}.lock"), timeout=_TURN_S, mode=0o600):
                known = self.read()
                write_private(self._path, "".join(f"{uid}\n" for uid in sorted(known | set(uids))).encode("ascii"))
        except Timeout as error:
            raise StoreBusy from error
        except OSError as error:
            raise store_error(error) from error

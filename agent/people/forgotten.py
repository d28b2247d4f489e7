"""Forgotten people as random ids in a file beside the library: after restoring an earlier backup, they are forgotten again."""

from collections.abc import Sequence
from pathlib import Path

from agent.core.files import store_error, write_private


class ForgottenFile:
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
        """Add ids; they are on the disk when this returns."""
        known = self.read()
        if not set(uids) <= known:
            try:
                write_private(self._path, "".join(f"{uid}\n" for uid in sorted(known | set(uids))).encode("ascii"))
            except OSError as error:
                raise store_error(error) from error

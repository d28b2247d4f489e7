"""Who was forgotten, as random ids in a file beside the library: a backup from before that is restored is made to forget them again."""

from collections.abc import Sequence
from pathlib import Path

from agent.core.files import store_error, write_private


class ForgottenFile:
    """Blocks; raises StoreError. The file says nothing of anybody but that they are not to be there."""

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
        """They are on the disk when this returns."""
        known = self.read()
        if not set(uids) <= known:
            try:
                write_private(self._path, "".join(f"{uid}\n" for uid in sorted(known | set(uids))).encode("ascii"))
            except OSError as error:
                raise store_error(error) from error

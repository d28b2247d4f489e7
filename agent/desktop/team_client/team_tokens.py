"""Where the token for the team's server is kept: with the library's key. And the servers that are still to be told of a leave."""

import json
from collections.abc import Callable
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Final

from agent.infrastructure.core.files import store_error, write_private
from agent.infrastructure.store.secret_stores import Home

FILE: Final = "team-leaving.json"


@dataclass(frozen=True, slots=True)
class Leaving:
    """A server whose token is still to end; it stays in its place until then."""

    uid: str
    address: str
    authority: str
    remove: bool = False
    """the server is to delete what this computer sent"""
    since: float = 0.0
    """when it was left, in seconds since 1970; 0 in notes of earlier versions"""


class TeamTokens:
    """`home` returns the place of the library's key. All methods block and raise KeyHomeError, StoreError."""

    def __init__(self, home: Callable[[], Home], folder: Path) -> None:
        self._home = home
        self._file = folder / FILE

    def read(self, uid: str) -> str | None:
        found = self._home().read(uid)
        return None if found is None else found.decode("ascii", "replace")

    def write(self, uid: str, token: str) -> None:
        self._home().write(uid, token.encode("ascii"))

    def forget(self, uid: str) -> None:
        """Also that its server is to be told."""
        self._home().forget(uid)
        if (leaving := self.leaving()) is not None and leaving.uid == uid:
            try:
                self._file.unlink(missing_ok=True)
            except OSError as error:
                raise store_error(error) from error

    def leaving(self) -> Leaving | None:
        """Return the server that is still to be told."""
        try:
            return Leaving(**json.loads(self._file.read_text(encoding="utf-8")))
        except FileNotFoundError:
            return None
        except (ValueError, TypeError):
            return None  # damaged: the token ends by itself, within a year
        except OSError as error:
            raise store_error(error) from error

    def note_leaving(self, leaving: Leaving) -> None:
        try:
            write_private(self._file, json.dumps(asdict(leaving)).encode("utf-8"))
        except OSError as error:
            raise store_error(error) from error

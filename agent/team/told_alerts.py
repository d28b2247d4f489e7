"""Which of the server's alerts were told here, kept over a restart: numbers only."""

import json
from collections.abc import Collection
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from agent.core.files import store_error, write_private

FILE: Final = "team-alerts.json"


@dataclass(frozen=True, slots=True)
class Told:
    """All up to `after`, and of the newer ones those in `beyond`: others wait for the end of a quiet time."""

    after: int = 0
    beyond: frozenset[int] = frozenset()

    def __contains__(self, alert_id: int) -> bool:
        return alert_id <= self.after or alert_id in self.beyond

    def plus(self, told: Collection[int], waiting: Collection[int]) -> "Told":
        known = self.beyond.union(told)
        first = min(waiting, default=None)
        after = max([self.after, *(each for each in known if first is None or each < first)])
        return Told(after, frozenset(each for each in known if each > after))


class ToldAlerts:
    """All methods block and raise StoreError."""

    def __init__(self, folder: Path) -> None:
        self._file = folder / FILE

    def read(self, uid: str) -> Told:
        """Return what was told of the server with that link."""
        try:
            found = json.loads(self._file.read_text(encoding="utf-8"))
            return Told(int(found["after"]), frozenset(map(int, found["beyond"]))) if found["uid"] == uid else Told()
        except FileNotFoundError:
            return Told()
        except (ValueError, TypeError, KeyError):
            return Told()  # damaged: what fires now is told again
        except OSError as error:
            raise store_error(error) from error

    def write(self, uid: str, told: Told) -> None:
        content = {"uid": uid, "after": told.after, "beyond": sorted(told.beyond)}
        try:
            write_private(self._file, json.dumps(content).encode("utf-8"))
        except OSError as error:
            raise store_error(error) from error

    def forget(self) -> None:
        try:
            self._file.unlink(missing_ok=True)
        except OSError as error:
            raise store_error(error) from error

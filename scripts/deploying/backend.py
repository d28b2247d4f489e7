"""What a deployment needs of the place where the server runs."""

from dataclasses import dataclass
from typing import Protocol


@dataclass(frozen=True)
class Check:
    """One look before anything changes; `fault` is empty if all is well."""

    name: str
    said: str = ""
    fault: str = ""


class Backend(Protocol):
    """Every step may be repeated: it may have been cut off anywhere by a power failure. All raise Failed."""

    def current(self) -> str | None:
        """Return the version that is switched on."""
        ...

    def former(self) -> str | None:
        """Return the version before, for a rollback."""
        ...

    def version(self) -> str:
        """Return the version that would be deployed."""
        ...

    def preflight(self) -> list[Check]:
        """Look, and change nothing."""
        ...

    def build(self, version: str) -> str:
        """Have the version ready here, without using it."""
        ...

    def check(self, version: str) -> str:
        """Whether it accepts the settings and the database, and the version that runs now goes on working after its migrations."""
        ...

    def fits(self, version: str) -> str:
        """Whether an earlier version works on the database as it is now."""
        ...

    def backup(self, version: str) -> str: ...

    def migrate(self, version: str) -> str:
        """Take all steps but those that are left for later."""
        ...

    def left(self, version: str) -> int:
        """Return how many contract steps wait: the version that serves works without them, and the one before only without them."""
        ...

    def contract(self, version: str) -> str:
        """Take them. Refused while programs that would not survive them are connected."""
        ...

    def switch(self, version: str | None) -> str:
        """Have this version serve; without one, none."""
        ...

    def gate(self, version: str) -> str:
        """Wait until it is ready and answers a real request."""
        ...

    def retire(self, version: str, former: str | None) -> str:
        """Remember the version before, for a rollback, and remove what neither needs."""
        ...

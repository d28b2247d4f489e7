"""A desktop joins by a code that a member confirms in the browser: the device authorization of RFC 8628.

Requests live in memory, for ten minutes: a restart of the server forgets them, and the desktop asks again.
"""

import secrets
from collections import OrderedDict
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta
from math import ceil
from typing import Final

from agent.accounts.secret_words import new_secret, sha256_of
from agent.domain.errors import JoinCodeGone, TooManyAttempts
from agent.web.networks import network_of

LASTS: Final = timedelta(minutes=10)
INTERVAL_S: Final = 2
MOST, MOST_OF_A_NETWORK, MOST_WRONG = 200, 10, 10
# No vowels, so that no word comes out, and no digits that look like letters (RFC 8628, 6.1): 34 bits.
_LETTERS: Final = "BCDFGHJKLMNPQRSTVWXZ"
CODE_PATTERN: Final = f"^[{_LETTERS}]{{4}}-[{_LETTERS}]{{4}}$"


@dataclass(frozen=True, slots=True)
class Grant:
    """What the desktop gets."""

    token: str
    member: str
    may_name: bool


@dataclass(slots=True)
class Asked:
    """A request. `decided` is False when it was refused."""

    computer: str
    system: str
    address: str
    at: datetime
    user_code: str
    decided: bool | None = None
    grant: Grant | None = None


class Joining:
    def __init__(self, clock: Callable[[], datetime]) -> None:
        self._clock = clock
        self._asked: OrderedDict[str, Asked] = OrderedDict()  # by the digest of the device's code, oldest first
        self._wrong: OrderedDict[str, tuple[int, datetime]] = OrderedDict()  # by member: wrong codes, and since when

    def ask(self, computer: str, system: str, address: str) -> tuple[str, str]:
        """Return the device's code, which is secret, and the member's. Raises TooManyAttempts."""
        self._expire()
        network = network_of(address)
        waiting = [each for each in self._asked.values() if network_of(each.address) == network]
        if len(waiting) >= MOST_OF_A_NETWORK or len(self._asked) >= MOST:
            oldest = (waiting or list(self._asked.values()))[0].at
            raise TooManyAttempts(seconds=max(1, ceil((oldest + LASTS - self._clock()).total_seconds())))
        device_code, taken = new_secret(), {each.user_code for each in self._asked.values()}
        while (user_code := _new_code()) in taken:
            pass
        self._asked[sha256_of(device_code)] = Asked(computer, system, address, self._clock(), user_code)
        return device_code, user_code

    def take(self, device_code: str) -> Asked | None:
        """Return the request; None if it has expired or was answered. An answer is taken once."""
        self._expire()
        found = self._asked.get(sha256_of(device_code))
        if found is not None and (found.decided is False or found.grant is not None):
            del self._asked[sha256_of(device_code)]
        return found

    def find(self, user_code: str, member_id: str) -> Asked:
        """Return the undecided request with that code. Raises JoinCodeGone, and TooManyAttempts after too many wrong ones."""
        self._expire()
        now = self._clock()
        wrong, since = self._wrong.get(member_id, (0, now))
        if now - since >= LASTS:
            wrong, since = 0, now
        if wrong >= MOST_WRONG:
            raise TooManyAttempts(seconds=max(1, ceil((since + LASTS - now).total_seconds())))
        for each in self._asked.values():
            if each.decided is None and secrets.compare_digest(each.user_code, user_code):
                return each
        self._wrong[member_id] = wrong + 1, since
        while len(self._wrong) > MOST:
            self._wrong.popitem(last=False)
        raise JoinCodeGone

    def _expire(self) -> None:
        while self._asked:
            digest, oldest = next(iter(self._asked.items()))
            if self._clock() - oldest.at < LASTS:
                return
            del self._asked[digest]


def _new_code() -> str:
    letters = "".join(secrets.choice(_LETTERS) for _ in range(8))
    return f"{letters[:4]}-{letters[4:]}"

"""A desktop joins by a code that a member confirms in the browser: the device authorization of RFC 8628.

Requests are in the database for ten minutes, so that any process of the server answers the desktop and the member.
"""

import asyncio
import re
import secrets
from collections.abc import Callable, Iterator
from datetime import datetime
from math import ceil
from typing import Final

from agent.domain.errors import JoinCodeGone, TooManyAttempts
from agent.interfaces.web.client_address import network_of
from agent.server.accounts.secret_tokens import new_secret, sha256_of
from agent.server.accounts.throttle_queries import AttemptQueries, AttemptWindow
from agent.server.devices.join_queries import LASTS, DeskGrant, JoinQueries, PendingJoin

INTERVAL_S: Final = 2
MOST_WRONG: Final = 10
# No vowels, so that no word comes out, and no digits that look like letters (RFC 8628, 6.1): 34 bits.
_LETTERS: Final = "BCDFGHJKLMNPQRSTVWXZ"
_CODE: Final = re.compile(f"[{_LETTERS}]{{4}}-[{_LETTERS}]{{4}}")


class Joining:
    def __init__(self, requests: JoinQueries, attempts: AttemptQueries, clock: Callable[[], datetime]) -> None:
        self._requests = requests
        self._attempts = attempts
        self._clock = clock

    async def ask(self, computer: str, system: str, address: str) -> tuple[str, str]:
        """Return the device's code, which is secret, and the member's. Raises TooManyAttempts."""
        device_code, asked = new_secret(), PendingJoin(computer, system, address, self._clock())
        found = await asyncio.to_thread(self._requests.ask_to_join, sha256_of(device_code), _codes(), network_of(address), asked)
        if isinstance(found, datetime):
            raise self._too_many(found)
        return device_code, found

    async def take(self, device_code: str) -> PendingJoin | None:
        """Return the request; None if it has expired or was answered. An answer is taken once."""
        return await asyncio.to_thread(self._requests.take_join, sha256_of(device_code), self._clock())

    async def find(self, user_code: str, member_id: str) -> PendingJoin:
        """Return the undecided request with that code. Raises JoinCodeGone, and TooManyAttempts after too many wrong ones."""
        return await self._found(user_code, member_id, lambda: self._requests.asked_by(user_code, self._clock()))

    async def decide(self, user_code: str, member_id: str, *, allow: bool) -> PendingJoin:
        """Decide the request with that code, once. Raises as `find`."""
        return await self._found(user_code, member_id, lambda: self._requests.decide_join(user_code, self._clock(), allowed=allow))

    async def grant(self, user_code: str, grant: DeskGrant | None) -> None:
        """Hand over what an allowed request gets, or refuse it after all."""
        await asyncio.to_thread(self._requests.grant_join, user_code, grant)

    async def _found(self, user_code: str, member_id: str, look: Callable[[], PendingJoin | None]) -> PendingJoin:
        if not _CODE.fullmatch(user_code):  # a slip of the keyboard, which guesses nothing
            raise JoinCodeGone
        wrong, now = [AttemptWindow(sha256_of(f"join {member_id}"), MOST_WRONG, LASTS)], self._clock()
        if (until := await asyncio.to_thread(self._attempts.full_until, wrong, now)) is not None:
            raise self._too_many(until)
        found = await asyncio.to_thread(look)
        if found is None:
            await asyncio.to_thread(self._attempts.attempt_failed, wrong, now)
            raise JoinCodeGone
        return found

    def _too_many(self, until: datetime) -> TooManyAttempts:
        return TooManyAttempts(seconds=max(1, ceil((until - self._clock()).total_seconds())))


def _codes() -> Iterator[str]:
    while True:
        letters = "".join(secrets.choice(_LETTERS) for _ in range(8))
        yield f"{letters[:4]}-{letters[4:]}"

"""Limits attempts to sign in: by account and address together, by account, and by address. An empty account stands for all unknown ones.

They are counted in the database, so that they hold whichever process of a server answers, and over its restarts. It keeps no name and no
address, only digests with a key: who signs in may type a password into the field of the name.
"""

import asyncio
import hmac
import math
from collections.abc import Awaitable, Callable
from datetime import datetime, timedelta
from typing import Final

from agent.domain.errors import TooManyAttempts
from agent.interfaces.web.client_address import network_of
from agent.server.accounts.throttle_queries import AttemptQueries, AttemptWindow

FREE: Final = 5
LONGEST_WAIT_S: Final = 900
# Failures. Members of an office share its address; an account's own limit stops guesses from many addresses.
PER_ADDRESS: Final = (30, timedelta(minutes=10))
PER_ACCOUNT: Final = (100, timedelta(hours=1))
_KEY: Final = b"sign-in attempts"


class SignInAttempts:
    """An attempt counts as failed until it succeeds, so that many at once gain nothing."""

    def __init__(self, queries: AttemptQueries, clock: Callable[[], datetime]) -> None:
        self._queries = queries
        self._clock = clock
        self._key = queries.database.key_for(_KEY)

    async def begin(self, account: str, address: str, slowed: Callable[[], Awaitable[None]] | None = None) -> None:
        """Count an attempt. Raises TooManyAttempts, which counts none.

        `slowed` is called before it is raised because the account failed from this address too often.
        """
        pair, known, now = self._pair(account, address), self._known(account, address), self._clock()
        refusal = await asyncio.to_thread(self._queries.begin_attempt, pair, self._windows(account, address), known, _wait, now)
        if refusal is None:
            return
        if refusal.is_own and slowed is not None:
            await slowed()
        raise TooManyAttempts(seconds=max(1, math.ceil((refusal.until - now).total_seconds())))

    async def failed(self, account: str, address: str) -> None:
        """Count the failure of a begun attempt for the account and the address, too."""
        windows, known = self._windows(account, address), self._known(account, address)
        await asyncio.to_thread(self._queries.attempt_failed, windows, self._clock(), known)

    async def succeeded(self, account: str, address: str) -> None:
        """Forget the failures of the account from this address, which others can't shut out from now on."""
        pair, known = self._pair(account, address), self._known(account, address)
        await asyncio.to_thread(self._queries.attempt_succeeded, pair, known, self._clock())

    def _windows(self, account: str, address: str) -> list[AttemptWindow]:
        windows = [AttemptWindow(self._digest("address", network_of(address)), *PER_ADDRESS)]
        if account:
            windows.append(AttemptWindow(self._digest("account", account), *PER_ACCOUNT, spares_known=True))
        return windows

    def _pair(self, account: str, address: str) -> str:
        return self._digest("pair", account, network_of(address))

    def _known(self, account: str, address: str) -> str:
        return self._digest("known", account, network_of(address))

    def _digest(self, *words: str) -> str:
        return hmac.digest(self._key, "\n".join(words).encode("utf-8", "surrogatepass"), "sha256").hex()


def _wait(failures: int) -> timedelta:
    return timedelta(seconds=min(LONGEST_WAIT_S, 2 ** min(failures - FREE, 20)) if failures >= FREE else 0)

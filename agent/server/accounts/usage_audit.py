"""Notes on the record what requests amount to: refusals, slowed attempts to sign in, originals taken away, use from another network.

All but the last are counted for some seconds and noted together: one entry for each request would cost more than the request.
"""

import asyncio
import ipaddress
import math
from collections import Counter, OrderedDict
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import partial
from typing import Final

import structlog

from agent.infrastructure.core.access_scope import everything
from agent.infrastructure.core.background import BackgroundTasks
from agent.interfaces.web.access import Principal, Scope
from agent.interfaces.web.client_address import network_of
from agent.server.accounts.audit_queries import Taken
from agent.server.accounts.queries import AccountQueries
from agent.server.accounts.rate_limits import RateLimits

log = structlog.get_logger()

REFUSED, DOWNLOADED, MOVED = "refused", "originals_downloaded", "used_elsewhere"
NOTED_AFTER_S: Final = 5.0
_MOST: Final = 10_000
_TOLD_EVERY: Final = timedelta(hours=1)
_LONGEST_MINUTES: Final = 1_440
_PREFIX: Final = {4: 24, 6: 48}  # what counts as one network: providers move their customers' addresses within it


@dataclass
class _Use:
    network: str
    at: datetime
    told_at: datetime | None = None


class UsageAudit:
    """Implements `agent.interfaces.web.access.Usage`. For one event loop."""

    def __init__(self, queries: AccountQueries, rates: RateLimits, clock: Callable[[], datetime]) -> None:
        self._queries = queries
        self._rates = rates
        self._clock = clock
        self._counts: Counter[tuple[str, str]] = Counter()  # by action and member
        self._taken: Counter[Taken] = Counter()
        self._slowed: Counter[tuple[str | None, str]] = Counter()  # by member and network
        self._uses: OrderedDict[tuple[str, int], _Use] = OrderedDict()  # by session or token, and the version of IP
        self._waiting: asyncio.TimerHandle | None = None
        self._notes = BackgroundTasks()

    async def entering(self, principal: Principal, scope: Scope) -> None:
        await self._rates.take(principal, scope)

    def refused(self, principal: Principal) -> None:
        self._count(REFUSED, principal)

    def slowed(self, member_id: str | None, network: str) -> None:
        """Count an attempt to sign in that was refused after too many failures; `member_id` is None for an unknown name."""
        self._slowed[member_id, network] += 1
        self._wait()

    def taken(self, principal: Principal, about: Mapping[str, str]) -> None:
        if principal.kind != "local":
            image_id, item_id = (int(about[name]) if name in about else None for name in ("image_id", "item_id"))
            self._taken[Taken(principal.id, image_id, item_id)] += 1
            self._wait()

    def used(self, about: str, member_id: str, address: str, *, opened_from: str = "", opened_at: datetime | None = None) -> None:
        """Note a use of a session or token if another network used it before; once an hour. `about` is such as `session 12`."""
        now, (version, network) = self._clock(), _wide(address)
        opened_version, opened = _wide(opened_from)
        known = self._uses.get((about, version))
        if known is None and opened_at is not None and opened_version == version:
            known = _Use(opened, opened_at)
        if known is None or not network:
            known = _Use(network, now)
        elif known.network != network:
            minutes = math.ceil((now - known.at) / timedelta(minutes=1))
            if minutes <= _LONGEST_MINUTES and (known.told_at is None or now - known.told_at >= _TOLD_EVERY):
                known.told_at = now
                self._note({(MOVED, member_id): max(1, minutes)}, about)
            known.network = network
        known.at = now
        self._uses[about, version] = known
        self._uses.move_to_end((about, version))
        while len(self._uses) > _MOST:
            self._uses.popitem(last=False)

    async def settle(self) -> None:
        """Note what is counted, and wait until all is noted."""
        self._write()
        await self._notes.ended()

    def _count(self, action: str, principal: Principal) -> None:
        if principal.kind == "local":
            return
        self._counts[action, principal.id] += 1
        self._wait()

    def _wait(self) -> None:
        if self._waiting is None:
            self._waiting = asyncio.get_running_loop().call_later(NOTED_AFTER_S, self._write)

    def _write(self) -> None:
        if self._waiting is not None:
            self._waiting.cancel()
            self._waiting = None
        if self._counts:
            counts, self._counts = self._counts, Counter()
            self._note(dict(counts), "")
        if self._slowed:
            slowed, self._slowed = self._slowed, Counter()
            self._begin(partial(self._queries.note_failed, dict(slowed), self._clock()))
        if self._taken:
            taken, self._taken = self._taken, Counter()
            self._begin(partial(self._queries.note_taken, DOWNLOADED, dict(taken), self._clock()))

    def _note(self, counts: dict[tuple[str, str], int], detail: str) -> None:
        self._begin(partial(self._queries.note, counts, self._clock(), detail))

    def _begin(self, write: Callable[[], None]) -> None:
        with everything():  # of many members
            self._notes.start(asyncio.to_thread(write), event="footprints.not_noted")


def _wide(address: str) -> tuple[int, str]:
    """The version of IP, and the network that an address belongs to; 0 and empty if it is none."""
    try:
        found = ipaddress.ip_address(network_of(address).partition("/")[0])
    except ValueError:
        return 0, ""
    return found.version, str(ipaddress.ip_network((found, _PREFIX[found.version]), strict=False))

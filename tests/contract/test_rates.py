"""Limits over each dialect, counted by several processes of a server together."""

from datetime import UTC, datetime, timedelta

import pytest

from agent.domain.errors import TooManyAttempts, TooManyRequests
from agent.infrastructure.store.database import Database
from agent.interfaces.web.access import Principal, Role, Scope
from agent.server.accounts.challenges import PER_MINUTE, CeremonyKind, ChallengeStore
from agent.server.accounts.queries import AccountQueries
from agent.server.accounts.rate_limits import LIMITS, RateLimits, RateStorage

MEI, BEN = (Principal("member", each * 32, each, Role.EDITOR, frozenset(Scope)) for each in "ab")


class Server:
    """Processes of a server on one database, at one time."""

    def __init__(self, database: Database) -> None:
        self.time = datetime(2026, 11, 30, tzinfo=UTC)
        self.queries = AccountQueries(database)

    def now(self) -> datetime:
        return self.time

    def rates(self) -> RateLimits:
        return RateLimits(RateStorage(self.queries, self.now), self.now)

    def ceremonies(self) -> ChallengeStore:
        return ChallengeStore(self.queries, RateStorage(self.queries, self.now), self.now)


@pytest.mark.parametrize("scope", LIMITS)
async def test_two_processes_allow_as_much_as_one(database: Database, scope: Scope) -> None:
    server = Server(database)
    both, most = (server.rates(), server.rates()), LIMITS[scope].amount
    for number in range(most):
        await both[number % 2].take(MEI, scope)
    for each in (*both, server.rates()):
        with pytest.raises(TooManyRequests) as refused:
            await each.take(MEI, scope)
        assert refused.value.params == {"seconds": 60}
    await both[0].take(BEN, scope)
    server.time += timedelta(seconds=60)
    for number in range(most):
        await both[number % 2].take(MEI, scope)


async def test_what_a_process_took_ends_with_its_minute(database: Database) -> None:
    server = Server(database)
    rates, most = server.rates(), LIMITS[Scope.PHOTOS_EXPORT].amount
    await rates.take(MEI, Scope.PHOTOS_EXPORT)
    server.time += timedelta(seconds=60)
    for _ in range(most):
        await rates.take(MEI, Scope.PHOTOS_EXPORT)
    with pytest.raises(TooManyRequests):
        await rates.take(MEI, Scope.PHOTOS_EXPORT)


async def test_most_exports_and_all_that_is_unlimited_ask_the_database_nothing(database: Database) -> None:
    server = Server(database)
    rates, before = server.rates(), database.uses
    for _ in range(100):
        await rates.take(MEI, Scope.PHOTOS_READ)
    assert database.uses == before
    for _ in range(100):
        await rates.take(MEI, Scope.PHOTOS_EXPORT)
    assert database.uses - before == 20, "ten times a count, and when it ends"


async def test_what_one_address_begins_counts_over_processes(database: Database) -> None:
    server = Server(database)
    both = server.ceremonies(), server.ceremonies()
    for number in range(PER_MINUTE.amount):
        await both[number % 2].begin(CeremonyKind.PASSKEY_SIGN_IN, "192.0.2.7")
    for each in both:
        with pytest.raises(TooManyAttempts) as refused:
            await each.begin(CeremonyKind.PROVIDER_SIGN_IN, "192.0.2.7")
        assert refused.value.params == {"seconds": 60}
    await both[0].begin(CeremonyKind.PASSKEY_SIGN_IN, "198.51.100.7")

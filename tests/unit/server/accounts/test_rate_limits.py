"""A limit by address counts a network as one, and what comes beyond it writes nothing."""

from datetime import UTC, datetime, timedelta

import pytest
from limits import RateLimitItemPerMinute
from limits.storage import MemoryStorage

from agent.domain.errors import TooManyAttempts
from agent.features.redaction.queries.redaction_queries import RedactionQueries
from agent.server.accounts.rate_limits import AddressLimit, RateStorage
from agent.server.accounts.throttle_queries import AttemptQueries


def test_an_address_has_so_many_and_those_beyond_cost_no_writing() -> None:
    written: list[str] = []

    class Counted(MemoryStorage):
        def incr(self, key: str, expiry: float, amount: int = 1) -> int:
            written.append(key)
            return super().incr(key, expiry, amount)

    limit = AddressLimit(Counted(), RateLimitItemPerMinute(3), lambda: datetime.now(UTC))
    for _ in range(3):
        limit.take("192.0.2.1")
    for _ in range(5):
        with pytest.raises(TooManyAttempts) as error:
            limit.take("192.0.2.1")
        assert 1 <= int(str(error.value.params["seconds"])) <= 61
    assert len(written) == 3
    limit.take("203.0.113.1")


def test_a_minute_of_a_clock_that_was_a_year_ahead_is_over(library: RedactionQueries) -> None:
    now = datetime(2026, 11, 29, 10, tzinfo=UTC)
    clock = [now + timedelta(days=365)]
    limit = AddressLimit(RateStorage(AttemptQueries(library.database), lambda: clock[0]), RateLimitItemPerMinute(3), lambda: clock[0])
    for clock[0] in (now + timedelta(days=365), now, now + timedelta(minutes=1)):
        for _ in range(3):
            limit.take("192.0.2.1")
        with pytest.raises(TooManyAttempts) as error:
            limit.take("192.0.2.1")
        assert error.value.params["seconds"] == 60

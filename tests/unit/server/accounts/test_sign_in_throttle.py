"""Guessing gets slower: for an account from one address, for an account from everywhere, and for an address."""

from datetime import UTC, datetime, timedelta

import pytest
from sqlalchemy import func, select

from agent.domain.errors import TooManyAttempts
from agent.features.redaction.queries.redaction_queries import RedactionQueries
from agent.infrastructure.store.schema import sign_in_attempt
from agent.interfaces.web.client_address import network_of
from agent.server.accounts.sign_in_throttle import FREE, LONGEST_WAIT_S, PER_ADDRESS, SignInAttempts
from agent.server.accounts.throttle_queries import FORGET, REMEMBER, AttemptQueries


class Clock:
    def __init__(self) -> None:
        self.time = datetime(2026, 11, 29, 10, tzinfo=UTC)

    def __call__(self) -> datetime:
        return self.time


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def attempts(library: RedactionQueries, clock: Clock) -> SignInAttempts:
    return SignInAttempts(AttemptQueries(library.database), clock)


async def wait_of(attempts: SignInAttempts, account: str, address: str) -> int:
    with pytest.raises(TooManyAttempts) as raised:
        await attempts.begin(account, address)
    return int(raised.value.params["seconds"])


async def test_the_wait_grows_with_each_failure_up_to_a_quarter_of_an_hour(attempts: SignInAttempts, clock: Clock) -> None:
    for _ in range(FREE):
        await attempts.begin("mei", "10.0.0.1")
    waits = []
    for _ in range(14):
        waits.append(await wait_of(attempts, "mei", "10.0.0.1"))
        clock.time += timedelta(seconds=waits[-1])
        await attempts.begin("mei", "10.0.0.1")
    assert waits == [1, 2, 4, 8, 16, 32, 64, 128, 256, 512, *[LONGEST_WAIT_S] * 4]
    await attempts.begin("mei", "10.0.0.2")  # from elsewhere she may
    await attempts.begin("ben", "10.0.0.1")


async def test_a_clock_that_was_a_year_ahead_locks_nobody_out(attempts: SignInAttempts, clock: Clock) -> None:
    now, clock.time = clock.time, clock.time + timedelta(days=365)
    for number in range(PER_ADDRESS[0]):
        await attempts.begin(account := f"mei{number // FREE}", "10.0.0.1")
        await attempts.failed(account, "10.0.0.1")
    assert await wait_of(attempts, "mei0", "10.0.0.1") == 600
    clock.time = now
    await attempts.begin("mei0", "10.0.0.1")
    await attempts.failed("mei0", "10.0.0.1")
    await attempts.begin("ben", "10.0.0.1")


async def test_an_attempt_counts_before_its_outcome_is_known(attempts: SignInAttempts) -> None:
    for _ in range(FREE):
        await attempts.begin("mei", "10.0.0.1")  # all at once
    assert await wait_of(attempts, "mei", "10.0.0.1") == 1


async def test_another_process_and_a_restart_count_on(attempts: SignInAttempts, library: RedactionQueries, clock: Clock) -> None:
    other = SignInAttempts(AttemptQueries(library.database), clock)
    for number in range(FREE):
        await (attempts if number % 2 else other).begin("mei", "10.0.0.1")
    assert await wait_of(attempts, "mei", "10.0.0.1") == await wait_of(other, "mei", "10.0.0.1") == 1


async def test_success_forgets_the_failures(attempts: SignInAttempts) -> None:
    for _ in range(FREE):
        await attempts.begin("mei", "10.0.0.1")
    await attempts.succeeded("mei", "10.0.0.1")
    for _ in range(FREE):
        await attempts.begin("mei", "10.0.0.1")
    assert await wait_of(attempts, "mei", "10.0.0.1") == 1


async def test_an_address_that_tries_many_names_is_refused_for_all(attempts: SignInAttempts, clock: Clock) -> None:
    for number in range(30):
        await attempts.begin(f"name {number}", "2001:db8::1")
        await attempts.failed(f"name {number}", "2001:db8::1")
    wait = await wait_of(attempts, "mei", "2001:db8:0:0:ffff::2")
    assert wait == 600, "the same /64"
    await attempts.begin("mei", "2001:db8:0:1::1")
    clock.time += timedelta(seconds=wait)
    await attempts.begin("mei", "2001:db8:0:0:ffff::2")


async def test_a_name_that_is_tried_from_many_addresses_is_refused_for_all(attempts: SignInAttempts) -> None:
    for number in range(100):
        await attempts.failed("mei", f"10.0.0.{number}")
    assert await wait_of(attempts, "mei", "10.0.1.1") == 3600
    await attempts.begin("ben", "10.0.1.1")


async def test_guesses_from_elsewhere_do_not_shut_a_member_out_who_was_here_before(attempts: SignInAttempts) -> None:
    await attempts.begin("mei", "10.9.9.9")
    await attempts.succeeded("mei", "10.9.9.9")
    for number in range(100):
        await attempts.failed("mei", f"10.0.0.{number}")
    assert await wait_of(attempts, "mei", "10.0.1.1") >= 1
    await attempts.begin("mei", "10.9.9.9")


async def test_names_that_no_member_can_have_shut_nobody_out(attempts: SignInAttempts) -> None:
    for number in range(120):
        await attempts.failed("", f"10.0.0.{number}")
    await attempts.begin("", "10.0.1.1")


async def test_what_is_remembered_expires_and_names_nobody(attempts: SignInAttempts, library: RedactionQueries, clock: Clock) -> None:
    await attempts.begin("mei", "10.0.0.1")
    await attempts.failed("mei", "10.0.0.1")
    await attempts.succeeded("ben", "10.0.0.1")
    with library.database.read() as tx:
        kept = list(tx.execute(select(sign_in_attempt.c.who)).scalars())
    assert len(kept) == 4 and all(len(each) == 64 and set(each) <= set("0123456789abcdef") for each in kept)
    for later, count in ((FORGET, 2), (REMEMBER, 1)):  # each with the attempt that made room
        clock.time += later
        await attempts.begin("eve", "10.0.0.1")
        with library.database.read() as tx:
            assert tx.execute(select(func.count()).select_from(sign_in_attempt)).scalar_one() == count


@pytest.mark.parametrize(
    ("address", "network"),
    [
        ("10.0.0.1", "10.0.0.1"),
        ("2001:db8:1:2:3::4", "2001:db8:1:2::/64"),
        ("fe80::1%eth0", "fe80::/64"),
        ("::ffff:10.0.0.1", "10.0.0.1"),
        ("", ""),
        ("not an address", ""),
    ],
)
def test_an_ipv6_network_counts_as_one_address(address: str, network: str) -> None:
    assert network_of(address) == network

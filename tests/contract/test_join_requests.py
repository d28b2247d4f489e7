"""Desktops that ask to join, over each dialect: two processes of a server know the same requests."""

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta

import pytest

from agent.domain.errors import JoinCodeGone, TooManyAttempts
from agent.infrastructure.store.database import Database
from agent.infrastructure.store.migrator import upgrade
from agent.server.accounts.throttle_queries import AttemptQueries
from agent.server.devices import join_queries
from agent.server.devices.join_queries import LASTS, MOST_OF_A_NETWORK, DeskGrant, JoinQueries
from agent.server.devices.joining import MOST_WRONG, Joining

MEI, BEN = "a" * 32, "b" * 32
GRANT = DeskGrant("token", "Mei", True)


class Two:
    """Two processes with one clock."""

    def __init__(self, database: Database) -> None:
        self.time = datetime(2026, 11, 29, 10, tzinfo=UTC)
        self.a, self.b = (Joining(JoinQueries(database), AttemptQueries(database), lambda: self.time) for _ in range(2))


@pytest.fixture
def two(database: Database) -> Iterator[Two]:
    upgrade(database)
    yield Two(database)
    database.close()


async def test_what_one_process_was_asked_the_other_decides_and_either_grants_once(two: Two) -> None:
    device_code, user_code = await two.a.ask("desk", "Linux", "10.0.0.1")
    assert (await two.b.find(user_code, MEI)).computer == "desk"
    assert (await two.b.decide(user_code, MEI, allow=True)).address == "10.0.0.1"
    with pytest.raises(JoinCodeGone):
        await two.a.decide(user_code, MEI, allow=False)  # it is decided once
    waiting = await two.a.take(device_code)
    assert waiting is not None and waiting.decided and waiting.grant is None
    await two.b.grant(user_code, GRANT)
    taken = await two.a.take(device_code)
    assert taken is not None and taken.grant == GRANT
    assert await two.b.take(device_code) is None


async def test_a_refusal_is_told_once(two: Two) -> None:
    device_code, user_code = await two.a.ask("desk", "Linux", "10.0.0.1")
    await two.a.decide(user_code, MEI, allow=False)
    taken = await two.b.take(device_code)
    assert taken is not None and taken.decided is False and taken.grant is None
    assert await two.a.take(device_code) is None


@pytest.mark.parametrize("typed", ["", "BCDF", "AAAA-AAAA", "bcdf-ghjk", "BCDF-GHJK-L"])
async def test_a_code_of_another_form_is_no_request_and_no_guess(two: Two, typed: str) -> None:
    _, user_code = await two.a.ask("desk", "Linux", "10.0.0.1")
    for _ in range(MOST_WRONG + 1):
        with pytest.raises(JoinCodeGone):
            await two.a.find(typed, MEI)
    assert (await two.a.find(user_code, MEI)).computer == "desk"


async def test_a_request_expires(two: Two) -> None:
    device_code, user_code = await two.a.ask("desk", "Linux", "10.0.0.1")
    two.time += LASTS
    with pytest.raises(JoinCodeGone):
        await two.b.find(user_code, MEI)
    assert await two.b.take(device_code) is None


async def test_wrong_codes_are_counted_over_both(two: Two) -> None:
    for number in range(MOST_WRONG):
        with pytest.raises(JoinCodeGone):
            await (two.a if number % 2 else two.b).find("BBBB-BBBB", MEI)
    _, user_code = await two.a.ask("desk", "Linux", "10.0.0.1")
    for each in (two.a, two.b):
        with pytest.raises(TooManyAttempts):
            await each.find(user_code, MEI)
        assert (await each.find(user_code, BEN)).computer == "desk"
    two.time += LASTS - timedelta(seconds=1)
    assert (await two.b.find(user_code, BEN)).computer == "desk"
    two.time += timedelta(seconds=1)
    with pytest.raises(JoinCodeGone):
        await two.a.find(user_code, MEI)  # she may try again


async def test_one_network_asks_only_so_often(two: Two) -> None:
    for number in range(MOST_OF_A_NETWORK):
        await (two.a if number % 2 else two.b).ask("desk", "Linux", "10.0.0.1")
    for each in (two.a, two.b):
        with pytest.raises(TooManyAttempts) as raised:
            await each.ask("desk", "Linux", "10.0.0.1")
        assert raised.value.params["seconds"] == LASTS.total_seconds()
        await each.ask("desk", "Linux", "10.0.0.2")
    two.time += LASTS
    await two.a.ask("desk", "Linux", "10.0.0.1")


async def test_strangers_from_many_networks_lock_nobody_out(two: Two, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(join_queries, "MOST", 40)
    device_code, user_code = await two.a.ask("mei's desk", "Linux", "192.0.2.1")
    granted, allowed = await two.a.ask("ben's desk", "Linux", "10.7.0.1")
    await two.b.decide(allowed, BEN, allow=True)
    for number in range(80):
        await (two.a if number % 2 else two.b).ask("stranger", "Linux", f"10.7.{number % 20}.{number}")
    assert (await two.b.find(user_code, MEI)).computer == "mei's desk", "the largest crowd makes room, not the oldest request"
    _, later = await two.b.ask("anna's desk", "Linux", "198.51.100.1")
    assert (await two.a.find(later, MEI)).computer == "anna's desk"
    await two.b.decide(user_code, MEI, allow=True)
    for code, computer in ((device_code, "mei's desk"), (granted, "ben's desk")):
        taken = await two.a.take(code)
        assert taken is not None and taken.computer == computer, "what a member decided makes room for nobody"


async def test_one_customers_networks_of_ipv6_are_one_crowd(two: Two, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(join_queries, "MOST", 20)
    _, user_code = await two.a.ask("desk", "Linux", "2001:db8:1:2::1")
    for number in range(60):
        await two.b.ask("stranger", "Linux", f"2001:db8:2:{number:x}::1")
    assert (await two.a.find(user_code, MEI)).computer == "desk"

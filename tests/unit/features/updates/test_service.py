"""The agent looks for updates when it is time, and not oftener; what it is told, it remembers."""

import asyncio
import contextlib
import itertools
from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from agent.domain.errors import UpdateManaged, UpdateNotReady, UpdateRolledBack, UpdatesOff, UpdateUnreachable
from agent.features.updates.releases import EVERY, FIRST_RETRY, UpdateState, UpdateStep
from agent.features.updates.service import UpdateActions, Updates

NOW = datetime(2026, 1, 10, tzinfo=UTC)


class World:
    """A clock that moves when the agent waits, and a server that always has the same to say."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch, state: UpdateState) -> None:
        self.state = state
        self.now = NOW
        self.asked: list[tuple[datetime, bool, bool, bool]] = []
        self.wanted = True
        self.restarts = self.settled = self.changed = 0
        self.error: UpdateUnreachable | None = None
        self.looked: Callable[[], None] = lambda: None
        self.made = Updates(
            lambda: self.state,
            self._ask,
            wanted=lambda: self.wanted,
            clock=lambda: self.now,
            actions=UpdateActions(self._restart, self._settle, self._dismiss_outcome),
            jitter=0.0,
        )
        self.made.changed.subscribe(self._change)
        monkeypatch.setattr("agent.features.updates.service.asyncio.sleep", self._sleep)

    async def _ask(self, check: bool, fetch: bool, patient: bool) -> None:
        self.asked.append((self.now, check, fetch, patient))
        failures = self.state.failures + 1 if self.error else 0
        self.state = replace(self.state, checked_at=self.now if check else self.state.checked_at, failures=failures, problem=self.error)
        self.looked()
        if self.error:
            raise self.error

    async def _sleep(self, seconds: float) -> None:
        self.now += timedelta(seconds=seconds)
        if self.now > NOW + timedelta(days=4):
            raise asyncio.CancelledError

    def _restart(self) -> None:
        self.restarts += 1

    def _dismiss_outcome(self) -> None:
        self.state = replace(self.state, outcome=None)

    def _change(self, _: None) -> None:
        self.changed += 1

    def _settle(self) -> None:
        self.settled += 1

    async def four_days(self) -> list[timedelta]:
        """How long the looks were apart."""
        with contextlib.suppress(asyncio.CancelledError):
            await self.made.run()
        times = [at for at, *_ in self.asked]
        return [later - before for before, later in itertools.pairwise(times)]


@pytest.fixture
def make(monkeypatch: pytest.MonkeyPatch) -> Callable[[UpdateState], World]:
    return lambda state: World(monkeypatch, state)


async def test_it_looks_once_a_day_and_never_at_once(make: Callable[[UpdateState], World]) -> None:
    world = make(UpdateState(UpdateStep.CURRENT, "stable"))
    apart = await world.four_days()
    assert 3 <= len(apart) <= 4 and all(EVERY <= each <= EVERY + timedelta(minutes=2) for each in apart)
    assert world.asked[0][0] >= NOW + timedelta(minutes=2) and world.asked[0][1:] == (True, True, True)
    assert world.settled == 1


async def test_a_restart_does_not_make_it_look_again(make: Callable[[UpdateState], World]) -> None:
    world = make(UpdateState(UpdateStep.CURRENT, "stable", checked_at=NOW - timedelta(hours=1)))
    await world.four_days()
    assert world.asked[0][0] >= NOW + timedelta(hours=23)


async def test_failures_make_it_look_ever_later(make: Callable[[UpdateState], World]) -> None:
    world = make(UpdateState(UpdateStep.CURRENT, "stable"))
    world.error = UpdateUnreachable()
    apart = await world.four_days()
    assert [round(each / FIRST_RETRY) for each in apart[:6]] == [1, 2, 4, 8, 16, 24]
    assert isinstance(world.made.state.problem, UpdateUnreachable)


async def test_what_could_not_be_downloaded_yet_is_looked_at_every_hour(make: Callable[[UpdateState], World]) -> None:
    world = make(UpdateState(UpdateStep.AVAILABLE, "stable", version="0.2.0", checked_at=NOW))
    apart = await world.four_days()
    assert all(abs(each - FIRST_RETRY) < timedelta(minutes=2) for each in apart)


async def test_switched_off_or_without_a_server_it_asks_nobody(make: Callable[[UpdateState], World]) -> None:
    world = make(UpdateState(UpdateStep.CURRENT, "stable"))
    world.wanted = False
    assert await world.four_days() == [] == world.asked
    world = make(UpdateState(UpdateStep.OFF, "stable"))
    assert await world.four_days() == [] == world.asked
    with pytest.raises(UpdatesOff):
        await world.made.check()
    with pytest.raises(UpdatesOff):
        await world.made.download()


async def test_a_check_of_the_future_does_not_keep_it_from_looking(make: Callable[[UpdateState], World]) -> None:
    world = make(UpdateState(UpdateStep.CURRENT, "stable", checked_at=NOW + timedelta(days=400)))
    await world.four_days()
    assert world.asked


async def test_only_what_is_ready_can_be_installed(make: Callable[[UpdateState], World]) -> None:
    with pytest.raises(UpdateNotReady):
        make(UpdateState(UpdateStep.AVAILABLE, "stable", version="0.2.0")).made.install()
    with pytest.raises(UpdateManaged):
        make(UpdateState(UpdateStep.MANAGED, "stable", version="0.2.0")).made.install()
    world = make(UpdateState(UpdateStep.READY, "stable", version="0.2.0"))
    world.made.install()
    assert world.restarts == 1 and world.made.ready == "0.2.0"


async def test_what_a_check_finds_is_fetched_in_the_background(make: Callable[[UpdateState], World]) -> None:
    world = make(UpdateState(UpdateStep.AVAILABLE, "stable", version="0.2.0"))
    fetched = asyncio.Event()
    world.looked = lambda: fetched.set() if len(world.asked) == 2 else None
    await world.made.check()
    await fetched.wait()
    assert [asked[1:] for asked in world.asked] == [(True, False, True), (False, True, True)]


async def test_a_word_of_the_user_is_asked_at_once_and_without_patience(make: Callable[[UpdateState], World]) -> None:
    world = make(UpdateState(UpdateStep.CURRENT, "stable"))
    assert (await world.made.check()).checked_at == NOW
    await world.made.download()
    assert [asked[1:] for asked in world.asked] == [(True, False, True), (False, True, False)]


async def test_what_was_taken_back_is_put_away_and_told_to_whoever_shows_it(make: Callable[[UpdateState], World]) -> None:
    world = make(UpdateState(UpdateStep.CURRENT, "stable", outcome=UpdateRolledBack(version="0.2.0")))
    assert world.made.state.outcome is not None
    assert (await world.made.dismiss_outcome()).outcome is None
    assert world.made.state.outcome is None and world.changed == 1


async def test_what_was_taken_back_is_not_put_away_while_the_child_writes(make: Callable[[UpdateState], World]) -> None:
    world = make(UpdateState(UpdateStep.CURRENT, "stable", outcome=UpdateRolledBack(version="0.2.0")))
    outcomes: list[object] = []
    world.looked = lambda: outcomes.append(world.state.outcome)
    await asyncio.gather(world.made.check(), world.made.dismiss_outcome())
    assert isinstance(outcomes[0], UpdateRolledBack) and world.made.state.outcome is None

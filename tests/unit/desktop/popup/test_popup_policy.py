"""When the popup shows itself: after photos were looked at, once a burst, unless the user sent it away."""

import asyncio
from collections.abc import AsyncIterator, Sequence
from datetime import UTC, datetime
from types import SimpleNamespace
from typing import Any, cast

import pytest
import pytest_asyncio
from structlog.testing import capture_logs

from agent.desktop.popup import popup_policy as module
from agent.desktop.popup.popup_policy import News, PopupPolicy
from agent.desktop.popup.ui_launcher import UiLauncher
from agent.domain.errors import NoDisplay, StoreBusy
from agent.domain.events import Event, ImageFailed, ImageIndexed, LocationAdded, LocationLost, PersonNamed, StoredEvent
from agent.features.library.status import AgentState, AgentStatus
from agent.infrastructure.core.settings import Settings, root_of
from tests.support.service_environment import environment

INDEXED = ImageIndexed(image_id=1, place_id=1, faces=1)


class FakeDesk:
    def __init__(self) -> None:
        self.shown = 0
        self.without_display = False
        self.asked = asyncio.Condition()

    async def show_popup(self) -> None:
        async with self.asked:
            self.shown += 1
            self.asked.notify_all()
        if self.without_display:
            raise NoDisplay


class Stage:
    def __init__(self) -> None:
        self.desk = FakeDesk()
        self.disturbs = False
        self.muted: set[int] = set()
        self.copies: set[int] = set()
        self.library_fails = False
        self.notified: list[list[tuple[int | None, int]]] = []
        folders = [{"path": "/quiet", "muted": True}, {"path": "/loud"}]
        self.environment = environment(Settings.model_validate({"folders": folders}))
        library = cast(Any, SimpleNamespace(place_by_id=self._place, covered_copies=self._copies))
        self.presenter = PopupPolicy(cast(UiLauncher, self.desk), library, self.environment, disturbs=self._disturbs, notify=self._notify)

    def _place(self, place_id: int) -> SimpleNamespace:
        if self.library_fails:
            raise StoreBusy
        return SimpleNamespace(path=root_of(f"/{'quiet' if place_id in self.muted else 'loud'}/{place_id}"))

    def _copies(self, image_ids: set[int]) -> set[int]:
        return self.copies & image_ids

    async def _disturbs(self) -> bool:
        return self.disturbs

    async def _notify(self, news: Sequence[News]) -> None:
        self.notified.append([(each.image_id, each.faces) for each in news])

    def happen(self, event: Event) -> None:
        self.presenter.happened(StoredEvent(1, datetime(2026, 1, 1, tzinfo=UTC), event))

    def status(self, state: AgentState, queued: int) -> None:
        self.presenter.status(AgentStatus(state, queued, 0, 0, 0, 0, None, (), None, Settings()))

    async def until_shown(self, times: int) -> None:
        async with asyncio.timeout(5), self.desk.asked:
            await self.desk.asked.wait_for(lambda: self.desk.shown == times)

    async def stays_away(self) -> None:
        shown = self.desk.shown
        for _ in range(20):
            await asyncio.sleep(0)
        assert self.desk.shown == shown


@pytest_asyncio.fixture
async def stage(monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[Stage]:
    monkeypatch.setattr(module, "LEAST_INTERVAL_S", 0.0)
    monkeypatch.setattr(module, "UNAVAILABLE_S", 0.0)
    made = Stage()
    task = asyncio.create_task(made.presenter.run())
    yield made
    task.cancel()
    await asyncio.wait([task])


@pytest.mark.parametrize("event", [INDEXED, ImageFailed(place_id=1, code="image.corrupt"), LocationAdded(image_id=1, place_id=2)])
async def test_it_comes_when_a_photo_was_looked_at(stage: Stage, event: Event) -> None:
    stage.happen(event)
    await stage.until_shown(1)


async def test_covered_copies_bring_nothing_up_but_what_comes_beside_them_does(stage: Stage) -> None:
    stage.copies = {7}
    stage.happen(ImageIndexed(image_id=7, place_id=9, faces=0))
    await stage.stays_away()
    stage.happen(ImageIndexed(image_id=7, place_id=9, faces=0))
    stage.happen(INDEXED)
    await stage.until_shown(1)


@pytest.mark.parametrize("event", [PersonNamed(person_id=1, face_id=1), LocationLost(place_id=1)])
async def test_other_news_bring_nothing_up(stage: Stage, event: Event) -> None:
    stage.happen(event)
    await stage.stays_away()


async def test_a_library_that_can_not_be_read_keeps_it_away_and_does_not_end_it(stage: Stage) -> None:
    stage.library_fails = True
    stage.happen(INDEXED)
    await stage.stays_away()
    stage.library_fails = False
    stage.happen(INDEXED)
    await stage.until_shown(1)


async def test_switched_off_it_never_comes(stage: Stage) -> None:
    stage.environment.settings.set(Settings.model_validate({"popup": {"enabled": False}}))
    stage.happen(INDEXED)
    await stage.stays_away()


@pytest.mark.parametrize("meanwhile", [AgentState.WORKING, AgentState.PAUSED, AgentState.ATTENTION])
async def test_sent_away_it_stays_away_till_the_work_is_done(stage: Stage, meanwhile: AgentState) -> None:
    stage.status(AgentState.WORKING, 9)
    stage.happen(INDEXED)
    await stage.until_shown(1)
    stage.presenter.sent_away()
    stage.status(meanwhile, 5)
    stage.happen(INDEXED)
    await stage.stays_away()
    stage.status(AgentState.IDLE, 0)
    await stage.stays_away()
    stage.happen(INDEXED)
    await stage.until_shown(2)


async def test_sent_away_after_the_work_it_comes_with_the_next_photo(stage: Stage) -> None:
    stage.status(AgentState.IDLE, 0)
    stage.presenter.sent_away()
    stage.happen(INDEXED)
    await stage.until_shown(1)


async def test_without_a_display_this_is_said_once(stage: Stage) -> None:
    stage.desk.without_display = True
    with capture_logs() as lines:
        for times in (1, 2, 3):
            stage.happen(INDEXED)
            await stage.until_shown(times)
            await stage.stays_away()
    assert [line["event"] for line in lines] == ["popup.unavailable"]


async def test_where_it_cant_show_itself_a_notification_says_how_many(stage: Stage) -> None:
    stage.desk.without_display = True
    stage.happen(ImageIndexed(image_id=1, place_id=1, faces=3))
    stage.happen(ImageIndexed(image_id=2, place_id=2, faces=2))
    stage.happen(ImageFailed(place_id=3, code="image.corrupt"))
    await stage.until_shown(1)
    await stage.stays_away()
    stage.happen(ImageFailed(place_id=3, code="image.corrupt"))
    await stage.until_shown(2)
    await stage.stays_away()
    assert stage.notified == [[(1, 3), (2, 2)]]


async def test_it_stays_away_while_it_would_disturb(stage: Stage) -> None:
    stage.disturbs = stage.desk.without_display = True
    stage.happen(INDEXED)
    await stage.stays_away()
    assert stage.notified == [], "nor is there a notification"
    stage.disturbs = False
    await stage.stays_away()
    stage.happen(INDEXED)
    await stage.until_shown(1)


async def test_photos_of_muted_folders_bring_nothing_up(stage: Stage) -> None:
    stage.muted = {1}
    stage.happen(INDEXED)
    await stage.stays_away()
    stage.happen(INDEXED)
    stage.happen(ImageIndexed(image_id=2, place_id=2, faces=0))
    await stage.until_shown(1)

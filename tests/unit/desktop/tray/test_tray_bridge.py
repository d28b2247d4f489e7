"""Clicks become calls in the loop; what the tray shows is the newest status, in the program's language."""

import asyncio
from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from types import SimpleNamespace
from typing import Any, cast

import pytest

from agent.desktop.popup.ui_launcher import UiLauncher
from agent.desktop.tray import tray_bridge
from agent.desktop.tray.tray import TrayActions, TrayModel, TrayState
from agent.desktop.tray.tray_bridge import TrayBridge, TrayServices
from agent.domain.errors import AgentError, CaptureCancelled, EngineMemory, NoDisplay, WatchUnavailable
from agent.domain.screen import WatchState
from agent.features.library.status import AgentState, AgentStatus
from agent.inference.engine.load_limiter import Throttle
from agent.infrastructure.core.i18n import Texts
from agent.infrastructure.core.settings import Settings


class FakeTray:
    def __init__(self, actions: TrayActions, texts: Texts, model: TrayModel) -> None:
        self.actions, self.texts = actions, texts
        self.shown: list[TrayModel] = [model]

    def update(self, model: TrayModel, texts: Texts | None = None) -> None:
        self.shown.append(model)
        self.texts = texts or self.texts


class FakeWatching:
    def __init__(self) -> None:
        self.refused: AgentError | None = None
        self.snoozed: list[object] = []

    async def snooze(self, minutes: int | None, *, until_tomorrow: bool) -> None:
        self.snoozed.append("tomorrow" if until_tomorrow else minutes)


class FakeApp:
    def __init__(self) -> None:
        self.told: Callable[[AgentStatus], None] = lambda _: None
        self.images: list[Any] = []
        self.reads = 0
        self.put: int | None = -1
        self.indexer = SimpleNamespace(paused=False, pause=self.pause, resume=self.resume)
        self.quiet = SimpleNamespace(put_off=self.put_off)
        self.status = SimpleNamespace(listen=self._listen)
        self.library = SimpleNamespace(images=self._images)
        self.screen = SimpleNamespace(watching=FakeWatching())
        self.during_read: Callable[[], None] = lambda: None

    def _listen(self, listener: Callable[[AgentStatus], None]) -> None:
        self.told = listener

    def _images(self, limit: int) -> list[Any]:
        self.reads += 1
        self.during_read()
        return self.images

    async def put_off(self, minutes: int | None) -> None:
        self.put = minutes

    def pause(self) -> None:
        self.indexer.paused = True

    def resume(self) -> None:
        self.indexer.paused = False


class FakeDesk:
    def __init__(self) -> None:
        self.asked: list[str] = []
        self.folder: str | None = "/photos"

    async def show_popup(self) -> None:
        self.asked.append("show")
        raise NoDisplay

    async def open_browser(self, at: str) -> None:
        self.asked.append(at)

    async def choose_folder(self, title: str, language: str) -> str | None:
        self.asked.append(title)
        return self.folder


class Stage:
    def __init__(self) -> None:
        self.language = "en"
        self.scanned: list[str] = []
        self.app, self.desk = FakeApp(), FakeDesk()
        self.captured = 0
        self.watched: list[bool] = []
        self.bridge = TrayBridge(lambda: Texts(self.language), quit=lambda: None)
        self.tray = cast(FakeTray, self.bridge.tray)

    async def _capture(self) -> None:
        self.captured += 1
        raise CaptureCancelled  # which is nobody's business

    async def _watch(self, on: bool) -> None:
        self.watched.append(on)

    async def _scan(self, path: str) -> None:
        self.scanned.append(path)

    def connect(self) -> None:
        app: Any = self.app
        services = TrayServices(app.library, app.indexer, app.status, app.quiet, app.screen, cast(UiLauncher, self.desk))
        self.bridge.connect(services, scan=self._scan, capture=self._capture, watch=self._watch)

    async def settled(self) -> None:
        await asyncio.sleep(0)
        await self.bridge._calls.ended()


def status(state: AgentState, images: int = 0, queued: int = 0) -> AgentStatus:
    return AgentStatus(state, queued, 0, images, 0, 0, None, (), None, Settings())


@pytest.fixture
def stage(monkeypatch: pytest.MonkeyPatch) -> Stage:
    monkeypatch.setattr(tray_bridge, "Tray", FakeTray)
    return Stage()


async def test_of_the_clicks_while_it_starts_the_last_is_done_when_it_has(stage: Stage) -> None:
    assert stage.tray.shown[-1].state is TrayState.STARTING
    stage.tray.actions.capture()
    stage.tray.actions.open()
    await stage.settled()
    assert stage.desk.asked == []
    stage.connect()
    await stage.settled()
    assert (stage.desk.asked, stage.captured) == (["show"], 0)


async def test_the_screen_is_watched_and_snoozed_from_the_tray_unless_it_can_not_be(stage: Stage) -> None:
    stage.connect()
    stage.tray.actions.watch(True)
    for span in (15, "tomorrow", None):
        stage.tray.actions.snooze(span)
    await stage.settled()
    assert stage.watched == [True] and stage.app.screen.watching.snoozed == [15, "tomorrow", None]
    stage.app.told(replace(status(AgentState.IDLE), watch=WatchState.SNOOZED, watch_until=datetime.now(UTC)))
    await stage.settled()
    shown = stage.tray.shown[-1].watch
    assert shown is not None and shown.state == "snoozed" and shown.until
    stage.app.screen.watching.refused = WatchUnavailable()
    stage.app.told(status(AgentState.WORKING))
    await stage.settled()
    assert stage.tray.shown[-1].watch is None


async def test_clicks_reach_the_desk_and_the_agent(stage: Stage) -> None:
    stage.connect()
    stage.tray.actions.open()  # there is no display: said in the log, nothing breaks
    await stage.settled()
    stage.tray.actions.capture()
    await stage.settled()
    assert stage.captured == 1
    stage.tray.actions.scan_folder()
    await stage.settled()
    stage.desk.folder = None
    stage.tray.actions.scan_folder()
    await stage.settled()
    assert stage.desk.asked[0] == "show" and stage.scanned == ["/photos"]
    for paused in (True, False):
        stage.tray.actions.toggle_pause()
        await stage.settled()
        assert stage.app.indexer.paused is paused


async def test_quiet_is_asked_for_and_said_with_its_end(stage: Stage) -> None:
    stage.connect()
    for minutes in (240, None):
        stage.tray.actions.set_quiet(minutes)
        await stage.settled()
        assert stage.app.put == minutes
    later = datetime.now(UTC) + timedelta(days=9)
    stage.app.told(replace(status(AgentState.IDLE), quiet_until=later))
    await stage.settled()
    assert stage.tray.shown[-1].quiet_until == f"{later.astimezone():%Y-%m-%d %H:%M}"


@pytest.mark.parametrize(
    ("now", "shown"),
    [(AgentState.WORKING, TrayState.LIMITED), (AgentState.IDLE, TrayState.LIMITED), (AgentState.ATTENTION, TrayState.ATTENTION)],
)
async def test_a_passed_memory_limit_is_a_state_of_its_own_until_it_is_over(stage: Stage, now: AgentState, shown: TrayState) -> None:
    stage.connect()
    stage.app.told(replace(status(now), warning=EngineMemory(megabytes=900, limit=600)))
    await stage.settled()
    assert stage.tray.shown[-1].state is shown
    stage.app.told(status(now))
    await stage.settled()
    assert stage.tray.shown[-1].state == TrayState(now.value)


async def test_why_the_work_is_slow_is_said(stage: Stage) -> None:
    stage.connect()
    stage.app.told(replace(status(AgentState.WORKING, queued=3), throttled=Throttle.BATTERY))
    await stage.settled()
    assert stage.tray.shown[-1].throttled == "battery"


async def test_a_recent_result_opens_the_library_at_its_photo(stage: Stage) -> None:
    stage.connect()
    stage.tray.actions.show_recent(12)
    await stage.settled()
    assert stage.desk.asked == ["photo-12"]


async def test_the_newest_photos_are_read_only_when_there_are_others(stage: Stage) -> None:
    stage.connect()
    stage.app.images = [SimpleNamespace(id=7, places=((1, "/photos/a.jpg"),), faces=(1, 2)), SimpleNamespace(id=6, places=(), faces=())]
    for _ in range(2):
        stage.app.told(status(AgentState.WORKING, images=2, queued=3))
        await stage.settled()
    (recent,) = stage.tray.shown[-1].recent
    assert (recent.id, recent.name, recent.faces) == (7, "a.jpg", 2) and stage.app.reads == 1
    assert (stage.tray.shown[-1].state, stage.tray.shown[-1].left) == (TrayState.WORKING, 3)


async def test_an_older_status_never_overtakes_a_newer_one(stage: Stage) -> None:
    stage.connect()
    loop = asyncio.get_running_loop()
    told = asyncio.Event()

    def newer_comes() -> None:
        stage.app.during_read = lambda: None
        loop.call_soon_threadsafe(stage.app.told, status(AgentState.IDLE, images=5))
        loop.call_soon_threadsafe(told.set)
        asyncio.run_coroutine_threadsafe(told.wait(), loop).result(5)

    stage.app.during_read = newer_comes
    stage.app.told(status(AgentState.WORKING, images=5, queued=1))
    await stage.settled()
    assert stage.tray.shown[-1].state is TrayState.IDLE


async def test_another_language_changes_the_words_not_the_state(stage: Stage) -> None:
    stage.connect()
    stage.app.told(status(AgentState.PAUSED, queued=2))
    await stage.settled()
    stage.language = "zh-CN"
    stage.bridge.refresh_texts()
    assert stage.tray.texts.language == "zh-CN"
    assert stage.tray.shown[-1] == stage.tray.shown[-2] and stage.tray.shown[-1].paused

"""The tray's model: what each state shows, and what its entries call."""

import signal
import threading
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from PIL import Image

from agent.desktop.tray.tray import RECENT, RecentResult, Tray, TrayActions, TrayModel, TrayState, TrayWatch, label, menu_items, title
from agent.inference.engine.load_limiter import Throttle
from agent.infrastructure.core.i18n import Texts
from agent.infrastructure.core.resources import resource

EN, ZH = Texts("en"), Texts("zh-CN")


class FakeIcon:
    """Stands for pystray's icon, and for its loop."""

    def __init__(self, name: str, icon: Any, title: str, menu: Any) -> None:
        self.name, self.icon, self.title, self.menu = name, icon, title, menu
        self.visible = False
        self.rebuilt = 0
        self.loop = threading.Event()

    def run(self, setup: Callable[["FakeIcon"], None]) -> None:
        setup(self)
        assert self.loop.wait(10)

    def stop(self) -> None:
        self.loop.set()

    def update_menu(self) -> None:
        self.rebuilt += 1

    def texts(self) -> list[str]:
        return [item.text for item in self.menu]

    def choose(self, text: str) -> None:
        next(item for item in self.menu if item.text == text)(self)


def picture(icon: FakeIcon) -> str:
    """The name of the file that the icon shows: Linux gets its path, other systems its content."""
    if isinstance(icon.icon, Path):
        return icon.icon.name
    [name] = {file.name for file in resource("icons").glob("tray-*.png") if Image.open(file).tobytes() == icon.icon.tobytes()}
    return name


class Calls:
    """Notes which actions were called."""

    def __init__(self) -> None:
        self.made: list[object] = []
        self.actions = TrayActions(
            open=lambda: self.made.append("open"),
            capture=lambda: self.made.append("capture"),
            scan_folder=lambda: self.made.append("scan"),
            toggle_pause=lambda: self.made.append("pause"),
            show_recent=self.made.append,
            set_quiet=self.made.append,
            watch=lambda on: self.made.append(("watch", on)),
            snooze=lambda span: self.made.append(("snooze", span)),
            show_update=lambda: self.made.append("update"),
            quit=lambda: self.made.append("quit"),
        )


@pytest.fixture
def calls() -> Calls:
    return Calls()


@pytest.fixture
def made(calls: Calls) -> tuple[Tray, FakeIcon]:
    icon: list[FakeIcon] = []

    def backend(*args: Any) -> FakeIcon:
        icon.append(FakeIcon(*args))
        return icon[0]

    return Tray(calls.actions, EN, backend=backend), icon[0]


@pytest.mark.parametrize(
    ("model", "english", "chinese"),
    [
        (TrayModel(), "AI Popup", "AI 弹窗助手"),
        (TrayModel(TrayState.WORKING, left=1), "AI Popup — 1 photo left", "AI 弹窗助手 — 还剩 1 张照片"),
        (TrayModel(TrayState.WORKING, left=3200), "AI Popup — 3,200 photos left", "AI 弹窗助手 — 还剩 3,200 张照片"),
        (TrayModel(TrayState.STARTING), "AI Popup — starting", "AI 弹窗助手 — 正在启动"),
        (TrayModel(TrayState.PAUSED, paused=True), "AI Popup — paused", "AI 弹窗助手 — 已暂停"),
        (TrayModel(TrayState.ATTENTION), "AI Popup — needs your attention", "AI 弹窗助手 — 需要你处理"),
        (TrayModel(TrayState.LIMITED), "AI Popup — a part of it used too much memory", "AI 弹窗助手 — 有一个部分内存超限"),
        (TrayModel(TrayState.PAUSED, throttled="battery_low"), "AI Popup — paused, battery low", "AI 弹窗助手 — 已暂停，电量低"),
        (TrayModel(watch=TrayWatch()), "AI Popup", "AI 弹窗助手"),
        (TrayModel(watch=TrayWatch("on")), "AI Popup, watching the screen", "AI 弹窗助手，正在监看屏幕"),
        (TrayModel(watch=TrayWatch("snoozed", "15:00")), "AI Popup, watching paused until 15:00", "AI 弹窗助手，监看已暂停，到 15:00"),
        (TrayModel(quiet_until="15:00"), "AI Popup, do not disturb until 15:00", "AI 弹窗助手，免打扰到 15:00"),
    ],
)
def test_the_title_says_what_goes_on(model: TrayModel, english: str, chinese: str) -> None:
    assert title(model, EN) == english
    assert title(model, ZH) == chinese


def test_the_menu_has_its_entries_in_order_and_a_click_opens(made: tuple[Tray, FakeIcon], calls: Calls) -> None:
    _, icon = made
    assert icon.texts() == ["Open", "Capture…", "Scan a folder…", "Pause", "Recent results", "Do not disturb", "- - - -", "Quit"]
    icon.menu(icon)  # what a click on the icon does
    for text in ("Capture…", "Scan a folder…", "Pause", "Quit"):
        icon.choose(text)

    assert calls.made == ["open", "capture", "scan", "pause", "quit"]


def test_quiet_is_asked_for_in_the_menu_and_ended_there(calls: Calls) -> None:
    items: list[Any] = list(menu_items(TrayModel(), EN, calls.actions))
    entries = list(items[5].submenu)
    assert [entry.text for entry in entries] == ["30 minutes", "1 hour", "4 hours", "8 hours"]
    entries[2](None)
    items = list(menu_items(TrayModel(quiet_until="15:00"), EN, calls.actions))
    assert items[5].text == "Do not disturb until 15:00: end it"
    items[5](None)
    assert calls.made == [240, None]


def test_an_eye_is_open_while_the_screen_is_watched_and_only_then(made: tuple[Tray, FakeIcon]) -> None:
    tray, icon = made
    seen = []
    for state in ("off", "on", "call", "snoozed", "on"):
        tray.update(TrayModel(TrayState.WORKING, watch=TrayWatch(state)))
        seen.append(picture(icon))
    assert seen == ["tray-working.png", "tray-working-watching.png", "tray-working.png", "tray-working.png", "tray-working-watching.png"]
    assert icon.rebuilt == 5


def test_watching_is_begun_stopped_and_snoozed_in_the_menu(calls: Calls) -> None:
    def entry(state: str) -> Any:
        return list[Any](menu_items(TrayModel(watch=TrayWatch(state)), EN, calls.actions))[6]

    entry("off")(None)
    items = list(entry("on").submenu)
    assert [item.text for item in items] == ["Stop watching", "Pause for 15 minutes", "Pause for 1 hour", "Pause until tomorrow"]
    for item in items:
        item(None)
    assert [item.text for item in entry("snoozed").submenu] == ["Stop watching", "Resume watching"]
    list(entry("snoozed").submenu)[1](None)
    snoozed = [("snooze", span) for span in (15, 60, "tomorrow", None)]
    assert calls.made == [("watch", True), ("watch", False), *snoozed]


def test_a_quiet_time_that_begins_or_ends_is_in_the_menu_at_once(made: tuple[Tray, FakeIcon]) -> None:
    tray, icon = made
    tray.update(TrayModel(left=3))
    assert icon.rebuilt == 0, "the menu has no number"
    tray.update(TrayModel(left=3, quiet_until="15:00"))
    assert icon.rebuilt == 1


@pytest.mark.parametrize("texts", [EN, ZH])
def test_every_reason_fits_into_the_title_of_windows(texts: Texts) -> None:
    for throttled in Throttle:
        model = TrayModel(TrayState.WORKING, left=100_000, throttled=throttled, quiet_until=texts("time.tomorrow", time="08:00"))
        said = title(model, texts)
        assert f"tray.throttled.{throttled}" not in said
        assert len(said) < 127


def test_a_paused_agent_offers_to_resume(calls: Calls) -> None:
    items: list[Any] = list(menu_items(TrayModel(TrayState.ATTENTION, paused=True), ZH, calls.actions))

    assert items[3].text == "继续"


def test_recent_results_are_the_newest_five_and_hand_back_their_ids(calls: Calls) -> None:
    results = tuple(RecentResult(number, f"IMG_{number}.JPG", number) for number in range(9, 0, -1))
    items: list[Any] = list(menu_items(TrayModel(recent=results), EN, calls.actions))
    entries = list(items[4].submenu)

    assert [entry.text for entry in entries][:2] == ["IMG_9.JPG — 9 faces", "IMG_8.JPG — 8 faces"]
    assert len(entries) == RECENT
    entries[1](None)
    assert calls.made == [8]


def test_a_name_that_looks_like_a_place_stays_a_name(calls: Calls) -> None:
    items: list[Any] = list(menu_items(TrayModel(recent=(RecentResult(1, "{count}.JPG", 1),)), EN, calls.actions))

    assert [entry.text for entry in items[4].submenu] == ["{count}.JPG — 1 face"]


def test_without_results_the_submenu_says_so(calls: Calls) -> None:
    items: list[Any] = list(menu_items(TrayModel(), EN, calls.actions))
    (entry,) = items[4].submenu

    assert (entry.text, entry.enabled) == ("No photos yet", False)


def test_a_long_name_keeps_its_beginning_and_its_end() -> None:
    short = label("a" * 100 + "_final.jpeg")

    assert len(short) == 40
    assert short.startswith("aaaa")
    assert short.endswith("_final.jpeg")


def test_an_update_changes_picture_title_and_menu_only_where_needed(made: tuple[Tray, FakeIcon]) -> None:
    tray, icon = made
    tray.update(TrayModel(TrayState.WORKING, left=2))
    assert picture(icon) == "tray-working.png"
    assert icon.title == "AI Popup — 2 photos left"
    assert icon.rebuilt == 0

    tray.update(TrayModel(TrayState.WORKING, left=2, recent=(RecentResult(1, "a.jpg", 0),)))
    assert icon.rebuilt == 1
    tray.update(TrayModel(TrayState.WORKING, left=2, recent=(RecentResult(1, "a.jpg", 0),)))
    assert icon.rebuilt == 1


def test_another_language_rebuilds_the_menu(made: tuple[Tray, FakeIcon]) -> None:
    tray, icon = made
    tray.update(TrayModel(), ZH)

    assert icon.rebuilt == 1
    assert icon.texts()[-1] == "退出"
    assert icon.title == "AI 弹窗助手"


def test_it_shows_the_icon_and_returns_when_stopped(made: tuple[Tray, FakeIcon]) -> None:
    tray, icon = made
    stopper = threading.Timer(0.05, tray.stop)
    stopper.start()
    tray.run()
    stopper.join()

    assert icon.visible


def test_stopped_before_it_ran_it_returns_at_once(made: tuple[Tray, FakeIcon]) -> None:
    tray, icon = made
    tray.stop()
    icon.loop.clear()  # pystray forgets a stop that comes before its loop
    tray.run()


def test_ctrl_c_ends_it(made: tuple[Tray, FakeIcon]) -> None:
    tray, _ = made
    presser = threading.Timer(0.05, signal.raise_signal, [signal.SIGINT])
    presser.start()
    tray.run()
    presser.join()


def test_a_version_that_waits_or_was_taken_back_stands_above_quit(made: tuple[Tray, FakeIcon], calls: Calls) -> None:
    tray, icon = made
    assert [item.text for item in icon.menu][-1] == "Quit" and not any("Version" in item.text for item in icon.menu)
    tray.update(TrayModel(update="0.2.0"))
    icon.choose("Version 0.2.0 is ready…")
    tray.update(TrayModel(taken_back="0.2.0"))
    icon.choose("Version 0.2.0 didn’t start and was rolled back…")
    assert calls.made == ["update", "update"]

"""The tray icon on real trays of both kinds: seen by its colour, used by mouse and keyboard."""

import signal
import time
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from PIL import Image

if TYPE_CHECKING:
    from tests.browser.conftest import Desktop, Program

COLOURS = {"idle": (10, 200, 120), "working": (250, 180, 10), "paused": (90, 90, 250), "attention": (250, 20, 60)}

# Pausing answers from a thread of its own, as the agent does.
PROGRAM = """
import sys, threading
from pathlib import Path
from agent.desktop.system.display import tray_available
from agent.desktop.tray.tray import RecentResult, Tray, TrayActions, TrayModel, TrayState
from agent.infrastructure.core.i18n import Texts

def pause():
    print("pause")
    threading.Thread(target=tray.update, args=[TrayModel(TrayState.PAUSED, paused=True, recent=recent)]).start()

def leave():
    print("quit")
    tray.stop()

print("available", tray_available(10))
recent = (RecentResult(7, "IMG_1.JPG", 3), RecentResult(8, "Tom & Mei.JPG", 1))
actions = TrayActions(
    open=lambda: print("open"),
    capture=lambda: print("capture"),
    scan_folder=lambda: print("scan"),
    toggle_pause=pause,
    show_recent=lambda image: print("recent", image),
    set_quiet=lambda minutes: print("quiet", minutes),
    watch=lambda on: print("watch", on),
    snooze=lambda span: print("snooze", span),
    show_update=lambda: print("update"),
    quit=leave,
)
tray = Tray(actions, Texts("en"), TrayModel(recent=recent), icons=Path(sys.argv[1]))
tray.run()
print("returned")
"""


@pytest.fixture(scope="module")
def icons(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Icons in colours that nothing else on the screen has."""
    folder = tmp_path_factory.mktemp("icons")
    for state, colour in COLOURS.items():
        Image.new("RGBA", (64, 64), (*colour, 255)).save(folder / f"tray-{state}.png")
    return folder


@pytest.fixture(params=["desktop", "panel_desktop"])
def tray_desktop(request: pytest.FixtureRequest) -> "Desktop":
    """Each test runs on both kinds of tray."""
    session: Desktop = request.getfixturevalue(request.param)
    return session


@pytest.fixture
def tray(tray_desktop: "Desktop", icons: Path) -> "Program":
    """The program with its icon shown."""
    program = tray_desktop.python(PROGRAM, str(icons))
    program.printed("available True")
    tray_desktop.appears(COLOURS["idle"])
    return program


def test_a_click_on_the_icon_opens(tray_desktop: "Desktop", tray: "Program") -> None:
    tray_desktop.click(tray_desktop.appears(COLOURS["idle"]))

    tray.printed("open")


def test_the_menu_works_by_keyboard_and_the_icon_follows_the_state(tray_desktop: "Desktop", tray: "Program", tmp_path: Path) -> None:
    tray_desktop.open_menu(tray_desktop.appears(COLOURS["idle"]))
    tray_desktop.screenshot(tmp_path / "menu.png")
    tray_desktop.keys("Down", "Down", "Down", "Down", "Return")

    tray.printed("pause")
    tray_desktop.appears(COLOURS["paused"])
    assert tray_desktop.find(COLOURS["idle"]) is None


def test_a_recent_result_is_chosen_from_the_submenu(tray_desktop: "Desktop", tray: "Program", tmp_path: Path) -> None:
    tray_desktop.open_menu(tray_desktop.appears(COLOURS["idle"]))
    tray_desktop.keys("Down", "Down", "Down", "Down", "Down", "Right")
    time.sleep(0.5)
    tray_desktop.screenshot(tmp_path / "submenu.png")
    tray_desktop.keys("Down", "Return")

    tray.printed("recent 8")


def test_quiet_is_asked_for_in_its_submenu(tray_desktop: "Desktop", tray: "Program", tmp_path: Path) -> None:
    tray_desktop.open_menu(tray_desktop.appears(COLOURS["idle"]))
    tray_desktop.keys("Down", "Down", "Down", "Down", "Down", "Down", "Right")
    time.sleep(0.5)
    tray_desktop.screenshot(tmp_path / "submenu.png")
    tray_desktop.keys("Down", "Return")

    tray.printed("quiet 60")


def test_quit_takes_the_icon_away_and_ends_the_program(tray_desktop: "Desktop", tray: "Program") -> None:
    tray_desktop.open_menu(tray_desktop.appears(COLOURS["idle"]))
    tray_desktop.keys("Up", "Return")

    tray.printed("returned")
    assert tray.ended() == 0
    tray_desktop.disappears(COLOURS["idle"])


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_a_signal_ends_the_loop_at_once(tray_desktop: "Desktop", tray: "Program", number: signal.Signals) -> None:
    tray.process.send_signal(number)

    assert tray.ended() == 0
    assert tray.lines[-1] == "returned"

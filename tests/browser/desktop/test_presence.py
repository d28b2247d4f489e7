"""Whether the user is busy, on a real desktop: a window that fills the screen, and a session that is kept awake."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from agent.desktop.system.presence import Presence, presence

if TYPE_CHECKING:
    from collections.abc import Callable

    from tests.browser.conftest import Desktop

WINDOW = """
import sys
from PySide6.QtWidgets import QApplication, QWidget
app = QApplication(["film"])
window = QWidget()
window.setWindowTitle("film")
window.showFullScreen() if sys.argv[1] == "full" else window.show()
app.exec()
"""

SESSION = """
from jeepney import MessageType, new_method_return
from jeepney.bus_messages import message_bus
from jeepney.io.blocking import open_dbus_connection
bus = open_dbus_connection("SESSION")
bus.send_and_get_reply(message_bus.RequestName("org.gnome.SessionManager"))
print("ready", flush=True)
while True:
    call = bus.receive()
    if call.header.message_type == MessageType.method_call:
        bus.send(new_method_return(call, "b", (call.body == (8,),)))
"""


def test_a_window_that_fills_the_screen_is_seen(on_desktop: Desktop, until: Callable[[Callable[[], bool], str], None]) -> None:
    assert presence() == Presence()
    ordinary = on_desktop.python(WINDOW, "small")
    on_desktop.window("film")
    until(lambda: bool(on_desktop.focused()), "an active window")
    assert presence() == Presence()
    ordinary.process.kill()
    ordinary.ended()
    film = on_desktop.python(WINDOW, "full")
    until(lambda: presence().fullscreen, "full screen")
    film.process.kill()
    film.ended()
    until(lambda: not presence().fullscreen, "no full screen")


def test_a_session_that_is_kept_awake_is_a_presentation(on_panel_desktop: Desktop) -> None:
    assert not presence().presenting
    on_panel_desktop.python(SESSION).printed("ready")
    assert presence() == Presence(fullscreen=False, presenting=True)


def test_without_a_display_nobody_is_occupied(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("DISPLAY", ":4711")
    monkeypatch.setenv("DBUS_SESSION_BUS_ADDRESS", "disabled:")
    assert presence() == Presence()

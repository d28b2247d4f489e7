"""A real session bus of its own, with a stand-in for the file manager."""

import shutil
import subprocess
import sys
from collections.abc import Iterator

import pytest

from agent.desktop.system import session_bus

pytestmark = pytest.mark.skipif(shutil.which("dbus-daemon") is None, reason="needs dbus-daemon")

MANAGER = """
from jeepney import HeaderFields, MessageType, new_error, new_method_return
from jeepney.io.blocking import open_dbus_connection
from jeepney.bus_messages import message_bus

bus = open_dbus_connection("SESSION")
bus.send_and_get_reply(message_bus.RequestName("org.freedesktop.FileManager1"))
print("ready", flush=True)
while True:
    call = bus.receive()
    if call.header.message_type == MessageType.method_call:
        uris, _ = call.body
        known = all(uri.startswith("file:///photos/") for uri in uris)
        bus.send(new_method_return(call) if known else new_error(call, "org.freedesktop.DBus.Error.Failed"))
"""


@pytest.fixture
def file_manager(bus: None) -> Iterator[None]:
    manager = subprocess.Popen([sys.executable, "-c", MANAGER], stdout=subprocess.PIPE, text=True)
    with manager:
        assert manager.stdout is not None
        assert manager.stdout.readline() == "ready\n"
        yield
        manager.terminate()


def test_a_service_that_runs_is_found_and_another_is_not(bus: None) -> None:
    assert session_bus.has_owner("org.freedesktop.DBus")
    assert not session_bus.has_owner("org.example.Nobody")


def test_without_a_file_manager_nothing_is_shown(bus: None) -> None:
    assert not session_bus.show_items(["file:///photos/a.jpg"])


def test_the_file_manager_shows_the_files(file_manager: None) -> None:
    assert session_bus.show_items(["file:///photos/a.jpg"])


def test_a_file_manager_that_refuses_is_no_success(file_manager: None) -> None:
    assert not session_bus.show_items(["file:///elsewhere/a.jpg"])


SAVER = """
import sys
from jeepney import MessageType, new_method_return
from jeepney.io.blocking import open_dbus_connection
from jeepney.bus_messages import message_bus

bus = open_dbus_connection("SESSION")
bus.send_and_get_reply(message_bus.RequestName("org.freedesktop.ScreenSaver"))
print("ready", flush=True)
while True:
    call = bus.receive()
    if call.header.message_type == MessageType.method_call:
        bus.send(new_method_return(call, "b", (sys.argv[1] == "locked",)))
"""


@pytest.mark.parametrize("state", ["locked", "open"])
def test_a_screen_saver_says_whether_the_screen_is_locked(bus: None, state: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("DBUS_SYSTEM_BUS_ADDRESS", "unix:path=/nowhere")
    assert not session_bus.screen_locked(), "nobody tells"
    saver = subprocess.Popen([sys.executable, "-c", SAVER, state], stdout=subprocess.PIPE, text=True)
    with saver:
        assert saver.stdout is not None and saver.stdout.readline() == "ready\n"
        assert session_bus.screen_locked() == (state == "locked")
        saver.terminate()

"""The desktop's portal on a session bus of its own: a picture is had, its file is gone afterwards, and a refusal is named."""

import asyncio
import shutil
import subprocess
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from agent.desktop.system import portal as portal_module
from agent.desktop.system.portal import only_portal, screenshot, shot
from agent.domain.errors import CaptureCancelled, CaptureRefused, PortalMissing

pytestmark = pytest.mark.skipif(shutil.which("dbus-daemon") is None, reason="needs dbus-daemon")

# `way`: how it answers; a stranger says what the portal would, from another connection, before the portal does.
PORTAL = """
import sys
from jeepney import DBusAddress, HeaderFields, MessageType, new_error, new_method_return, new_signal
from jeepney.io.blocking import open_dbus_connection
from jeepney.bus_messages import message_bus

way, picture = sys.argv[1:]
bus, stranger = open_dbus_connection("SESSION"), open_dbus_connection("SESSION")
bus.send_and_get_reply(message_bus.RequestName("org.freedesktop.portal.Desktop"))
print("ready", flush=True)
while True:
    call = bus.receive()
    if call.header.message_type != MessageType.method_call:
        continue
    caller = call.header.fields[HeaderFields.sender]
    _, options = call.body
    if way == "old":
        bus.send(new_error(call, "org.freedesktop.DBus.Error.UnknownMethod"))
        continue
    if way == "broken":
        bus.send(new_error(call, "org.freedesktop.portal.Error.Failed"))
        continue
    path = "/org/freedesktop/portal/desktop/request/" + caller[1:].replace(".", "_") + "/" + options["handle_token"][1]
    request = DBusAddress(path, interface="org.freedesktop.portal.Request")

    def answer(connection, code, uri):
        signal = new_signal(request, "Response", "ua{sv}", (code, {"uri": ("s", uri)} if uri else {}))
        signal.header.fields[HeaderFields.destination] = caller
        connection.send(signal)

    if way == "silent":
        bus.send(new_method_return(call, "o", (path,)))
        continue
    answer(stranger, 0, "file:///etc/passwd")
    stranger.send_and_get_reply(message_bus.GetId())  # it is on its way
    bus.send(new_method_return(call, "o", (path,)))
    print(options["interactive"][1], flush=True)
    codes = {"cancelled": 1, "refused": 2}
    answer(bus, codes.get(way, 0), "" if way in codes else "http://192.0.2.1/a.png" if way == "elsewhere" else picture)
"""


@pytest.fixture
def picture(tmp_path: Path) -> Path:
    path = tmp_path / "Pictures of Mei" / "截屏 1.png"
    path.parent.mkdir()
    path.write_bytes(b"uncovered")
    return path


@contextmanager
def portal(way: str, picture: Path) -> Iterator["subprocess.Popen[str]"]:
    with subprocess.Popen([sys.executable, "-c", PORTAL, way, picture.as_uri()], stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None and process.stdout.readline() == "ready\n"
        yield process
        process.terminate()


@pytest.mark.parametrize("choosing", [False, True])
async def test_the_file_is_there_to_be_read_and_gone_afterwards(bus: None, picture: Path, choosing: bool) -> None:
    with portal("well", picture) as process:
        async with shot(choosing) as path:
            assert path == str(picture) and picture.read_bytes() == b"uncovered"  # noqa: ASYNC240
        assert process.stdout is not None and process.stdout.readline() == f"{choosing}\n"
    assert not picture.exists()  # noqa: ASYNC240


async def test_it_is_gone_also_if_it_could_not_be_used(bus: None, picture: Path) -> None:
    with portal("well", picture), pytest.raises(ZeroDivisionError):
        async with shot(False):
            raise ZeroDivisionError
    assert not picture.exists()  # noqa: ASYNC240


@pytest.mark.parametrize(
    ("way", "error"),
    [
        ("cancelled", CaptureCancelled),
        ("refused", CaptureRefused),
        ("elsewhere", CaptureRefused),
        ("broken", CaptureRefused),
        ("old", PortalMissing),
    ],
)
def test_what_comes_of_a_question_that_is_not_answered_with_a_picture(bus: None, picture: Path, way: str, error: type[Exception]) -> None:
    with portal(way, picture), pytest.raises(error):
        screenshot(False)
    assert picture.exists()


def test_without_a_portal_or_a_bus_it_is_missing(bus: None, monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(PortalMissing):
        screenshot(False)
    monkeypatch.setenv("DBUS_SESSION_BUS_ADDRESS", "unix:path=/nowhere")
    with pytest.raises(PortalMissing):
        screenshot(False)


async def test_who_gives_up_waiting_leaves_nothing(bus: None, picture: Path) -> None:
    with portal("silent", picture):
        asking = asyncio.ensure_future(shot(True).__aenter__())
        await asyncio.sleep(0)
        asking.cancel()
        with pytest.raises(asyncio.CancelledError):
            await asking
        with pytest.raises(CaptureCancelled):
            screenshot(True, lambda: True)


async def test_who_gives_up_in_the_moment_the_picture_comes_leaves_nothing(picture: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def ask(choosing: bool, given_up: threading.Event, asked: "asyncio.Future[Path]") -> None:
        def tell() -> None:
            asked.set_result(picture)
            asking.cancel()

        asked.get_loop().call_soon_threadsafe(tell)

    monkeypatch.setattr(portal_module, "_ask", ask)
    asking = asyncio.ensure_future(shot(False).__aenter__())
    with pytest.raises(asyncio.CancelledError):
        await asking
    assert not picture.exists()  # noqa: ASYNC240


def test_a_picture_that_comes_after_the_program_ended_is_not_left_behind(picture: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    loop = asyncio.new_event_loop()
    asked: asyncio.Future[Path] = loop.create_future()
    loop.close()
    monkeypatch.setattr(portal_module, "screenshot", lambda *_: picture)
    portal_module._ask(False, threading.Event(), asked)
    assert not picture.exists()


def test_only_wayland_needs_it(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "platform", "linux")
    monkeypatch.delenv("WAYLAND_DISPLAY", raising=False)
    assert not only_portal()
    monkeypatch.setenv("WAYLAND_DISPLAY", "wayland-0")
    assert only_portal()

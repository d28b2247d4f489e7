"""Screenshots of a Wayland desktop through its portal, which asks the user and leaves a file."""

import asyncio
import os
import secrets
import sys
import threading
import time
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager, closing, suppress
from pathlib import Path
from typing import TYPE_CHECKING
from urllib.parse import unquote, urlsplit

from agent.domain.errors import AgentError, CaptureCancelled, CaptureRefused, PortalMissing, ScreenUnavailable, WatchUnavailable

if TYPE_CHECKING:
    from jeepney import Message
    from jeepney.io.blocking import DBusConnection

_NAME, _REQUEST = "org.freedesktop.portal.Desktop", "org.freedesktop.portal.Request"
_SCREENSHOT = "org.freedesktop.portal.Screenshot"
_ABSENT = tuple(f"org.freedesktop.DBus.Error.{each}" for each in ("ServiceUnknown", "NameHasNoOwner", "UnknownInterface", "UnknownMethod"))
_CALL_S, _LOOK_S = 25.0, 0.5
# The user is asked, and may choose the region in the desktop's own window.
_ASKED_S = 300.0
_DONE, _CANCELLED = 0, 1


def only_portal() -> bool:
    """Whether programs can only see this desktop's screen through its portal."""
    return sys.platform.startswith("linux") and bool(os.environ.get("WAYLAND_DISPLAY"))


def no_watching() -> AgentError | None:
    """Why the screen can't be watched here: no display, or the portal would ask the user at each look."""
    if only_portal():
        return WatchUnavailable()
    if sys.platform.startswith("linux") and not os.environ.get("DISPLAY"):
        return ScreenUnavailable()
    return None


@asynccontextmanager
async def shot(choosing: bool) -> AsyncIterator[str]:
    """Yields the file that the desktop leaves, deleted at the end. With `choosing` the user selects the part of the screen.

    Raises PortalMissing, CaptureRefused, CaptureCancelled.
    """
    cancelled = threading.Event()
    asked: asyncio.Future[Path] = asyncio.get_running_loop().create_future()
    # A separate thread that is never joined: the prompt may still be on the screen when the agent ends.
    threading.Thread(target=_ask, args=(choosing, cancelled, asked), name="portal", daemon=True).start()
    try:
        picture = await asked
    except asyncio.CancelledError:
        cancelled.set()
        if asked.done() and not asked.cancelled() and asked.exception() is None:
            await asyncio.to_thread(_delete, asked.result())  # it arrived at the moment of the cancellation
        raise
    try:
        yield str(picture)
    finally:
        await asyncio.to_thread(_delete, picture)


def _ask(choosing: bool, cancelled: threading.Event, asked: "asyncio.Future[Path]") -> None:
    picture, error = None, None
    try:
        picture = screenshot(choosing, cancelled.is_set)
    except Exception as raised:  # passed on to the waiting caller
        error = raised

    def tell() -> None:
        if asked.done():
            if picture is not None:
                _delete(picture)
        elif picture is not None:
            asked.set_result(picture)
        elif error is not None:
            asked.set_exception(error)

    try:
        asked.get_loop().call_soon_threadsafe(tell)
    except RuntimeError:  # the loop is closed: only this thread can delete it
        if picture is not None:
            _delete(picture)


def _delete(picture: Path) -> None:
    with suppress(OSError):
        picture.unlink()


def screenshot(choosing: bool, cancelled: Callable[[], bool] = lambda: False) -> Path:
    """Ask for a screenshot and wait for it. Blocks. Raises as `shot`."""
    from jeepney.io.blocking import open_dbus_connection

    try:
        with closing(open_dbus_connection("SESSION")) as bus:
            return _asked(bus, choosing, cancelled)
    except (OSError, KeyError, ValueError, TimeoutError) as error:
        raise PortalMissing from error


def _asked(bus: "DBusConnection", choosing: bool, cancelled: Callable[[], bool]) -> Path:
    from jeepney import DBusAddress, HeaderFields, MatchRule, MessageType, message_bus, new_method_call

    portal = DBusAddress("/org/freedesktop/portal/desktop", bus_name=_NAME, interface=_SCREENSHOT)
    options = {"handle_token": ("s", f"ai_popup_{secrets.token_hex(8)}"), "interactive": ("b", choosing), "modal": ("b", False)}
    answers = MatchRule(type="signal", interface=_REQUEST, member="Response")
    bus.send_and_get_reply(message_bus.AddMatch(answers), timeout=_CALL_S)
    with bus.filter(answers) as responses:
        reply = bus.send_and_get_reply(new_method_call(portal, "Screenshot", "sa{sv}", ("", options)), timeout=_CALL_S)
        if reply.header.message_type == MessageType.error:
            absent = reply.header.fields.get(HeaderFields.error_name) in _ABSENT
            raise PortalMissing if absent else CaptureRefused
        owner, deadline = reply.header.fields.get(HeaderFields.sender), time.monotonic() + _ASKED_S
        while time.monotonic() < deadline and not cancelled():
            with suppress(TimeoutError):
                response = bus.recv_until_filtered(responses, timeout=_LOOK_S)
                # Any program on the bus could claim that a picture is ready: the file it names would be read and deleted.
                if response.header.fields.get(HeaderFields.sender) == owner and response.header.fields[HeaderFields.path] == reply.body[0]:
                    return _file(response)
    raise CaptureCancelled


def _file(response: "Message") -> Path:
    code, results = response.body
    if code == _CANCELLED:
        raise CaptureCancelled
    parts = urlsplit(str(results.get("uri", ("s", ""))[1]))
    if code != _DONE or parts.scheme != "file":
        raise CaptureRefused
    return Path(unquote(parts.path))

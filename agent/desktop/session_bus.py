"""Short questions to the Linux desktop's session bus: who is there, is the screen kept awake, and show these files in the file manager."""

import contextlib
from collections.abc import Iterator
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from jeepney.io.blocking import DBusConnection

# Who owns this name takes in tray icons.
TRAY_WATCHER = "org.kde.StatusNotifierWatcher"

_TIMEOUT_S = 2.0
_FILE_MANAGER = "org.freedesktop.FileManager1"
_SESSION = "org.gnome.SessionManager"
_IDLE = 8  # the session's being marked as idle


def has_owner(name: str) -> bool:
    """Whether a service of that name runs on the session bus. False if there is no bus."""
    from jeepney import message_bus

    with _bus() as bus:
        if bus is not None:
            reply = bus.send_and_get_reply(message_bus.NameHasOwner(name), timeout=_TIMEOUT_S)
            return bool(reply.body == (True,))
    return False


def obtainable(name: str) -> bool:
    """Whether a service of that name runs or would be started for whoever asks it."""
    from jeepney import message_bus

    with _bus() as bus:
        if bus is not None:
            if bus.send_and_get_reply(message_bus.NameHasOwner(name), timeout=_TIMEOUT_S).body == (True,):
                return True
            reply = bus.send_and_get_reply(message_bus.ListActivatableNames(), timeout=_TIMEOUT_S)
            return bool(reply.body) and name in reply.body[0]
    return False


def idle_inhibited() -> bool:
    """Whether a program keeps the screen awake, as presentations and calls do. False where the session does not tell."""
    from jeepney import DBusAddress, MessageType, new_method_call

    if not has_owner(_SESSION):
        return False  # asking it by its name might start one
    manager = DBusAddress("/org/gnome/SessionManager", bus_name=_SESSION, interface=_SESSION)
    with _bus() as bus:
        if bus is not None:
            reply = bus.send_and_get_reply(new_method_call(manager, "IsInhibited", "u", (_IDLE,)), timeout=_TIMEOUT_S)
            return bool(reply.header.message_type == MessageType.method_return and reply.body == (True,))
    return False


def show_items(uris: list[str]) -> bool:
    """Ask the file manager to open the folders of the files and select them. False if none answers."""
    from jeepney import DBusAddress, MessageType, new_method_call

    manager = DBusAddress(
        "/org/freedesktop/FileManager1", bus_name="org.freedesktop.FileManager1", interface="org.freedesktop.FileManager1"
    )
    with _bus() as bus:
        if bus is not None:
            reply = bus.send_and_get_reply(new_method_call(manager, "ShowItems", "ass", (uris, "")), timeout=10 * _TIMEOUT_S)
            return bool(reply.header.message_type == MessageType.method_return)
    return False


@contextlib.contextmanager
def _bus() -> Iterator["DBusConnection | None"]:
    """A connection, or None without a bus; a bus that fails while asked ends the block quietly."""
    from jeepney.io.blocking import open_dbus_connection

    try:
        connection = open_dbus_connection("SESSION")
    except (OSError, KeyError, ValueError):
        yield None
        return
    with contextlib.closing(connection), contextlib.suppress(OSError, TimeoutError):
        yield connection

"""Short queries to the Linux desktop's session bus: services, screen locks and inhibitors, and showing files in the file manager."""

import contextlib
from collections.abc import Iterator
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from jeepney.io.blocking import DBusConnection

# The owner of this name accepts tray icons.
TRAY_WATCHER = "org.kde.StatusNotifierWatcher"

_TIMEOUT_S = 2.0
_FILE_MANAGER = "org.freedesktop.FileManager1"
_SESSION = "org.gnome.SessionManager"
_SCREEN_SAVERS = ("org.freedesktop.ScreenSaver", "org.gnome.ScreenSaver")
_LOGIN = "org.freedesktop.login1"
_IDLE = 8  # the session being marked as idle


def has_owner(name: str) -> bool:
    """Whether a service of that name runs on the session bus. False if there is no bus."""
    from jeepney import message_bus

    with _bus() as bus:
        if bus is not None:
            reply = bus.send_and_get_reply(message_bus.NameHasOwner(name), timeout=_TIMEOUT_S)
            return bool(reply.body == (True,))
    return False


def obtainable(name: str) -> bool:
    """Whether a service of that name runs or would be started on request."""
    from jeepney import message_bus

    with _bus() as bus:
        if bus is not None:
            if bus.send_and_get_reply(message_bus.NameHasOwner(name), timeout=_TIMEOUT_S).body == (True,):
                return True
            reply = bus.send_and_get_reply(message_bus.ListActivatableNames(), timeout=_TIMEOUT_S)
            return bool(reply.body) and name in reply.body[0]
    return False


def idle_inhibited() -> bool:
    """Whether a program keeps the screen awake, as presentations and calls do. False if the session does not tell."""
    from jeepney import DBusAddress, MessageType, new_method_call

    if not has_owner(_SESSION):
        return False  # addressing it by name might start one
    manager = DBusAddress("/org/gnome/SessionManager", bus_name=_SESSION, interface=_SESSION)
    with _bus() as bus:
        if bus is not None:
            reply = bus.send_and_get_reply(new_method_call(manager, "IsInhibited", "u", (_IDLE,)), timeout=_TIMEOUT_S)
            return bool(reply.header.message_type == MessageType.method_return and reply.body == (True,))
    return False


def screen_locked() -> bool:
    """Whether a screen saver or the login service reports a locked screen. False if neither tells."""
    from jeepney import DBusAddress, MessageType, Properties, new_method_call

    for name in _SCREEN_SAVERS:
        if has_owner(name):  # addressing it by name might start one
            saver = DBusAddress("/" + name.replace(".", "/"), bus_name=name, interface=name)
            with _bus() as bus:
                if bus is not None and bus.send_and_get_reply(new_method_call(saver, "GetActive"), timeout=_TIMEOUT_S).body == (True,):
                    return True
    session = DBusAddress("/org/freedesktop/login1/session/auto", bus_name=_LOGIN, interface=f"{_LOGIN}.Session")
    with _bus("SYSTEM") as bus:
        if bus is not None:
            reply = bus.send_and_get_reply(Properties(session).get("LockedHint"), timeout=_TIMEOUT_S)
            return bool(reply.header.message_type == MessageType.method_return and reply.body[0][1])
    return False


def show_items(uris: list[str]) -> bool:
    """Ask the file manager to open the folders of the files and select them. False if none answers."""
    from jeepney import DBusAddress, MessageType, new_method_call

    manager = DBusAddress("/org/freedesktop/FileManager1", bus_name=_FILE_MANAGER, interface=_FILE_MANAGER)
    with _bus() as bus:
        if bus is not None:
            reply = bus.send_and_get_reply(new_method_call(manager, "ShowItems", "ass", (uris, "")), timeout=10 * _TIMEOUT_S)
            return bool(reply.header.message_type == MessageType.method_return)
    return False


@contextlib.contextmanager
def _bus(which: str = "SESSION") -> Iterator["DBusConnection | None"]:
    """A connection, or None without a bus; a bus error inside the block ends it quietly."""
    from jeepney.io.blocking import open_dbus_connection

    try:
        connection = open_dbus_connection(which)
    except (OSError, KeyError, ValueError):
        yield None
        return
    with contextlib.closing(connection), contextlib.suppress(OSError, TimeoutError):
        yield connection

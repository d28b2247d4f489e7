"""Detects a metered network connection."""

import contextlib
import sys

_NAME = "org.freedesktop.NetworkManager"
_METERED = frozenset((1, 3))  # yes, and probably yes
_TIMEOUT_S = 2.0


def is_metered() -> bool:
    """Whether the network is metered; False if the system can't tell. So far NetworkManager on Linux can."""
    if not sys.platform.startswith("linux"):
        return False
    from jeepney import DBusAddress, MessageType, Properties, message_bus
    from jeepney.io.blocking import open_dbus_connection

    try:
        connection = open_dbus_connection("SYSTEM")
    except (OSError, KeyError, ValueError):
        return False
    with contextlib.closing(connection), contextlib.suppress(OSError, TimeoutError):
        # Addressing it by its name might start it.
        if connection.send_and_get_reply(message_bus.NameHasOwner(_NAME), timeout=_TIMEOUT_S).body == (True,):
            manager = Properties(DBusAddress("/org/freedesktop/NetworkManager", bus_name=_NAME, interface=_NAME))
            reply = connection.send_and_get_reply(manager.get("Metered"), timeout=_TIMEOUT_S)
            return bool(reply.header.message_type == MessageType.method_return and reply.body[0][1] in _METERED)
    return False

"""Listening sockets that systemd holds: they outlive this process, and the next one goes on with them.

While no process accepts, connections wait in the socket's queue: a restart delays requests and refuses none. See `sd_listen_fds(3)`.
"""

import os
import socket
from collections.abc import Mapping
from typing import Final

_FIRST: Final = 3
BACKLOG: Final = 1024  # as many wait during a restart


def activated_socket(name: str, environment: Mapping[str, str] = os.environ) -> socket.socket | None:
    """Return the listening socket that was handed over under that name, as a duplicate; None if there is none."""
    if not name or environment.get("LISTEN_PID") != str(os.getpid()):
        return None
    names = environment.get("LISTEN_FDNAMES", "").split(":")
    for number in range(int(environment.get("LISTEN_FDS", "0"))):
        if number < len(names) and names[number] == name:
            descriptor = os.dup(_FIRST + number)
            os.set_inheritable(descriptor, False)
            return socket.socket(fileno=descriptor)
    return None


def is_activated(name: str, environment: Mapping[str, str] = os.environ) -> bool:
    found = activated_socket(name, environment)
    if found is None:
        return False
    found.close()
    return True

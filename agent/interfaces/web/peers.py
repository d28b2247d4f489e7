"""Finds the users who own the sockets at both ends of a local connection, as far as the system tells."""

import sys
from collections.abc import Callable, Sequence
from typing import TypeAlias

Address: TypeAlias = tuple[str, int]
# For each socket with these two ends, local first: whether this user owns it; None if the system does not tell. Without a remote
# end: for the sockets that listen at the local one.
Holders: TypeAlias = Callable[[Address, Address | None], Sequence[bool] | None]


def is_same_user(peer: Address, here: Address, holders: Holders | None = None) -> bool:
    """Whether a connection to `here` comes from a process of this user: all sockets with exactly these ends are this user's.

    False also for a closed connection. True if the system does not tell: the session is checked in any case.
    """
    ends = (holders or this_system())(peer, here)
    return True if ends is None else bool(ends) and all(ends)


def listens_for_us(address: Address, holders: Holders | None = None) -> bool:
    """Whether only processes of this user accept connections to an address. True if the system does not tell."""
    listeners = (holders or this_system())(address, None)
    return True if listeners is None else bool(listeners) and all(listeners)


def this_system() -> Holders:
    """This system's implementation, loaded on demand: each system has its own calls."""
    if sys.platform.startswith("linux"):
        from agent.interfaces.web.sockets_linux import holders
    elif sys.platform == "darwin":
        from agent.interfaces.web.sockets_macos import holders
    elif sys.platform == "win32":
        from agent.interfaces.web.sockets_windows import holders
    else:
        return lambda _, __: None
    return holders

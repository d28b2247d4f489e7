"""Whose the sockets at both ends of a connection within this computer are, as far as its system tells."""

import sys
from collections.abc import Callable, Sequence
from typing import TypeAlias

Address: TypeAlias = tuple[str, int]
# For each socket with these two ends, its own first, whether this user holds it; None where the system does not tell. Without a second
# end: the sockets that listen for connections to the first.
Holders: TypeAlias = Callable[[Address, Address | None], Sequence[bool] | None]


def comes_from_us(peer: Address, here: Address, holders: Holders | None = None) -> bool:
    """Whether a connection that was made to `here` comes from a process of this user: every socket with just these ends is this user's.

    False also for one that is closed already. True where the system does not tell: what proves a session is asked for all the same.
    """
    ends = (holders or this_system())(peer, here)
    return True if ends is None else bool(ends) and all(ends)


def listens_for_us(address: Address, holders: Holders | None = None) -> bool:
    """Whether a process of this user, and no other user's, takes the connections to an address. True where the system does not tell."""
    listeners = (holders or this_system())(address, None)
    return True if listeners is None else bool(listeners) and all(listeners)


def this_system() -> Holders:
    """Loaded when it is asked for: each system has its own calls."""
    if sys.platform.startswith("linux"):
        from agent.web.sockets_linux import holders
    elif sys.platform == "darwin":
        from agent.web.sockets_macos import holders
    elif sys.platform == "win32":
        from agent.web.sockets_windows import holders
    else:
        return lambda _, __: None
    return holders

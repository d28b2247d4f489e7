"""Walls in the engine's process before it sees the first byte of somebody's file: what it may reach, and what the system really holds."""

import sys

from agent.engine.sandbox.rooms import Rooms
from agent.engine.sandbox.wall import OPEN, Wall

__all__ = ["Rooms", "raise_wall"]


def can_be_whole() -> bool:
    """Whether this kind of system has all that a whole wall takes, at least in its newer versions."""
    return sys.platform in ("linux", "darwin")


def raise_wall(rooms: Rooms) -> Wall:
    """Wall in this process, for good, as far as this system can. Call it while there is one thread only: older ones may stay outside.

    Never raises: a wall that does not stand is missing from the answer.
    """
    if sys.platform == "linux":
        from agent.engine.sandbox.linux import raise_wall as raise_here
    elif sys.platform == "darwin":
        from agent.engine.sandbox.macos import raise_wall as raise_here
    elif sys.platform == "win32":
        from agent.engine.sandbox.job_object import raise_wall as raise_here
    else:
        return OPEN
    return raise_here(rooms)

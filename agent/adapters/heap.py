"""Keeps the heap of a process with many threads small: glibc would give each thread a part of its own and never take it back."""

import ctypes
import sys

_M_ARENA_MAX = -8  # malloc.h
_ARENAS = 2


def few_arenas() -> None:
    """For threads that are started from now on. Costs the agent nothing, for its threads mostly wait; does nothing without glibc."""
    if sys.platform != "linux":
        return
    try:
        mallopt = ctypes.CDLL(None).mallopt
    except (OSError, AttributeError):  # another C library
        return
    mallopt(_M_ARENA_MAX, _ARENAS)

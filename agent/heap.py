"""Keeps the heap of a process with many threads small, and gives free memory back to the system, where the C library is glibc."""

import ctypes
import gc
import linecache
import sys

_M_ARENA_MAX, _M_MMAP_THRESHOLD, _M_TRIM_THRESHOLD = -8, -3, -1  # malloc.h
_ARENAS = 2
_LARGE = 8 * 2**20  # bytes: more than most looks of a net need, less than a photo that is decoded whole
_KEPT = 32 * 2**20  # bytes: glibc's largest bound; a picture of a full-HD screen takes a fourth of it


def few_arenas() -> None:
    """For threads that are started from now on: glibc would give each a part of the heap of its own and never take it back.

    Costs the agent nothing, for its threads mostly wait.
    """
    if (libc := _glibc("mallopt")) is not None:
        libc.mallopt(_M_ARENA_MAX, _ARENAS)


def large_apart() -> None:
    """Large pieces go back to the system when they are freed: glibc would, after the first, keep up to 32 MB of each for the next."""
    if (libc := _glibc("mallopt")) is not None:
        libc.mallopt(_M_MMAP_THRESHOLD, _LARGE)


def forget_sources() -> None:
    """Let go of the source text of modules: Qt's binding reads that of each module that is loaded after it, some 7 MB by the end."""
    linecache.clearcache()


def large_kept() -> None:
    """The other way round, for who takes pieces of the same size again and again: to have each anew takes longer than to fill it."""
    if (libc := _glibc("mallopt")) is not None:
        libc.mallopt(_M_MMAP_THRESHOLD, _KEPT)
        libc.mallopt(_M_TRIM_THRESHOLD, _KEPT)


def here_to_stay() -> None:
    """What is in memory now stays until the process ends: `give_back` need not look through it each time, some 50 ms of an engine."""
    gc.collect()
    gc.freeze()


def give_back() -> None:
    """What is free, also in the middle of the heap. Takes some ten milliseconds, with all threads waiting for half of them."""
    forget_sources()
    gc.collect()
    if (libc := _glibc("malloc_trim")) is not None:
        libc.malloc_trim(0)


def _glibc(function: str) -> ctypes.CDLL | None:
    """The C library, if it has the function."""
    if sys.platform != "linux":
        return None
    try:
        libc = ctypes.CDLL(None)
        getattr(libc, function)
    except (OSError, AttributeError):  # another C library
        return None
    return libc

"""Keeps what a process with many threads holds of memory small, and gives it back to the system, where the C library is glibc."""

import ctypes
import gc
import linecache
import sys
from collections.abc import Iterable, Iterator
from contextlib import nullcontext, suppress
from pathlib import Path
from typing import TextIO

_M_ARENA_MAX, _M_MMAP_THRESHOLD, _M_TRIM_THRESHOLD = -8, -3, -1  # malloc.h
_MADV_DONTNEED = 4  # mman.h
_ARENAS = 2
_LARGE = 8 * 2**20  # bytes: more than most looks of a net need, less than a photo that is decoded whole
# The environment of a process that decodes. Freed memory is filled with 255, new memory with its complement, and no small pieces are kept
# past that: what a decoder leaves out is empty, no part of an earlier photo. Costs nothing that can be measured.
CLEAN = {"GLIBC_TUNABLES": "glibc.malloc.perturb=255:glibc.malloc.tcache_count=0"}
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


def here_to_stay(*, tidy: bool = True) -> None:
    """What is in memory now stays until the process ends: `give_back` need not look through it each time, some 50 ms of an engine.

    Without `tidy` what is garbage by now stays too; to look for it takes as long.
    """
    if tidy:
        gc.collect()
    gc.freeze()


def give_back() -> None:
    """What is free, also in the middle of the heap. Takes some ten milliseconds, with all threads waiting for half of them."""
    forget_sources()
    gc.collect()
    if (libc := _glibc("malloc_trim")) is not None:
        libc.malloc_trim(0)


def mappings() -> TextIO | None:
    """What `let_go_of_code` reads, for a process that soon can open no file any more; None where the system has nothing like it."""
    try:
        return Path("/proc/self/smaps").open(encoding="utf-8", errors="replace")
    except OSError:
        return None


def let_go_of_code(known: TextIO | None = None) -> None:
    """Hold of the libraries only what is used from now on; the rest stays in the system's file cache, where others' need goes first.

    Around each page that is needed Linux maps its neighbours, megabytes at a time on some machines: all that counts as the process's.
    """
    if (libc := _glibc("madvise")) is None or (read := known or mappings()) is None:
        return
    # It only spares memory: a system that lets nobody read this is no reason for a process to end.
    with nullcontext() if known else read, suppress(OSError):
        read.seek(0)
        unchanged = list(_code(read))  # Python unloads no library: they stay where they are
        for start, size in unchanged:
            libc.madvise(ctypes.c_void_p(start), ctypes.c_size_t(size), _MADV_DONTNEED)


def _code(smaps: Iterable[str]) -> Iterator[tuple[int, int]]:
    """Where libraries' code and constants are mapped as they are in the files, and how many bytes: what was changed would be lost."""
    place, changed = "", False
    for line in smaps:
        if (" r-xp " in line or " r--p " in line) and ".so" in line:
            place, changed = line.partition(" ")[0], False
        elif place and line.startswith(("Anonymous:", "Swap:")):
            changed = changed or line.split()[1] != "0"
        elif place and line.startswith("VmFlags:"):  # the last line
            if not changed:
                start, end = (int(address, 16) for address in place.split("-"))
                yield start, end - start
            place = ""


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

"""Keeps the memory of a process with many threads small, and releases it to the system, if the C library is glibc."""

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
_LARGE = 12 * 2**20  # bytes: more than most passes of a net and half a 12-megapixel photo need, less than a photo that is decoded whole
# The environment of a decoding process. Freed memory is filled with 255, new memory with its complement, and no small blocks are
# cached: memory that a decoder leaves out is empty, not part of an earlier photo. The cost is not measurable.
CLEAN = {"GLIBC_TUNABLES": "glibc.malloc.perturb=255:glibc.malloc.tcache_count=0"}
_KEPT = 32 * 2**20  # bytes: glibc's largest bound; a picture of a full-HD screen takes a quarter of it
_USUALLY = gc.get_threshold()
_WHILE_LOADING = (20_000, 20, 20)  # of new objects, and of collections of the younger generation


def loading() -> None:
    """Look for garbage rarely until `freeze_gc`: loading modules makes none, and looking took a sixth of a start."""
    gc.set_threshold(*_WHILE_LOADING)


def limit_arenas() -> None:
    """Limit the heap arenas of future threads: glibc would give each thread its own and never release it.

    This costs the agent nothing, because its threads mostly wait.
    """
    if (libc := _glibc("mallopt")) is not None:
        libc.mallopt(_M_ARENA_MAX, _ARENAS)


def mmap_large_blocks(size: int = _LARGE) -> None:
    """Release blocks of at least `size` bytes when they are freed; after the first one, glibc would cache up to 32 MB of each."""
    if (libc := _glibc("mallopt")) is not None:
        libc.mallopt(_M_MMAP_THRESHOLD, size)


def forget_sources() -> None:
    """Release the source text of modules: Qt's binding reads that of each module loaded after it, some 7 MB in all."""
    linecache.clearcache()


def keep_large_blocks() -> None:
    """Cache large blocks, for code that allocates the same size repeatedly: allocating takes longer than filling."""
    if (libc := _glibc("mallopt")) is not None:
        libc.mallopt(_M_MMAP_THRESHOLD, _KEPT)
        libc.mallopt(_M_TRIM_THRESHOLD, _KEPT)


def freeze_gc(*, tidy: bool = True) -> None:
    """Exclude existing objects from garbage collection, which saves some 50 ms each time in an engine. The process is loaded.

    Without `tidy`, existing garbage stays too; finding it takes as long.
    """
    if tidy:
        gc.collect()
    gc.freeze()
    gc.set_threshold(*_USUALLY)


def give_back() -> None:
    """Release free memory, also in the middle of the heap. Takes some ten milliseconds, half of them with all threads stopped."""
    forget_sources()
    gc.collect()
    release_free()


def release_free() -> None:
    """Release free memory alone, without looking for garbage: for a process that is busy."""
    if (libc := _glibc("malloc_trim")) is not None:
        libc.malloc_trim(0)


def mappings() -> TextIO | None:
    """Return the input of `drop_code_pages`, for a process that soon can't open files; None if the system has no such file."""
    try:
        return Path("/proc/self/smaps").open(encoding="utf-8", errors="replace")
    except OSError:
        return None


def drop_code_pages(known: TextIO | None = None) -> None:
    """Unmap libraries' code until it is used again; it stays in the system's file cache, where other programs take precedence.

    Linux maps the neighbours of each needed page, megabytes at a time on some machines: all of it counts as the process's memory.
    """
    if (libc := _glibc("madvise")) is None or (read := known or mappings()) is None:
        return
    # This only saves memory: a system that forbids reading this must not end the process.
    with nullcontext() if known else read, suppress(OSError):
        read.seek(0)
        unchanged = list(_code(read))  # Python unloads no library: their addresses stay valid
        for start, size in unchanged:
            libc.madvise(ctypes.c_void_p(start), ctypes.c_size_t(size), _MADV_DONTNEED)


def _code(smaps: Iterable[str]) -> Iterator[tuple[int, int]]:
    """Yield addresses and sizes of libraries' code and constants that match their files: modified pages would be lost."""
    place, changed = "", False
    for line in smaps:
        if (" r-xp " in line or " r--p " in line) and ".so" in line:
            place, changed = line.partition(" ")[0], False
        elif place and line.startswith(("Anonymous:", "Swap:")):
            changed = changed or line.split()[1] != "0"
        elif place and line.startswith("VmFlags:"):  # the last line of an entry
            if not changed:
                start, end = (int(address, 16) for address in place.split("-"))
                yield start, end - start
            place = ""


def _glibc(function: str) -> ctypes.CDLL | None:
    """Return the C library, if it has the function."""
    if sys.platform != "linux":
        return None
    try:
        libc = ctypes.CDLL(None)
        getattr(libc, function)
    except (OSError, AttributeError):  # another C library
        return None
    return libc

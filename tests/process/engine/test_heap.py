"""The heap's parts are bounded where the C library has any."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

from agent.infrastructure.core import malloc_tuning

# Threads that are all busy allocating at once; then the C library lists its heaps.
PROGRAM = """
import ctypes, sys, threading
from agent.infrastructure.core.malloc_tuning import limit_arenas
if sys.argv[1] == "few":
    limit_arenas()
together = threading.Barrier(8)
def work():
    together.wait()
    kept = [bytearray(40_000) for _ in range(200)]
    together.wait()
threads = [threading.Thread(target=work) for _ in range(8)]
[thread.start() for thread in threads]
[thread.join() for thread in threads]
libc = ctypes.CDLL(None)
libc.fopen.restype = ctypes.c_void_p
libc.malloc_info(0, ctypes.c_void_p(libc.fopen(sys.argv[2].encode(), b"w")))
libc.fflush(None)
"""


@pytest.mark.skipif(sys.platform != "linux", reason="glibc's heap")
def test_threads_share_two_parts_of_the_heap(tmp_path: Path) -> None:
    counts = {}
    for way in ("few", "many"):
        said = tmp_path / way
        subprocess.run([sys.executable, "-c", PROGRAM, way, str(said)], check=True, timeout=100)
        counts[way] = said.read_text(encoding="utf-8").count("<heap ")
    assert counts["few"] <= 2 < counts["many"]


# Much memory with something small above each part, so that it can't go back by itself; then what the process holds, before and after.
HOLES = """
import pathlib
from agent.infrastructure.core.malloc_tuning import give_back
def held():
    return int(pathlib.Path("/proc/self/statm").read_text().split()[1]) * 4096
kept = [(b"." * 60_000, bytes(1000)) for _ in range(1000)]  # Python has an arena of its own for what is smaller than 512 bytes
kept = [small for _, small in kept]
before = held()
give_back()
print(before - held())
"""


@pytest.mark.skipif(sys.platform != "linux", reason="glibc's heap")
def test_free_memory_in_the_middle_of_the_heap_goes_back_to_the_system() -> None:
    done = subprocess.run([sys.executable, "-c", HOLES], check=True, timeout=100, stdout=subprocess.PIPE)
    assert int(done.stdout) > 30_000_000


# A large piece between small ones, after another has been freed: glibc would have learnt to keep such pieces.
LARGE = """
import pathlib
from agent.infrastructure.core.malloc_tuning import mmap_large_blocks
mmap_large_blocks()
def held():
    return int(pathlib.Path("/proc/self/statm").read_text().split()[1]) * 4096
bytearray(20_000_000)
piece, above = bytearray(20_000_000), [bytes(100_000) for _ in range(20)]
before = held()
del piece
print(before - held())
"""


@pytest.mark.skipif(sys.platform != "linux", reason="glibc's heap")
def test_a_large_piece_goes_back_when_it_is_freed() -> None:
    done = subprocess.run([sys.executable, "-c", LARGE], check=True, timeout=100, stdout=subprocess.PIPE)
    assert int(done.stdout) > 15_000_000


# Libraries, and how many bytes of files the process holds, before and after; then a library's code is run.
CODE = """
import hashlib, pathlib, ssl, sys
from agent.infrastructure.core.malloc_tuning import drop_code_pages, mappings
def held():
    return int(pathlib.Path("/proc/self/statm").read_text().split()[2]) * 4096
known = {known}
before = held()
drop_code_pages(known)
after = held()
print(before - after, hashlib.sha256(b"").hexdigest()[:8])
"""


@pytest.mark.skipif(sys.platform != "linux", reason="asks Linux")
@pytest.mark.parametrize("known", ["None", "mappings()"])
def test_code_that_nobody_runs_is_let_go_of_and_comes_back_when_somebody_does(known: str) -> None:
    done = subprocess.run(
        [sys.executable, "-c", CODE.replace("{known}", known)], check=True, timeout=100, stdout=subprocess.PIPE, text=True
    )
    less, hashed = done.stdout.split()
    assert int(less) > 1_000_000 and hashed == "e3b0c442"


def mapping(place: str, access: str, file: str, *, anonymous: int = 0, swap: int = 0) -> list[str]:
    """As Linux tells of it, shortened."""
    figures = {"Rss": 64, "Anonymous": anonymous, "Swap": swap}
    return [f"{place} {access} 00001000 fe:00 42    {file}", *(f"{name}: {kb:8} kB" for name, kb in figures.items()), "VmFlags: rd mr"]


def test_only_code_that_is_as_in_its_file_is_let_go_of() -> None:
    smaps = [
        *mapping("1000-3000", "r-xp", "/usr/lib/libplain.so"),
        *mapping("3000-4000", "r--p", "/usr/lib/libplain.so"),
        *mapping("4000-5000", "rw-p", "/usr/lib/libplain.so", anonymous=4),
        *mapping("5000-6000", "r-xp", "/usr/lib/libpatched.so.1", anonymous=4),
        *mapping("6000-7000", "r-xp", "/usr/lib/libswapped.so.1", swap=4),
        *mapping("7000-8000", "r-xp", ""),
        *mapping("a000-b000", "r-xp", "/usr/lib/with space/libplain.so.1.2"),
    ]
    assert list(malloc_tuning._code(smaps)) == [(0x1000, 0x2000), (0x3000, 0x1000), (0xA000, 0x1000)]


@pytest.mark.skipif(sys.platform != "linux", reason="asks Linux")
def test_mappings_that_can_not_be_read_harm_nobody() -> None:
    with Path("/proc/self/mem").open(encoding="latin-1") as unreadable:  # nothing is mapped at its beginning
        malloc_tuning.drop_code_pages(unreadable)
        assert not unreadable.closed


def test_a_system_without_it_is_left_alone(monkeypatch: pytest.MonkeyPatch) -> None:
    class Nothing:
        def __init__(self, _: None) -> None: ...

    monkeypatch.setattr("agent.infrastructure.core.malloc_tuning.ctypes.CDLL", Nothing)
    malloc_tuning.limit_arenas()
    malloc_tuning.give_back()
    malloc_tuning.mmap_large_blocks()
    malloc_tuning.drop_code_pages()
    monkeypatch.setattr(sys, "platform", "win32")
    malloc_tuning.limit_arenas()
    malloc_tuning.give_back()
    malloc_tuning.drop_code_pages()


@pytest.mark.parametrize("tidy", [True, False])
def test_what_is_here_to_stay_is_not_looked_through_again(tidy: bool) -> None:
    counted = "print(gc.get_freeze_count(), len(gc.get_objects()))"
    code = f"import gc; from agent.infrastructure.core.malloc_tuning import here_to_stay; freeze_gc(tidy={tidy}); {counted}"
    said = subprocess.run([sys.executable, "-c", code], check=True, timeout=100, capture_output=True, text=True).stdout.split()
    assert int(said[0]) > 1000 > int(said[1])


# What is in memory that was filled, freed and taken again, of sizes that each way of keeping free memory has.
AGAIN = """
import ctypes
libc = ctypes.CDLL(None)
libc.malloc.restype = ctypes.c_void_p
libc.malloc.argtypes, libc.free.argtypes = [ctypes.c_size_t], [ctypes.c_void_p]
left = set()
for size in (600, 5_000, 100_000, 3_000_000):
    for _ in range(20):
        at = [libc.malloc(size) for _ in range(9)]
        for one in at:
            left |= set(ctypes.string_at(one, size))
            ctypes.memset(one, 77, size)
        for one in at:
            libc.free(one)
print(77 in left)
"""


@pytest.mark.skipif(sys.platform != "linux", reason="glibc's heap")
def test_memory_that_is_handed_out_holds_nothing_of_before() -> None:
    for environment, dirty in ((malloc_tuning.CLEAN, b"False\n"), ({}, b"True\n")):
        done = subprocess.run(
            [sys.executable, "-c", AGAIN], check=True, timeout=100, stdout=subprocess.PIPE, env={**os.environ, **environment}
        )
        assert done.stdout == dirty


# How often Python looks for garbage: usually, while the program loads, and once it is loaded.
LOADING = """
import gc
usually = gc.get_threshold()
from agent.infrastructure.core import malloc_tuning
malloc_tuning.loading()
while_loading = gc.get_threshold()
malloc_tuning.freeze_gc(tidy=False)
print(usually == gc.get_threshold(), while_loading > usually, gc.get_freeze_count() > 0)
"""


def test_garbage_is_looked_for_rarely_until_the_program_is_loaded() -> None:
    done = subprocess.run([sys.executable, "-c", LOADING], check=True, timeout=100, stdout=subprocess.PIPE, text=True)
    assert done.stdout.split() == ["True", "True", "True"]


# The program as it starts; what a command prints is not asked for.
STARTED = """
import gc, sys
from agent.__main__ import main
usually = gc.get_threshold()
sys.argv = ["ai-popup", "--version"]
import agent.infrastructure.core.process_exit
agent.infrastructure.core.process_exit.leave = lambda code: code
code = main()
print(code, gc.get_threshold() > usually, file=sys.stderr)
"""


def test_the_program_loads_without_looking_for_garbage() -> None:
    done = subprocess.run([sys.executable, "-c", STARTED], check=True, timeout=100, capture_output=True, text=True)
    assert done.stderr.split() == ["0", "True"]

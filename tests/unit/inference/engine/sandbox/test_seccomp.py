"""The filter, worked through as the kernel would: what is refused, what goes on, on each processor."""

import errno
import struct

import pytest

from agent.inference.engine.sandbox.seccomp import EXCEPT, PRETENDED, REFUSED, assemble

PID = 4242
ALLOW, KILL = 0x7FFF0000, 0x80000000
ARCH = {"x86_64": 0xC000003E, "aarch64": 0xC00000B7}
# name -> (x86_64, aarch64): what Python, OpenVINO and the decoders cannot do without.
NEEDED = {
    **{"read": (0, 63), "write": (1, 64), "close": (3, 57), "mmap": (9, 222), "mprotect": (10, 226), "munmap": (11, 215)},
    **{"openat": (257, 56), "fstat": (5, 80), "lseek": (8, 62), "futex": (202, 98), "ioctl": (16, 29), "recvmsg": (47, 212)},
    **{"exit_group": (231, 94), "sched_yield": (24, 124), "renameat2": (316, 276), "unlinkat": (263, 35), "mkdirat": (258, 34)},
}


def verdict(machine: str, number: int, first: int = 0, second: int = 0, *, arch: int | None = None) -> int:
    """What classic BPF answers to a system call."""
    program = assemble(machine, PID)
    assert program is not None
    steps = [struct.unpack("HBBI", program[place : place + 8]) for place in range(0, len(program), 8)]
    seen = {0: number, 4: ARCH[machine] if arch is None else arch, 16: first, 24: second}
    value, place = 0, 0
    while True:
        code, then, otherwise, constant = steps[place]
        place += 1
        if code == 0x06:
            return int(constant)
        if code == 0x20:
            value = seen[constant]
        else:
            holds = {0x15: value == constant, 0x35: value >= constant, 0x45: bool(value & constant)}[code]
            place += then if holds else otherwise


def fails_with(code: int) -> int:
    return 0x00050000 | code


@pytest.mark.parametrize("machine", ["x86_64", "aarch64"])
def test_what_is_in_the_table_is_refused_and_what_is_needed_goes_on(machine: str) -> None:
    column = ("x86_64", "aarch64").index(machine)
    for numbers in REFUSED.values():
        if (number := numbers[column]) is not None:
            assert verdict(machine, number) == fails_with(errno.EPERM)
    for needed in NEEDED.values():
        assert verdict(machine, needed[column]) == ALLOW


@pytest.mark.parametrize(("machine", "clone", "kill", "limits"), [("x86_64", 56, 62, 302), ("aarch64", 220, 129, 261)])
def test_threads_may_be_started_and_processes_may_not(machine: str, clone: int, kill: int, limits: int) -> None:
    assert verdict(machine, clone, 0x3D0F00) == ALLOW
    assert verdict(machine, clone, 17) == fails_with(errno.EPERM)
    assert verdict(machine, 435) == fails_with(errno.ENOSYS), "clone3: its flags lie in memory, where no filter looks"
    assert verdict(machine, kill, PID) == ALLOW
    for other in (0, 1, PID + 1, 2**32 - 1):
        assert verdict(machine, kill, other) == fails_with(errno.EPERM)
    assert (verdict(machine, limits, 0), verdict(machine, limits, PID + 1)) == (ALLOW, fails_with(errno.EPERM))


@pytest.mark.parametrize(("machine", "calls"), [("x86_64", (203, 144, 142, 314, 256, 279)), ("aarch64", (122, 119, 118, 274, 238, 239))])
def test_it_may_say_where_and_how_it_runs_itself_and_not_of_others(machine: str, calls: tuple[int, ...]) -> None:
    for call in calls:
        assert verdict(machine, call, 0) == verdict(machine, call, PID) == ALLOW
        assert verdict(machine, call, PID + 1) == fails_with(errno.EPERM)


@pytest.mark.parametrize(("machine", "fcntl", "ioctl"), [("x86_64", 72, 16), ("aarch64", 25, 29)])
def test_of_calls_that_do_many_things_only_those_are_refused_that_reach_others(machine: str, fcntl: int, ioctl: int) -> None:
    for owner in (8, 10, 15):
        assert verdict(machine, fcntl, 3, owner) == fails_with(errno.EPERM), "the kernel would signal whoever is named"
    for shared in (1024, 1026):
        assert verdict(machine, fcntl, 3, shared) == fails_with(errno.EPERM)
    for own in (0, 1, 2, 3, 4, 5, 6, 7, 9, 1030, 1031):  # copies and flags of a descriptor, locks, a pipe's size
        assert verdict(machine, fcntl, 3, own) == ALLOW
    for foreign in (0x8901, 0x8902, 0x5412, 0x541C, 0x40086602, 0x40087602, 0x401C5820, 0x40806685):
        assert verdict(machine, ioctl, 3, foreign) == fails_with(errno.EPERM)
    for own in (0x5401, 0x541B, 0x5451, 0xC0406400):  # TCGETS, FIONREAD, FIOCLEX, and what a graphics driver is asked for its version
        assert verdict(machine, ioctl, 3, own) == ALLOW


def test_other_ways_to_make_system_calls_are_shut() -> None:
    assert verdict("x86_64", 1, arch=0x40000003) == KILL, "32-bit calls have other numbers"
    assert verdict("x86_64", 0x40000000 + 41) == fails_with(errno.ENOSYS)


def test_rights_of_files_seem_to_be_set() -> None:
    for numbers in PRETENDED.values():
        assert numbers[0] is not None and verdict("x86_64", numbers[0]) == fails_with(0)


def test_a_processor_that_is_not_in_the_table_has_no_filter() -> None:
    assert assemble("riscv64", PID) is None


def test_no_number_stands_twice() -> None:
    for column in (0, 1):
        numbers = [
            pair[column]
            for pair in (*REFUSED.values(), *PRETENDED.values(), *(known for known, _ in EXCEPT.values()))
            if pair[column] is not None
        ]
        assert len(numbers) == len(set(numbers))

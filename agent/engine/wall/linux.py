"""The wall on Linux: Landlock for files, seccomp for the network and programs, and limits of what one process may take."""

import ctypes
import os
import resource
from contextlib import suppress
from pathlib import Path

from agent.app.health import OPEN, Wall
from agent.engine.wall import landlock, seccomp
from agent.engine.wall.rooms import Rooms

_MIB = 1024 * 1024
_OPEN_FILES = 512
_LARGEST_FILE = 1024 * _MIB  # of the kernels and models in the scratch folder

_SET_DUMPABLE, _SET_NO_NEW_PRIVS = 4, 38

# Libraries; time zones and chance.
_SYSTEM = ("/usr/lib", "/usr/lib32", "/usr/lib64", "/usr/local/lib", "/lib", "/lib64", "/nix/store", "/etc/ld.so.cache")
_SOURCES = ("/usr/share/zoneinfo", "/etc/localtime", "/dev/urandom", "/dev/random", "/dev/zero")
# How OpenVINO learns of cores, caches and memory. Of /proc only what concerns this process: what others were started with stays theirs.
_FACTS = (
    "/proc/self",
    "/proc/cpuinfo",
    "/proc/meminfo",
    "/proc/stat",
    "/proc/sys/vm",
    "/sys/devices/system",
    "/sys/fs/cgroup",
    "/sys/kernel/mm",
)
# An accelerator's driver finds its device and talks to it.
_DRIVERS = ("/sys", "/etc/OpenCL", "/etc/vulkan", "/etc/drirc", "/usr/share", "/run/opengl-driver")
_DEVICES = ("/dev/dri", "/dev/accel")


def raise_wall(rooms: Rooms) -> Wall:
    """Wall in this process. Call it while there is one thread only: Landlock holds those started afterwards."""
    libc = ctypes.CDLL(None)
    libc.prctl(_SET_DUMPABLE, 0, 0, 0, 0)  # other programs of the user can't look into its memory either, and there is no core file
    _limit(rooms)
    if libc.prctl(_SET_NO_NEW_PRIVS, 1, 0, 0, 0) != 0:
        return OPEN
    alone = len(os.listdir("/proc/self/task")) == 1  # noqa: PTH208 - names are all that is wanted
    version = landlock.restrict(_grants(rooms))
    filtered = seccomp.install()
    held = version > 0 and alone
    parts = (f"Landlock {version}" if held else "", "seccomp" if filtered else "")
    return Wall(files=held, writes=held and filtered, network=filtered, programs=filtered, by=", ".join(filter(None, parts)))


def _grants(rooms: Rooms) -> list[tuple[Path, int]]:
    read = [*rooms.read, *map(Path, (*_SYSTEM, *_SOURCES, *_FACTS, *(_DRIVERS if rooms.devices else ())))]
    return [
        *((path, landlock.READ) for path in read),
        *((path, landlock.WRITE) for path in rooms.write),
        (Path("/dev/null"), landlock.WRITE),
        *((Path(path), landlock.DEVICE) for path in (_DEVICES if rooms.devices else ())),
    ]


def _limit(rooms: Rooms) -> None:
    limits = {
        resource.RLIMIT_CORE: 0,
        resource.RLIMIT_NOFILE: _OPEN_FILES,
        resource.RLIMIT_FSIZE: _LARGEST_FILE,
        resource.RLIMIT_MSGQUEUE: 0,
    }
    if rooms.address_space is not None:
        limits[resource.RLIMIT_AS] = rooms.address_space
    for kind, most in limits.items():
        _, hard = resource.getrlimit(kind)
        least = most if hard == resource.RLIM_INFINITY else min(most, hard)
        with suppress(OSError, ValueError):
            resource.setrlimit(kind, (least, least))

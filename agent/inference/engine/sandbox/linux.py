"""The sandbox on Linux: Landlock for files, seccomp for the network and programs, and resource limits."""

import ctypes
import os
from pathlib import Path

from agent.inference.engine.sandbox import landlock, seccomp
from agent.inference.engine.sandbox.report import OPEN, Sandbox
from agent.inference.engine.sandbox.sandbox_paths import SandboxPaths, limit

_SET_DUMPABLE, _SET_NO_NEW_PRIVS = 4, 38

# Libraries; time zones and random numbers.
_SYSTEM = ("/usr/lib", "/usr/lib32", "/usr/lib64", "/usr/local/lib", "/lib", "/lib64", "/nix/store", "/etc/ld.so.cache")
_SOURCES = ("/usr/share/zoneinfo", "/etc/localtime", "/dev/urandom", "/dev/random", "/dev/zero")
# OpenVINO reads cores, caches and memory here. From /proc only this process's own entries: other programs' arguments stay private.
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
# An accelerator's driver finds its device and talks to it. CUDA and ROCm may have libraries of their own.
_DRIVERS = ("/sys", "/etc/OpenCL", "/etc/vulkan", "/etc/drirc", "/usr/share", "/run/opengl-driver")
_LIBRARIES = ("/usr/local/cuda", "/opt/rocm", "/proc/driver/nvidia", "/proc/devices")
_DEVICES = ("/dev/dri", "/dev/accel", "/dev/kfd", "/dev/dxg")
_DEVICE_FILES, _NVIDIA = Path("/dev"), "nvidia*"  # one per card, and those that all share


def enter_sandbox(rooms: SandboxPaths) -> Sandbox:
    """Sandbox this process. Call it while only one thread runs: Landlock restricts threads started afterwards."""
    libc = ctypes.CDLL(None)
    libc.prctl(_SET_DUMPABLE, 0, 0, 0, 0)  # the user's other programs can't read its memory either, and it leaves no core file
    limit(rooms.address_space)
    if libc.prctl(_SET_NO_NEW_PRIVS, 1, 0, 0, 0) != 0:
        return OPEN
    alone = len(os.listdir("/proc/self/task")) == 1  # noqa: PTH208 - names are all that is wanted
    version = landlock.restrict(_grants(rooms))
    filtered = seccomp.install()
    held = version > 0 and alone
    parts = (f"Landlock {version}" if held else "", "seccomp" if filtered else "")
    return Sandbox(files=held, writes=held and filtered, network=filtered, programs=filtered, by=", ".join(filter(None, parts)))


def _grants(rooms: SandboxPaths) -> list[tuple[Path, int]]:
    read = [*rooms.read, *map(Path, (*_SYSTEM, *_SOURCES, *_FACTS, *((*_DRIVERS, *_LIBRARIES) if rooms.devices else ())))]
    devices = [*map(Path, _DEVICES), *_DEVICE_FILES.glob(_NVIDIA)] if rooms.devices else []
    return [
        *((path, landlock.READ) for path in read),
        *((path, landlock.WRITE) for path in rooms.write),
        (Path("/dev/null"), landlock.WRITE),
        *((path, landlock.DEVICE) for path in devices),
    ]

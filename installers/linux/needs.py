"""The system libraries that the program's libraries need: read from the files themselves, as the loader does."""

import re
import subprocess
from collections.abc import Iterable
from dataclasses import dataclass
from functools import cache
from pathlib import Path

# Optional, loaded only if present: GTK's native theme, the cores of a hybrid processor, a graphics card.
_OPTIONAL = ("libqgtk3.so", "libtbbbind", "libopenvino_intel_gpu_plugin")
_NEEDED = re.compile(r"^\s+NEEDED\s+(\S+)", re.MULTILINE)
_GLIBC = re.compile(r"\bGLIBC_(\d+)\.(\d+)")
_LIMIT_S = 120


@dataclass(frozen=True, slots=True)
class Needs:
    """Names of libraries (`libEGL.so.1`) that are not in the program's folder, and the oldest usable glibc."""

    libraries: tuple[str, ...]
    glibc: str


@cache
def needs(program: Path) -> Needs:
    """Return the needs of `program`, the folder that PyInstaller built; it must not change afterwards."""
    files = [file for file in program.rglob("*") if file.is_file() and not file.is_symlink() and _is_elf(file)]
    own = {file.name for file in program.rglob("*")}
    wanted = [file for file in files if not file.name.startswith(_OPTIONAL)]
    told = "".join(_headers(wanted[start : start + 100]) for start in range(0, len(wanted), 100))
    versions = {(int(major), int(minor)) for major, minor in _GLIBC.findall(told)}
    newest = max(versions, default=(2, 28))
    return Needs(tuple(sorted(set(_NEEDED.findall(told)) - own)), f"{newest[0]}.{newest[1]}")


def packages(libraries: Iterable[str]) -> list[str]:
    """Return the Debian packages of this machine that contain these libraries. Raises LookupError for one that is not installed here."""
    places = {}
    for name in libraries:
        path = _known().get(name)
        if path is None:
            raise LookupError(f"{name} is not installed: scripts/setup/system.py lists what the desktop parts need")
        places[name] = path
    # dpkg may know the file by its path from before /lib became a link.
    asked = [str(alias) for path in places.values() for alias in (path.resolve(), Path("/usr", *path.resolve().parts[1:]))]
    done = subprocess.run(["dpkg", "-S", *asked], capture_output=True, text=True, timeout=_LIMIT_S, check=False)
    return sorted({line.split(":", 1)[0] for line in done.stdout.splitlines() if ": " in line and not line.startswith("diversion")})


@cache
def _known() -> dict[str, Path]:
    """Return name -> file of the libraries that this machine's loader knows."""
    told = subprocess.run(["/sbin/ldconfig", "-p"], capture_output=True, text=True, timeout=_LIMIT_S, check=True).stdout
    found: dict[str, Path] = {}
    for line in told.splitlines()[1:]:
        name, _, path = line.partition(" => ")
        if path and ("x86-64" in name or "AArch64" in name):
            found.setdefault(name.split()[0], Path(path))
    return found


def library_file(name: str) -> Path:
    """Return the file. Raises KeyError if the machine has no library of that name."""
    return _known()[name].resolve()


def _is_elf(file: Path) -> bool:
    with file.open("rb") as data:
        return data.read(4) == b"\x7fELF"


def _headers(files: list[Path]) -> str:
    return subprocess.run(["objdump", "-p", *map(str, files)], capture_output=True, text=True, timeout=_LIMIT_S, check=True).stdout

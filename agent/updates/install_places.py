"""How each kind of package takes the place of the one that runs: the small part of an installation that differs between systems."""

import ctypes
import os
import plistlib
import shutil
import stat
import subprocess
import sys
import tempfile
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Protocol, TypeAlias

from agent.core.build import Kind
from agent.core.files import copy_to_new, disk_full, sync_folder
from agent.domain.errors import UpdateDiskFull, UpdateFailed, UpdateUnwritable

Run: TypeAlias = Callable[[Sequence[str]], object]  # runs a tool; raises OSError, SubprocessError
Exchange: TypeAlias = Callable[[Path, Path], None]  # two things change names in one step; raises OSError

_TOOL_LIMIT_S = 600
_WINDOWS_PROGRAM = "ai-popup.exe"


class Place(Protocol):
    """Where a program lies that can be replaced in one step. Each call may come again after a kill. All raise OSError."""

    @property
    def at_once(self) -> bool:
        """Whether `swap` has put the new one in its place when it returns; else an installer does when this program has ended."""
        ...

    @property
    def command(self) -> Sequence[str]:
        """Starts what lies in the program's place now."""
        ...

    @property
    def staged_command(self) -> Sequence[str]:
        """Starts the new one before it is in its place."""
        ...

    def stage(self, file: Path) -> None:
        """Lay the new one beside it. Raises UpdateDiskFull, UpdateUnwritable, UpdateFailed."""
        ...

    def swap(self) -> None:
        """The new one takes the place; the old one is kept."""
        ...

    def undo(self) -> None:
        """The old one is in its place, whatever was done; nothing of the new one is left."""
        ...

    def settle(self) -> None:
        """The new one stays: nothing of the old one is left."""
        ...


class AppImagePlace:
    """One file, which its runtime names in `APPIMAGE`."""

    at_once = True

    def __init__(self, target: Path) -> None:
        self._target = target
        self._new = target.with_name(f".{target.name}.new")
        self._old = target.with_name(f".{target.name}.old")

    @property
    def command(self) -> Sequence[str]:
        return [str(self._target)]

    @property
    def staged_command(self) -> Sequence[str]:
        return [str(self._new)]

    def stage(self, file: Path) -> None:
        with _placing():
            self._old.unlink(missing_ok=True)
            copy_to_new(file, self._new, stat.S_IMODE(self._target.stat().st_mode) | 0o100)

    def swap(self) -> None:
        if not self._new.exists():
            return  # it was done
        self._old.unlink(missing_ok=True)
        try:
            os.link(self._target, self._old)
        except OSError:  # a file system without links
            copy_to_new(self._target, self._old, stat.S_IMODE(self._target.stat().st_mode))
        sync_folder(self._target.parent)
        self._new.replace(self._target)
        sync_folder(self._target.parent)

    def undo(self) -> None:
        if self._old.exists():
            self._old.replace(self._target)
        self._new.unlink(missing_ok=True)
        sync_folder(self._target.parent)

    def settle(self) -> None:
        self._old.unlink(missing_ok=True)


class MacPlace:
    """A folder `….app`. The new one is copied out of its disk image; both change names in one step."""

    at_once = True

    def __init__(self, target: Path, program: Path, version: str, *, run: Run, exchange: Exchange) -> None:
        """`program` is the path inside it of what is started, `version` the new one's."""
        self._target = target
        self._other = target.with_name(f".{target.name}.other")  # the new one, then the old one
        self._program = program
        self._version = version
        self._run = run
        self._exchange = exchange

    @property
    def command(self) -> Sequence[str]:
        return [str(self._target / self._program)]

    @property
    def staged_command(self) -> Sequence[str]:
        return [str(self._other / self._program)]

    def stage(self, file: Path) -> None:
        with _placing(), tempfile.TemporaryDirectory(prefix="ai-popup-", ignore_cleanup_errors=True) as mounted:
            shutil.rmtree(self._other, ignore_errors=True)
            self._run(["hdiutil", "attach", "-nobrowse", "-readonly", "-mountpoint", mounted, str(file)])
            try:
                [found] = Path(mounted).glob("*.app")
                self._run(["ditto", str(found), str(self._other)])
            except ValueError as error:
                raise UpdateFailed(version=self._version) from error
            finally:
                self._let_go(mounted)

    def _let_go(self, mounted: str) -> None:
        """By force where somebody looks into the disk image, as the system's search does with each new one: only read, it loses nothing."""
        try:
            self._run(["hdiutil", "detach", mounted])
        except subprocess.SubprocessError:
            self._run(["hdiutil", "detach", mounted, "-force"])

    def swap(self) -> None:
        if not self._is_new(self._target):
            self._exchange(self._other, self._target)

    def undo(self) -> None:
        if self._is_new(self._target) and self._other.exists():
            self._exchange(self._other, self._target)
        self.settle()

    def settle(self) -> None:
        if self._other.exists():
            shutil.rmtree(self._other)

    def _is_new(self, app: Path) -> bool:
        with suppress(OSError, plistlib.InvalidFileException):
            facts = plistlib.loads((app / "Contents" / "Info.plist").read_bytes())
            return bool(facts.get("CFBundleShortVersionString") == self._version)
        return False


class NsisPlace:
    """A folder of Windows, which nobody can rename while the program in it runs: the new version is unpacked beside it to be tried; to put
    it in its place, its installer waits for the end of this program. That installer brings the old one back where it can't write.
    """

    at_once = False

    def __init__(self, target: Path, *, run: Run, start: Run, restart: bool) -> None:
        """`start` starts what outlives this process; with `restart` the new version is started when it is in its place."""
        self._target = target
        self._new = target.with_name(f"{target.name}.new")  # installers/windows/ai-popup.nsi names it too
        self._setup = target.with_name(f"{target.name}.setup.exe")
        self._run = run
        self._start = start
        self._restart = restart

    @property
    def command(self) -> Sequence[str]:
        return [str(self._target / _WINDOWS_PROGRAM)]

    @property
    def staged_command(self) -> Sequence[str]:
        return [str(self._new / _WINDOWS_PROGRAM)]

    def stage(self, file: Path) -> None:
        with _placing():
            copy_to_new(file, self._setup)
            self._run([str(self._setup), "/S", "/UNPACK"])

    def swap(self) -> None:
        if self._setup.exists():
            self._start([str(self._setup), "/S", *(["/START"] if self._restart else [])])

    def undo(self) -> None:
        self.settle()

    def settle(self) -> None:
        self._setup.unlink(missing_ok=True)
        if self._new.exists():
            shutil.rmtree(self._new)


def place_of(
    kind: Kind,
    version: str,
    *,
    start: Run,
    restart: bool = False,
    environ: Mapping[str, str] = os.environ,
    executable: str = sys.executable,
) -> Place | None:
    """Where this program lies and `version` may take its place; None if it can't be replaced so. `start`, `restart`: as of NsisPlace."""
    if kind is Kind.APPIMAGE and (named := environ.get("APPIMAGE")):
        return AppImagePlace(Path(named))
    if kind is Kind.DMG:
        app = next((folder for folder in Path(executable).parents if folder.suffix == ".app"), None)
        if app is not None:
            return MacPlace(app, Path(executable).relative_to(app), version, run=run_tool, exchange=exchange_names)
    if kind is Kind.NSIS:
        return NsisPlace(Path(executable).parent, run=run_tool, start=start, restart=restart)
    return None


def run_tool(command: Sequence[str]) -> None:
    """Raises OSError, SubprocessError."""
    none = subprocess.DEVNULL
    subprocess.run(command, stdin=none, stdout=none, stderr=none, check=True, timeout=_TOOL_LIMIT_S)


def exchange_names(one: Path, other: Path) -> None:
    """On macOS. Raises OSError."""
    libc = ctypes.CDLL(None, use_errno=True)
    swap = 2  # RENAME_SWAP
    if libc.renamex_np(os.fsencode(one), os.fsencode(other), swap) != 0:
        raise OSError(ctypes.get_errno(), "renamex_np")


@contextmanager
def _placing() -> Iterator[None]:
    try:
        yield
    except OSError as error:
        raise (UpdateDiskFull if disk_full(error) else UpdateUnwritable) from error
    except subprocess.SubprocessError as error:
        raise UpdateUnwritable from error

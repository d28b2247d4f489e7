"""Replaces the running program, by kind of package: the small part of an installation that differs between systems."""

import ctypes
import os
import shutil
import stat
import subprocess
import sys
import tempfile
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Protocol, TypeAlias

from agent.domain.errors import UpdateDiskFull, UpdateFailed, UpdateUnwritable
from agent.infrastructure.core.files import copy_to_new, disk_full, sync_folder
from agent.infrastructure.core.package_info import PackageKind

Run: TypeAlias = Callable[[Sequence[str]], object]  # runs a tool; raises OSError, SubprocessError
Exchange: TypeAlias = Callable[[Path, Path], None]  # swaps the names of two files or folders in one step; raises OSError

_TOOL_LIMIT_S = 600
_WINDOWS_PROGRAM = "ai-popup.exe"
_WITHOUT_CONSOLE = "ai-popup-window.exe"  # and with a watchdog


class InstallPlace(Protocol):
    """A program's location, replaceable in one step. Each call may be repeated after a kill. All raise OSError."""

    @property
    def at_once(self) -> bool:
        """Whether the new version is in place when `swap` returns; otherwise an installer does it after this program ends."""
        ...

    @property
    def command(self) -> Sequence[str]:
        """Starts the version that is in place now."""
        ...

    @property
    def staged_command(self) -> Sequence[str]:
        """Starts the new version before it is in place."""
        ...

    def stage(self, file: Path) -> None:
        """Unpack the new version beside the old one. Raises UpdateDiskFull, UpdateUnwritable, UpdateFailed."""
        ...

    def swap(self) -> None:
        """Put the new version in place; the old one is kept."""
        ...

    def undo(self) -> None:
        """Restore the old version, at any stage; delete the new one."""
        ...

    def settle(self) -> None:
        """Keep the new version; delete the old one."""
        ...


class AppImagePlace:
    """A single file, named by its runtime in `APPIMAGE`."""

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
            return  # already done
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
    """A folder `….app`. The new version is copied from its disk image; both swap names in one step."""

    at_once = True

    def __init__(self, target: Path, program: Path, version: str, *, run: Run, exchange: Exchange) -> None:
        """`program` is the path inside it of the executable, `version` the new version."""
        self._target = target
        self._other = target.with_name(f".{target.name}.other")  # the new version, then the old one
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
        """Force the unmount if another program uses the disk image, as the system's search does with each new one: it is read-only."""
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
        import plistlib  # only here: it loads an XML parser, which nothing else in this process needs

        with suppress(OSError, plistlib.InvalidFileException):
            facts = plistlib.loads((app / "Contents" / "Info.plist").read_bytes())
            return bool(facts.get("CFBundleShortVersionString") == self._version)
        return False


class NsisPlace:
    """A folder on Windows, which can't be renamed while its program runs: the new version is unpacked beside it for the trial; its
    installer then waits for the end of this program to put it in place, and restores the old version if it can't write.
    """

    at_once = False

    def __init__(self, target: Path, *, run: Run, start: Run, restart: bool) -> None:
        """`start` starts a process that outlives this one; with `restart` the new version is started once it is in place."""
        self._target = target
        self._new = target.with_name(f"{target.name}.new")  # installers/windows/ai-popup.nsi names it too
        self._setup = target.with_name(f"{target.name}.setup.exe")
        self._run = run
        self._start = start
        self._restart = restart

    @property
    def command(self) -> Sequence[str]:
        return [str(self._target / _WITHOUT_CONSOLE)]

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
    kind: PackageKind,
    version: str,
    *,
    start: Run,
    restart: bool = False,
    environ: Mapping[str, str] = os.environ,
    executable: str = sys.executable,
) -> InstallPlace | None:
    """This program's location, to be replaced by `version`; None if it can't be replaced. `start`, `restart`: as for NsisPlace."""
    if kind is PackageKind.APPIMAGE and (named := environ.get("APPIMAGE")):
        return AppImagePlace(Path(named))
    if kind is PackageKind.DMG:
        app = next((folder for folder in Path(executable).parents if folder.suffix == ".app"), None)
        if app is not None:
            return MacPlace(app, Path(executable).relative_to(app), version, run=run_subprocess, exchange=exchange_names)
    if kind is PackageKind.NSIS:
        return NsisPlace(Path(executable).parent, run=run_subprocess, start=start, restart=restart)
    return None


def run_subprocess(command: Sequence[str]) -> None:
    """Raises OSError, SubprocessError."""
    none = subprocess.DEVNULL
    subprocess.run(command, stdin=none, stdout=none, stderr=none, check=True, timeout=_TOOL_LIMIT_S)


def exchange_names(one: Path, other: Path) -> None:
    """Swap two names on macOS. Raises OSError."""
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

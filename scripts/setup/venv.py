"""The checkout's virtual environment: kept intact or created again, with only the packages that the lock files name by hash."""

import contextlib
import hashlib
import importlib.util
import json
import os
import re
import shutil
import sys
from dataclasses import dataclass
from pathlib import Path

from scripts.setup import uv
from scripts.setup.console import Console, SetupFailed, Step
from scripts.setup.processes import answers, run_logged
from scripts.setup.system import apt_install, can_apt

TOOLS = "installers/locks/requirements-tools.lock"
_NOTES = "ai-popup-setup.json"
# Marks in the notes: a change is in progress; this set-up created the environment, so it may create it again.
_BUSY = "busy"
_OURS = "ours"


@dataclass(frozen=True)
class Venv:
    """`checkout/.venv`, with notes about the installed lock files (name -> SHA-256)."""

    checkout: Path

    @property
    def folder(self) -> Path:
        return self.checkout / ".venv"

    @property
    def bin(self) -> Path:
        return self.folder / ("Scripts" if sys.platform == "win32" else "bin")

    @property
    def python(self) -> Path:
        return self.bin / ("python.exe" if sys.platform == "win32" else "python")

    def has(self, lock: str) -> bool:
        """Return whether the environment exists and contains what this lock file names now."""
        return self.python.exists() and self.notes().get(lock) == self._digest(lock)

    def notes(self) -> dict[str, str]:
        try:
            notes = json.loads((self.folder / _NOTES).read_text(encoding="utf-8"))
        except (OSError, ValueError):
            return {}
        return {str(name): str(value) for name, value in notes.items()} if isinstance(notes, dict) else {}

    def write_notes(self, notes: dict[str, str]) -> None:
        target = self.folder / _NOTES
        fresh = target.with_suffix(".new")
        with fresh.open("w", encoding="utf-8") as file:
            json.dump(notes, file)
            file.flush()
            os.fsync(file.fileno())
        fresh.replace(target)

    def _digest(self, lock: str) -> str:
        return hashlib.sha256((self.checkout / lock).read_bytes()).hexdigest()

    def ensure(self, console: Console) -> None:
        """Create the environment if it is missing, broken or left half changed by a killed set-up. Raises SetupFailed."""
        notes = self.notes()
        interrupted = _BUSY in notes and _OURS in notes
        if self.python.exists() and not interrupted and (notes or self._stands()):
            return
        with console.step("venv"):
            if self.folder.exists():
                console.note("the environment is not whole: made again")
                try:
                    shutil.rmtree(self.folder)
                except OSError as error:
                    raise SetupFailed("venv_broken") from error
            self.folder.mkdir()
            self.write_notes({_OURS: "yes", _BUSY: "venv"})
            self._create(console)
            self._find_checkout()
            self.write_notes({_OURS: "yes"})

    def install(self, console: Console, lock: str) -> None:
        """Install exactly the packages of a lock file. Raises SetupFailed."""
        if self.has(lock):
            return
        notes = {name: value for name, value in self.notes().items() if name != _BUSY}
        # After a kill during replacement, a package may be incomplete but look complete: the mark makes the next set-up start again.
        self.write_notes({**notes, _BUSY: lock})
        self._find_checkout()
        total = len(re.findall(r"^[^ #]+==", (self.checkout / lock).read_text(encoding="utf-8"), re.MULTILINE))
        with console.step("packages", count=total, what=console.texts(f"setup.locks.{Path(lock).stem}")) as step:
            try:
                self._fill(console, self.checkout / lock, step)
            except SetupFailed:
                self.write_notes(notes)  # pip ended normally and left everything complete
                raise
        self.write_notes({**notes, lock: self._digest(lock)})

    def _fill(self, console: Console, lock: Path, step: Step) -> None:
        """Install with uv, except for the lock file that installs uv. The lock also names what builds the one source package."""

        def follow(line: str) -> None:
            verb, _, rest = line.strip().partition(" ")
            if verb in ("Collecting", "Downloading", "Building", "Prepared"):
                step.detail = re.split(r"[=\s]", rest)[0] if verb != "Prepared" else console.texts("setup.unpacking")

        if lock.name == Path(TOOLS).name:
            words = ["install", "--require-hashes", "--no-deps", "--progress-bar", "off", "-r", str(lock)]
            run_logged(console, [*self._pip(), *words], on_line=follow)
        else:
            tool = self.bin / ("uv.exe" if sys.platform == "win32" else "uv")
            run_logged(console, uv.command(tool, self.python, lock), cwd=uv.folder(), env=uv.settings(self.python), on_line=follow)

    def _stands(self) -> bool:
        """Return whether the environment works; one created by another tool is accepted if it does."""
        return answers([str(self.python), "-m", "pip", "--version"]) is not None

    def _pip(self) -> list[str]:
        if any(self._site_packages().glob("pip-*.dist-info")):
            return [str(self.python), "-m", "pip"]
        return [_base_python(), "-m", "pip", "--python", str(self.python)]

    def _create(self, console: Console) -> None:
        base = _base_python()
        ensurepip = importlib.util.find_spec("ensurepip")
        bundled = ensurepip is not None and ensurepip.origin is not None  # an emptied folder still counts as a package
        if not bundled and answers([base, "-m", "pip", "--version"]) is None:
            # Debian has the environment-creating part of Python in a separate package.
            package = f"python{sys.version_info.major}.{sys.version_info.minor}-venv"
            if not can_apt():
                raise SetupFailed("no_ensurepip", package=package)
            apt_install(console, [package])
            bundled = True
        run_logged(console, [base, "-m", "venv", *([] if bundled else ["--without-pip"]), str(self.folder)])

    def _find_checkout(self) -> None:
        """Make the checkout's packages importable from every folder: the program runs from the checkout, it is not installed."""
        (self._site_packages() / "ai_popup_checkout.pth").write_text(f"{self.checkout}\n", encoding="utf-8")

    def _site_packages(self) -> Path:
        if sys.platform == "win32":
            return self.folder / "Lib" / "site-packages"
        with contextlib.suppress(StopIteration):
            return next((self.folder / "lib").glob("python3*/site-packages"))
        raise SetupFailed("venv_broken")


def _base_python() -> str:
    """Return the interpreter itself, even when this runs inside the environment that is about to be replaced."""
    return str(getattr(sys, "_base_executable", None) or sys.executable)

"""Wine as the Windows of these tests, and a stand-in for the program in the installers', as PyInstaller would take ten minutes."""

import os
import re
import resource
import shutil
import signal
import subprocess
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import TypeAlias

import pytest

from installers.windows.staging import PROGRAM, WINDOW
from tests.packages.windows.windows_python import COMPILER, make

HERE = Path(__file__).parent
TOOLS = ("wine", "wineserver", "makensis", "wixl", "msiinfo")
UNINSTALL = r"Software\Microsoft\Windows\CurrentVersion\Uninstall\ai-popup"
MakeStandIn: TypeAlias = Callable[[str], Path]


class Wine:
    """One Windows of its own, with one user. Its programs end with it."""

    def __init__(self, prefix: Path) -> None:
        self.prefix = prefix
        self.local = prefix / "drive_c" / "users" / "tester" / "AppData" / "Local"
        self.start_menu = (
            prefix / "drive_c" / "users" / "tester" / "AppData" / "Roaming" / "Microsoft" / "Windows" / "Start Menu" / "Programs"
        )
        home = str(prefix.parent)
        self.environment = {
            "PATH": os.environ["PATH"],
            "WINEPREFIX": str(prefix),
            "WINEARCH": "win64",
            "WINEDEBUG": "-all",
            "WINEDLLOVERRIDES": "mscoree,mshtml,winemenubuilder.exe=",
            "HOME": home,
            "XDG_RUNTIME_DIR": home,
            "USER": "tester",
            "LC_ALL": "C.UTF-8",
        }  # and no TMPDIR: Wine 10's server falls over it

    def speak_chinese(self) -> None:
        locales = self.prefix.parent / "locales"
        locales.mkdir()
        subprocess.run(["localedef", "-i", "zh_CN", "-f", "UTF-8", str(locales / "zh_CN.UTF-8")], check=True, timeout=100)
        self.environment |= {"LOCPATH": str(locales), "LC_ALL": "zh_CN.UTF-8"}

    def make(self) -> None:
        self._run(["wineboot", "-i"])
        self.settle()

    def stay(self) -> None:
        """Begin its services and keep them until the end: those that a program begins hold the pipes of that program."""
        none = subprocess.DEVNULL
        subprocess.run(["wineserver", "-p"], env=self.environment, stdout=none, stderr=none, timeout=60, check=True)
        self._run(["cmd", "/c", "exit"])

    def settle(self) -> None:
        """Wait until nothing runs any more."""
        subprocess.run(["wineserver", "-w"], env=self.environment, timeout=120, check=True)

    def end(self) -> None:
        subprocess.run(["wineserver", "-k"], env=self.environment, timeout=60, check=False)
        self.settle()

    def run(self, program: Path | str, *words: str, largest_file: int | None = None) -> int:
        """Run to the end; returns the exit code. No file may grow beyond `largest_file` bytes: as a full disk, for nobody else."""
        limit = _limit(largest_file) if largest_file is not None else None
        return self._run([str(program), *words], before=limit)

    def start(self, program: Path, *words: str) -> None:
        """It ends with this Windows."""
        self._run(["start", "/unix", str(program), *words])

    def line(self, command: str) -> int:
        """A command line just as it stands: NSIS wants one word without the quotes that its blanks would get."""
        file = self.prefix / "drive_c" / "line.bat"
        file.write_text(f"@{command}\r\n@exit %ERRORLEVEL%\r\n")
        return self._run(["cmd", "/c", r"C:\line.bat"])

    def registry(self, key: str, root: str = "HKCU") -> dict[str, dict[str, str]]:
        """The key and all below it, by how their names go on from its own: values by name, "@" is the key's own. Empty if there is none."""
        file = self.prefix.parent / "export.reg"
        if self._run(["reg", "export", f"{root}\\{key}", str(file), "/y"]):
            return {}
        found: dict[str, dict[str, str]] = {}
        values: dict[str, str] = {}
        for line in file.read_text(encoding="utf-16").splitlines():
            if line.startswith("["):
                name = line.strip("[]").partition("\\")[2]
                values = found.setdefault(name[len(key) :].strip("\\"), {})
            elif match := re.fullmatch(r'(?:"(.*?)"|(@))=(?:"(.*)"|(.*))', line):
                text = match[4] or re.sub(r"\\(.)", r"\1", match[3] or "")
                values[match[1] or match[2]] = text
        return found

    def set_registry(self, key: str, name: str, value: str) -> None:
        assert self._run(["reg", "add", key, "/v", name, "/d", value, "/f"]) == 0

    def _run(self, words: Sequence[str], before: Callable[[], None] | None = None) -> int:
        none = subprocess.DEVNULL
        done = subprocess.run(
            ["wine", *words], env=self.environment, stdin=none, stdout=none, stderr=none, timeout=120, check=False, preexec_fn=before
        )
        return done.returncode


def _limit(size: int) -> Callable[[], None]:
    def apply() -> None:
        signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
        resource.setrlimit(resource.RLIMIT_FSIZE, (size, resource.RLIM_INFINITY))

    return apply


def until(condition: Callable[[], bool], *, limit_s: float = 20) -> None:
    """Files are all that tells of what runs under Wine."""
    end = time.monotonic() + limit_s
    while not condition():
        assert time.monotonic() < end, "did not come"
        time.sleep(0.05)


@pytest.fixture(scope="session")
def fresh_wine(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    if missing := [tool for tool in TOOLS if shutil.which(tool) is None]:
        pytest.skip(f"needs {' '.join(missing)}")
    folder = tmp_path_factory.mktemp("wine")
    wine = Wine(folder / "fresh")
    wine.make()
    yield wine.prefix
    shutil.rmtree(folder)


@pytest.fixture
def wine(fresh_wine: Path, tmp_path: Path) -> Iterator[Wine]:
    """A new Windows: its own files are links to the fresh one's, and only what changes is copied."""
    prefix = tmp_path / "windows"
    shutil.copytree(fresh_wine, prefix, symlinks=True, copy_function=_linked)
    wine = Wine(prefix)
    yield wine
    wine.end()
    shutil.rmtree(prefix)


def _linked(source: str, target: str) -> None:
    if source.endswith((".dll", ".exe", ".sys", ".drv", ".ocx", ".tlb", ".nls")):
        os.link(source, target)
    else:
        shutil.copy2(source, target)


@pytest.fixture(scope="session")
def python(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """Windows' own Python with the program's packages."""
    if shutil.which(COMPILER) is None:
        pytest.skip(f"needs {COMPILER}")
    folder = tmp_path_factory.mktemp("python")
    yield make(folder)
    shutil.rmtree(folder)


@pytest.fixture(scope="session")
def stand_in(fresh_wine: Path, tmp_path_factory: pytest.TempPathFactory) -> MakeStandIn:
    """Makes a folder as PyInstaller would, with a program that only runs until it is asked to end: by version."""
    made: dict[str, Path] = {}

    def make(version: str) -> Path:
        if version not in made:
            folder = tmp_path_factory.mktemp("program") / "ai-popup"
            (folder / "_internal" / "some files").mkdir(parents=True)
            (folder / "_internal" / "some files" / f"only in {version}.txt").write_text(version)
            program = folder / PROGRAM
            words = ["-V1", "-INPUTCHARSET", "UTF8", f"-DVERSION={version}", f"-DOUT={program}", str(HERE / "stand_in.nsi")]
            subprocess.run(["makensis", *words], check=True, timeout=60, stdin=subprocess.DEVNULL)
            shutil.copy2(program, folder / WINDOW)
            made[version] = folder
        return made[version]

    return make


def files_of(folder: Path) -> Mapping[str, bytes]:
    return {str(file.relative_to(folder)): file.read_bytes() for file in folder.rglob("*") if file.is_file()}

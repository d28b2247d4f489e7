"""The group `installed`: the package's size, the time to its icon, and the time from apt to the first face (Linux)."""

import contextlib
import os
import shutil
import signal
import subprocess
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path

from agent import __version__
from agent.features.models.model_store import ModelStore
from installers.frozen import frozen
from installers.linux.tree import HOME
from installers.make import package
from installers.slim_opencv import slim_opencv
from scripts.benchmarks.rows import ROOT, Row, at_most, median
from scripts.program import started
from scripts.screens import display
from tests.packages.bare_system import HOME as USERS_HOME
from tests.packages.bare_system import bare_system, kept_archive, until

DEB_MB, INSTALLED_MB, COLD_S, WARM_S, RESULT_S = 220, 700, 2, 1, 120
_COLD, _WARM = 3, 5
_LIMIT_S = 60.0
_SETTINGS = '[library]\nkey_home = "file"\n'


def rows(long: bool) -> Iterator[Row]:
    """Yield the rows. Building takes minutes if anything changed; `long` adds nothing."""
    program = frozen(ROOT, slim_opencv(ROOT))
    with tempfile.TemporaryDirectory(prefix="ai-popup-installed-") as name:
        folder = Path(name)
        deb = package(program, "deb", folder, version=__version__, quick=False)
        tree = ROOT / "build" / "tree" / "deb"
        size = sum(path.stat().st_size for path in (tree / "usr").rglob("*") if path.is_file() and not path.is_symlink()) / 1e6
        yield at_most("deb_mb", deb.stat().st_size / 1e6, DEB_MB, [deb.stat().st_size / 1e6])
        yield at_most("installed_mb", size, INSTALLED_MB, [size])
        with display(), started("stalonetray", "--geometry", "3x1+0-0", "--icon-size", "24"):
            yield from _starts(tree / HOME, folder)
            yield from _first_result(deb, folder)


def _starts(home: Path, folder: Path) -> Iterator[Row]:
    """Yield the time from the start of the process to an icon in the tray, with an existing library."""
    settings = folder / "home" / "config" / "settings.toml"
    settings.parent.mkdir(parents=True)
    settings.write_text(_SETTINGS, encoding="utf-8")
    start = home / "ai-popup"
    _start(start, folder)  # creates the library
    cold = []
    for _ in range(_COLD):
        _forget(home)
        cold.append(_start(start, folder))
    warm = [_start(start, folder) for _ in range(_WARM)]
    yield median("start_cold_s", cold, COLD_S)
    yield median("start_warm_s", warm, WARM_S)


def _start(program: Path, folder: Path) -> float:
    """Return the seconds until the icon is there. Raises TimeoutError."""
    none = subprocess.DEVNULL
    before = _icons()
    began = time.perf_counter()
    process = subprocess.Popen(
        [program, "run"], stdin=none, stdout=none, stderr=none, env={**os.environ, "AI_POPUP_HOME": str(folder / "home")}
    )
    try:
        while _icons() <= before:
            if time.perf_counter() - began > _LIMIT_S:
                raise TimeoutError("no icon")
        return time.perf_counter() - began
    finally:
        process.send_signal(signal.SIGTERM)
        process.wait(_LIMIT_S)


def _icons() -> int:
    """Return the number of windows embedded in the tray."""
    trays = subprocess.run(["xdotool", "search", "--class", "stalonetray"], capture_output=True, text=True, timeout=_LIMIT_S, check=False)
    told = [
        subprocess.run(["xwininfo", "-children", "-id", tray], capture_output=True, text=True, timeout=_LIMIT_S, check=False).stdout
        for tray in trays.stdout.split()
    ]
    return sum(text.count("+") for text in told)


def _forget(home: Path) -> None:
    """Make the system read the program from its disk again."""
    os.sync()
    with contextlib.suppress(OSError):
        Path("/proc/sys/vm/drop_caches").write_text("3\n", encoding="ascii")  # root only; drops the whole cache
        return
    for path in home.rglob("*"):
        if path.is_file() and not path.is_symlink():
            with path.open("rb") as file:
                os.posix_fadvise(file.fileno(), 0, 0, os.POSIX_FADV_DONTNEED)


def _first_result(deb: Path, folder: Path) -> Iterator[Row]:
    """Yield the time from `apt-get update` on a bare Debian to a face in the library. Root only: other users get no row."""
    if os.geteuid() != 0:
        return
    samples = ModelStore(ROOT / "build" / "cache" / "models").fetch("samples")
    shared = folder / "shared"
    shared.mkdir()
    shutil.copyfile(deb, shared / "ai-popup.deb")
    subprocess.run(["xhost", "+local:"], stdout=subprocess.DEVNULL, check=True, timeout=_LIMIT_S)
    with bare_system(kept_archive(ROOT), folder, shared, {"DISPLAY": os.environ["DISPLAY"]}) as system:
        began = time.perf_counter()
        system.apt("update")
        system.apt("install", "/mnt/ai-popup.deb")
        photos = f"{USERS_HOME}/Pictures"
        system.run("mkdir", "-p", photos, f"{USERS_HOME}/.config/ai-popup")
        settings = f'{_SETTINGS}[[folders]]\npath = "{photos}"\n'
        system.run("sh", "-c", 'printf %s "$1" > ~/.config/ai-popup/settings.toml', "sh", settings)
        shutil.copyfile(samples / "obama.jpg", system.root / photos.lstrip("/") / "one.jpg")
        system.run("setsid", "-f", "sh", "-c", "exec ai-popup run >/dev/null 2>&1 </dev/null")
        until(lambda: system.says('"faces":1', "ai-popup", "status", "--json"), "a face")
        seconds = time.perf_counter() - began
    yield at_most("install_to_result_s", seconds, RESULT_S, [seconds])

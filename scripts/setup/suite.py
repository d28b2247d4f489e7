"""Runs the test suite: what the desktop tests need, the UI's checks, pytest with coverage, and at the very end pytest's closing line."""

import os
import re
import shutil
import subprocess
import sys
import threading
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import IO

from scripts.setup.console import Console
from scripts.setup.processes import end, environment, run_logged, running
from scripts.setup.system import QT_LIBRARIES, TEST_DESKTOP, apt_install, apt_missing, can_apt
from scripts.setup.ui import Ui, node
from scripts.setup.venv import Venv

_LIMIT_S = 75 * 60.0
_DRAIN_S = 5.0
_CLOSING_LINE = re.compile(r"=+ .*\b\d+ \w+.* in [\d.]+s.*=+")
_COLOUR = re.compile(r"\x1b\[[\d;]*m")


def desktop_ready(console: Console) -> None:
    """Install what the desktop tests need where we may, else say which tests don't run and why. Raises SetupFailed."""
    packages = [*TEST_DESKTOP, *QT_LIBRARIES]
    if can_apt():
        apt_install(console, packages)
    elif sys.platform != "linux":
        console.say("tests.other_system")
    elif shutil.which("dpkg-query") is None:
        console.say("tests.other_linux", tools=" ".join(TEST_DESKTOP))
    elif missing := apt_missing(packages):
        console.say("tests.missing", packages=" ".join(missing))


def ui_check(checkout: Path, console: Console, venv: Venv) -> None:
    """Types and tests of the UI. Raises SetupFailed."""
    npm, env = node(console, venv)
    ui = Ui(checkout)
    ui.install(console, npm, env)
    with console.step("ui_check"):
        run_logged(console, [npm, "run", "check"], cwd=ui.folder, env=env)


def run_suite(checkout: Path, venv: Venv, words: Sequence[str], *, no_skips: bool) -> int:
    """Run pytest; without words also measure branch coverage and fail below the bound in pyproject.toml. Returns the exit code."""
    python = [str(venv.python), "-P"]
    colour = "yes" if sys.stdout.isatty() else "no"
    pytest = ["-m", "pytest", f"--color={colour}", *(["-p", "scripts.setup.no_skips"] if no_skips else []), *words]
    if words:
        return _run_shown([*python, *pytest], checkout, environment())[0]
    data = checkout / "build" / "coverage"
    shutil.rmtree(data, ignore_errors=True)
    data.mkdir(parents=True)
    env = {**environment(), "COVERAGE_FILE": str(data / "data")}
    tests, closing = _run_shown([*python, "-m", "coverage", "run", *pytest], checkout, env)
    subprocess.run([*python, "-m", "coverage", "combine", "--quiet"], cwd=checkout, env=env, timeout=300, check=False)
    report = [*python, "-m", "coverage", "report", "--skip-covered", "--sort=cover"]
    covered = subprocess.run(report, cwd=checkout, env=env, timeout=300, check=False).returncode
    print(closing, flush=True)
    return tests or covered


def _run_shown(command: Sequence[str], cwd: Path, env: Mapping[str, str]) -> tuple[int, str]:
    """Run with the output passed on as it comes. Returns the exit code and pytest's closing line."""
    closing = ""

    def show(output: IO[bytes]) -> None:
        nonlocal closing
        tail = b""
        while piece := os.read(output.fileno(), 65_536):
            sys.stdout.buffer.write(piece)
            sys.stdout.buffer.flush()
            *lines, tail = (tail + piece).split(b"\n")
            for line in lines:
                text = line.decode("utf-8", "replace").rstrip()
                closing = text if _CLOSING_LINE.fullmatch(_COLOUR.sub("", text)) else closing

    with running(command, cwd=cwd, env={**env, "PYTHONUNBUFFERED": "1"}, limit=_LIMIT_S) as process:
        reader = threading.Thread(target=show, args=(process.stdout,), daemon=True)
        reader.start()
        code = process.wait()
        # Something a test left behind may still hold the pipe: the run is over all the same.
        reader.join(_DRAIN_S)
        if reader.is_alive():
            end(process)
            reader.join(_DRAIN_S)
    return code, closing

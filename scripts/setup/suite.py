"""Runs the test suite: the desktop tests' requirements, the UI's checks, pytest, and finally pytest's summary.

pytest runs twice: first for tests that start the program or other processes, then for tests that don't, which alone count for coverage.
"""

import os
import re
import shutil
import subprocess
import sys
import threading
import time
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import IO

from scripts.setup import unsteady
from scripts.setup.console import Console
from scripts.setup.processes import end, environment, run_logged, running
from scripts.setup.system import QT_LIBRARIES, TEST_DESKTOP, apt_install, apt_missing, can_apt
from scripts.setup.ui import Ui, node
from scripts.setup.venv import Venv

_LIMIT_S = 75 * 60.0
_DRAIN_S = 5.0
# On a busy machine the program lowers its engines' priority (`let_others_go_first`). Tests that run just above it share the cores with the
# engines that they wait for; at the usual priority, browsers of other tests would leave these a tenth of a core.
_NICE = 9
_SLOWEST = 25  # tests that are listed with their times, so that a run shows what it spent its time on
_HUNG_S = 20 * 60  # a test that ignores even its own time limit; the other tests continue without its process
# These start processes, most of them the program. Long files come first, so that no worker is left with one at the end.
_PROCESSES = ("installers", "journeys", "e2e", "integration", "scripts")
_IN_PROCESS = "integration/in_process"  # the whole agent with its edges swapped
_MOST_WORKERS = 6
# With pictures as small as those of the tests, a library's threads wait for each other longer than they work.
_ALONE = {"OPENBLAS_NUM_THREADS": "1", "OPENCV_FOR_THREADS_NUM": "1"}
_MEMORY = Path("/dev/shm")
_SCRATCH_BYTES = 1_000_000_000
# The lines after the failures: failed tests, one line each, and the totals.
_SUMMARY = re.compile(r"=+ short test summary info =+")
_CLOSING_LINE = re.compile(r"=+ .*\b\d+ \w+.* in [\d.]+s.*=+")
_COLOUR = re.compile(r"\x1b\[[\d;]*m")


def desktop_ready(console: Console) -> None:
    """Install the desktop tests' requirements if permitted; otherwise print which tests are skipped and why. Raises SetupFailed."""
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
    """Run the UI's types and tests. Raises SetupFailed."""
    npm, env = node(console, venv)
    ui = Ui(checkout)
    ui.install(console, npm, env)
    with console.step("ui_check"):
        run_logged(console, [npm, "run", "check"], cwd=ui.folder, env=env)


def run_suite(checkout: Path, venv: Venv, words: Sequence[str], plugins: Sequence[str] = (), *, again: bool = False) -> int:
    """Run pytest; without arguments also measure branch coverage and fail below the bound in pyproject.toml. Return the exit code.

    `again`: the few tests that failed run once more, alone.
    """
    python = [str(venv.python), "-P"]
    colour = "yes" if sys.stdout.isatty() else "no"
    pytest = [*python, "-m", "pytest", f"--color={colour}", *(f"-p{name}" for name in plugins), *words]
    if words:
        return _run_shown(pytest, checkout, environment(), _LIMIT_S)[0]
    unsteady.forget(checkout)
    started = time.monotonic()
    processes, closing = _run_shown([*_gently(), *pytest, *_spread(), *_processes()], checkout, environment(), _LIMIT_S)
    env = {**environment(), **quick()}
    env |= _measuring(checkout)
    plugin = ["-p", "scripts.setup.covered"]
    left = _LIMIT_S - (time.monotonic() - started)
    in_process, closing_too = _run_shown([*pytest, *plugin, *_spread(), *_in_process(checkout)], checkout, env, left)
    bound = _below_the_bound(python, checkout, env)
    for lines in (closing, closing_too):
        print(lines or f"The tests did not come to their end within {_LIMIT_S / 60:.0f} minutes.", flush=True)
    failed = processes or in_process
    if again and (few := unsteady.few_failed(checkout, (processes, in_process))):
        left = _LIMIT_S - (time.monotonic() - started)
        failed, _ = _run_shown([*_gently(), *pytest, *unsteady.AGAIN], checkout, environment(), left)
        print("" if failed else unsteady.lines(few), flush=True)
    return failed or bound


def _measuring(checkout: Path) -> dict[str, str]:
    """Return the environment that collects coverage in an empty folder."""
    data = checkout / "build" / "coverage"
    shutil.rmtree(data, ignore_errors=True)
    data.mkdir(parents=True)
    return {"COVERAGE_FILE": str(data / "data")}


def _below_the_bound(python: Sequence[str], checkout: Path, env: Mapping[str, str]) -> int:
    """Print the coverage of all workers together. Return an exit code: not 0 below the bound in pyproject.toml."""
    coverage = [*python, "-m", "coverage"]
    subprocess.run([*coverage, "combine", "--quiet"], cwd=checkout, env=env, timeout=300, check=False)
    report = [*coverage, "report", "--skip-covered", "--sort=cover"]
    return subprocess.run(report, cwd=checkout, env=env, timeout=300, check=False).returncode


def quick() -> dict[str, str]:
    """An environment for tests that write hundreds of small libraries and compute on small pictures."""
    try:
        roomy = os.access(_MEMORY, os.W_OK) and shutil.disk_usage(_MEMORY).free > _SCRATCH_BYTES
    except OSError:
        roomy = False
    return {**({"TMPDIR": str(_MEMORY)} if roomy else {}), **_ALONE}


def _spread() -> list[str]:
    """Return the options to list the slowest tests, and to run a test file per worker if each can have a screen, clipboard and keyring.

    Tests wait for programs, windows and timers as well as compute: half as many workers again as cores keep the cores busy.
    """
    cores = os.cpu_count() or 1
    workers = min(cores + cores // 2, _MOST_WORKERS) if sys.platform == "linux" else 1
    spread = ["-n", str(workers), "--dist", "loadfile", "--no-loadscope-reorder"] if workers > 1 else []
    return [*spread, f"--durations={_SLOWEST}", "-o", f"faulthandler_timeout={_HUNG_S}", "-o", "faulthandler_exit_on_timeout=true"]


def _gently() -> list[str]:
    """Return the words before a command that lower its priority."""
    if sys.platform != "linux" or shutil.which("nice") is None:
        return []
    return ["nice", "-n", str(max(0, _NICE - os.getpriority(os.PRIO_PROCESS, 0)))]


def _processes() -> list[str]:
    return [*(f"tests/{name}" for name in _PROCESSES), f"--ignore=tests/{_IN_PROCESS}"]


def _in_process(checkout: Path) -> list[str]:
    folders = {path.name for path in (checkout / "tests").iterdir() if path.is_dir() and not path.name.startswith("_")}
    return [f"tests/{name}" for name in [_IN_PROCESS, *sorted(folders - set(_PROCESSES))]]


def _run_shown(command: Sequence[str], cwd: Path, env: Mapping[str, str], limit: float) -> tuple[int, str]:
    """Run and pass the output on. Return the exit code and pytest's summary: failed tests and totals."""
    closing: list[str] = []

    def show(output: IO[bytes]) -> None:
        tail, summing = b"", False
        while piece := os.read(output.fileno(), 65_536):
            sys.stdout.buffer.write(piece)
            sys.stdout.buffer.flush()
            *lines, tail = (tail + piece).split(b"\n")
            for line in lines:
                text = line.decode("utf-8", "replace").rstrip()
                plain = _COLOUR.sub("", text)
                summing = summing or _SUMMARY.fullmatch(plain) is not None
                if summing or _CLOSING_LINE.fullmatch(plain):
                    closing.append(text)

    with running(command, cwd=cwd, env={**env, "PYTHONUNBUFFERED": "1"}, limit=limit) as process:
        reader = threading.Thread(target=show, args=(process.stdout,), daemon=True)
        reader.start()
        code = process.wait()
        # A process left behind by a test may still hold the pipe: the run is over all the same.
        reader.join(_DRAIN_S)
        if reader.is_alive():
            end(process)
            reader.join(_DRAIN_S)
    return code, "\n".join(closing)

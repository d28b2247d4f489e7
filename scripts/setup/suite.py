"""Runs the tests: everything fast, a smoke of each real thing, and of the slow ones those that are chosen (scripts/setup/wings.py).

Each part is one run of pytest; after the last one the summaries of all are printed again.
"""

import os
import re
import shutil
import subprocess
import sys
import threading
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import IO

from scripts.setup import wings
from scripts.setup.console import Console
from scripts.setup.processes import end, environment, run_logged, running
from scripts.setup.system import QT_LIBRARIES, TEST_DESKTOP, apt_install, apt_missing, can_apt
from scripts.setup.ui import Ui, node
from scripts.setup.venv import Venv

FAST = ("unit", "property", "contract", "docs", "scripts", "in_process")  # one process, or nothing of the program in another
SLOW = ("packages", "journeys", "browser", "program", "server", "process")  # the longest files first
_LIMIT_S = 75 * 60.0
_LIMIT_ALL_S = 5 * 3600.0
_DRAIN_S = 5.0
# On a busy machine the program lowers its engines' priority (`lower_priority`). Tests that run just above it share the cores with the
# engines that they wait for; at the usual priority, browsers of other tests would leave these a tenth of a core.
_NICE = 9
_HUNG_S = 20 * 60  # a test that ignores even its own time limit; the other tests continue without its process
_MOST_WORKERS = 6
# With pictures as small as those of the tests, a library's threads wait for each other longer than they work.
_ALONE = {"OPENBLAS_NUM_THREADS": "1", "OPENCV_FOR_THREADS_NUM": "1"}
_MEMORY = Path("/dev/shm")
_SCRATCH_BYTES = 1_000_000_000
# The lines after the failures: failed tests, one line each, and the totals.
_SUMMARY = re.compile(r"=+ short test summary info =+")
# As pytest ends with `-q`, and without.
_CLOSING_LINE = re.compile(r"(=+ )?\d+ (passed|failed|skipped|errors?|deselected|xfailed|warnings?)\b.* in [\d.]+s\b.*")
_COLOUR = re.compile(r"\x1b\[[\d;]*m")
_TEST = re.compile(r"^\s*(?:async )?def test_", re.MULTILINE)
_SMOKE = "pytest.mark.smoke"


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


@dataclass
class Suite:
    """The parts of a run. `strict`: a skipped test is a failure, because this machine has everything."""

    checkout: Path
    venv: Venv
    strict: bool
    limit_s: float = _LIMIT_S
    _started: float = field(default_factory=time.monotonic)
    _closing: list[str] = field(default_factory=list)
    _failed: int = 0

    def given(self, words: Sequence[str]) -> int:
        """Run pytest with these arguments alone. Return its exit code."""
        return _run_shown([*self._pytest(), *words], self.checkout, environment(), self.limit_s)[0]

    def fast(self, *, coverage: bool = False) -> None:
        """Run what needs one process, a test per free worker; with branch coverage if asked."""
        env, plugin = {**environment(), **quick()}, ["-pscripts.setup.budget"]
        if coverage:
            env |= _measuring(self.checkout)
            plugin.append("-pscripts.setup.covered")
        self._part("fast", [*self._pytest(), *plugin, *_spread("worksteal"), *(f"tests/{name}" for name in FAST)], env)
        if coverage:
            self._failed = self._failed or _below_the_bound(self._python(), self.checkout, env)

    def smoke(self) -> None:
        """Run one short test of each real thing; they are marked, and lie among the slow ones."""
        words = [*_gently(), *self._pytest(), "-pscripts.setup.budget", *_spread("loadfile"), "-m", "smoke", *smoke_files(self.checkout)]
        self._part("smoke", words, environment())

    def slow(self, paths: Sequence[str], words: Sequence[str] = ()) -> None:
        """Run the slow tests below these paths, a file per worker: many files share one program among their tests."""
        command = [*_gently(), *self._pytest(), *_spread("loadfile"), "--durations=25", "-m", "not smoke", *words, *paths]
        self._part("slow", command, environment())

    def ended(self, left_out: Sequence[str]) -> int:
        """Print the summaries once more, and what did not run. Return the exit code of the first part that failed, or 0."""
        print("", *self._closing, *left_out, sep="\n", flush=True)
        return self._failed

    def _part(self, name: str, command: Sequence[str], env: Mapping[str, str]) -> None:
        started = time.monotonic()
        code, closing = _run_shown(command, self.checkout, env, max(1.0, self.limit_s - (started - self._started)))
        spent = time.monotonic() - started
        self._closing.append(closing or f"The {name} tests did not come to their end within {self.limit_s / 60:.0f} minutes.")
        self._closing.append(f"{name}: {spent:.0f} s")
        self._failed = self._failed or code

    def _python(self) -> list[str]:
        return [str(self.venv.python), "-P"]

    def _pytest(self) -> list[str]:
        colour = "yes" if sys.stdout.isatty() else "no"
        plugins = ["-pscripts.setup.no_skips"] if self.strict else []
        return [*self._python(), "-m", "pytest", f"--color={colour}", *plugins]


def run_fast(checkout: Path, venv: Venv) -> int:
    """Everything fast, and the smokes."""
    suite = Suite(checkout, venv, strict=False)
    suite.fast()
    suite.smoke()
    return suite.ended([f"left out: {slow_tests(checkout)} slow tests (scripts/test.py --all)"])


def run_changed(checkout: Path, venv: Venv, *, strict: bool) -> int:
    """That, and the slow tests whose turn it is or that something has changed for."""
    chosen = wings.chosen(wings.wings(checkout), wings.history(checkout))
    suite = Suite(checkout, venv, strict)
    suite.fast()
    suite.smoke()
    if chosen.paths:
        suite.slow(chosen.paths)
    return suite.ended(chosen.left_out)


def run_all(checkout: Path, venv: Venv, *, strict: bool) -> int:
    """Everything, with coverage; kills, mutated files and mutants as often as a night permits."""
    suite = Suite(checkout, venv, strict, _LIMIT_ALL_S)
    suite.fast(coverage=True)
    suite.smoke()
    suite.slow([f"tests/{name}" for name in SLOW], ["--count", "200", "--cases", "2000"])
    failed = suite.ended([])
    mutants = subprocess.run([str(venv.python), "scripts/mutants.py"], cwd=checkout, env=environment(), timeout=_LIMIT_ALL_S, check=False)
    return failed or mutants.returncode


def run_given(checkout: Path, venv: Venv, words: Sequence[str]) -> int:
    """What pytest's own arguments say."""
    return Suite(checkout, venv, strict=False).given(words)


def smoke_files(checkout: Path) -> list[str]:
    """The files with a smoke in them: the others needn't be imported."""
    return [str(path.relative_to(checkout)) for path in _slow_files(checkout) if _SMOKE in path.read_text(encoding="utf-8")]


def slow_tests(checkout: Path) -> int:
    """How many test functions are slow and no smoke."""
    texts = [path.read_text(encoding="utf-8") for path in _slow_files(checkout)]
    return sum(len(_TEST.findall(text)) - text.count(f"@{_SMOKE}") for text in texts)


def _slow_files(checkout: Path) -> list[Path]:
    return sorted(path for name in SLOW for path in (checkout / "tests" / name).rglob("test_*.py"))


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


def _spread(distribution: str) -> list[str]:
    """Return the options for several workers, if each can have a screen, clipboard and keyring.

    Tests wait for programs, windows and timers as well as compute: half as many workers again as cores keep the cores busy.
    """
    cores = os.cpu_count() or 1
    workers = min(cores + cores // 2, _MOST_WORKERS) if sys.platform == "linux" else 1
    order = ["--no-loadscope-reorder"] if distribution == "loadfile" else []
    spread = ["-n", str(workers), "--dist", distribution, *order] if workers > 1 else []
    return ["-q", *spread, "-o", f"faulthandler_timeout={_HUNG_S}", "-o", "faulthandler_exit_on_timeout=true"]


def _gently() -> list[str]:
    """Return the words before a command that lower its priority."""
    if sys.platform != "linux" or shutil.which("nice") is None:
        return []
    return ["nice", "-n", str(max(0, _NICE - os.getpriority(os.PRIO_PROCESS, 0)))]


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

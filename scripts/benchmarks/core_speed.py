"""The rows `core_speed`: photos per second of this checkout against an earlier commit, both built and run in one call, alternately.

On a busy machine only the processor time per photo (agent and engines) can be compared: rows that end with `_cpu`.
"""

import os
import resource
import subprocess
import sys
import tempfile
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from agent.infrastructure.core.paths import HOME_VARIABLE
from scripts.benchmarks.photos import Photo, photos
from scripts.benchmarks.rows import Row, at_least, percentile
from scripts.benchmarks.scan import scanned
from scripts.benchmarks.stage import fetched
from scripts.program import ROOT, new_home

COMMIT = "3ce9a57"
PHOTOS, ROUNDS = 120, 3
STARTS = 3  # photos of each round
TARGET, TARGET_F32 = 1.35, 1.6
_BUILD_S = 1800


@dataclass(frozen=True, slots=True)
class Side:
    """A checkout with its own environment, and a home that only it uses."""

    checkout: Path
    python: Path
    home: Path


@dataclass(frozen=True, slots=True)
class Cost:
    """A scan: photos per second, and seconds of processor time per photo."""

    rate: float
    cpu: float


def rows(_long: bool) -> Iterator[Row]:
    """Yield the rows, with the processor's best precision and without half precision."""
    taken = photos(PHOTOS)
    with earlier_checkout(COMMIT) as earlier:
        for name, precisions, target in (("core_speed", ("auto", "auto"), TARGET), ("core_speed_vnni", ("f32", "int8"), TARGET_F32)):
            with tempfile.TemporaryDirectory(prefix="ai-popup-bench-", ignore_cleanup_errors=True) as folder:
                before, now = _sides(Path(folder), earlier, precisions)
                for side in (before, now):
                    _scan(side, photos(PHOTOS + STARTS)[PHOTOS:])  # the first scan of a home also tests the device
                pairs = [(_cost(before, part), _cost(now, part)) for part in _parts(taken)]
            rates = [ours.rate / theirs.rate for theirs, ours in pairs]
            costs = [theirs.cpu / ours.cpu for theirs, ours in pairs]
            yield at_least(name, percentile(rates, 0.5), target, rates)
            yield at_least(f"{name}_cpu", percentile(costs, 0.5), target, costs)


def _parts(taken: Sequence[Photo]) -> list[Sequence[Photo]]:
    return [taken[number * len(taken) // ROUNDS : (number + 1) * len(taken) // ROUNDS] for number in range(ROUNDS)]


@contextmanager
def earlier_checkout(commit: str) -> Iterator[Path]:
    """Yield a checkout of a commit, set up by its own scripts from its own locks. Raises CalledProcessError."""
    with tempfile.TemporaryDirectory(prefix="ai-popup-bench-", ignore_cleanup_errors=True) as folder:
        checkout = Path(folder) / "checkout"
        subprocess.run(["git", "worktree", "add", "--quiet", "--detach", str(checkout), commit], cwd=ROOT, check=True)
        try:
            setup = [sys.executable, str(checkout / "scripts" / "run.py"), "--version"]
            subprocess.run(setup, cwd=checkout, check=True, stdout=sys.stderr, timeout=_BUILD_S, env=environment_of(checkout, Path(folder)))
            yield checkout
        finally:
            subprocess.run(["git", "worktree", "remove", "--force", str(checkout)], cwd=ROOT, check=False)


def _sides(folder: Path, earlier: Path, precisions: tuple[str, str]) -> list[Side]:
    _, models = fetched()
    sides = []
    for name, checkout, precision in zip(("before", "now"), (earlier, ROOT), precisions, strict=True):
        home = folder / name
        new_home(home, models, {"engine.precision": precision})
        sides.append(Side(checkout, python_of(checkout), home))
    return sides


def python_of(checkout: Path) -> Path:
    """The interpreter of a checkout's environment."""
    return checkout / ".venv" / ("Scripts" if sys.platform == "win32" else "bin") / "python"


def _cost(side: Side, part: Sequence[Photo]) -> Cost:
    """Scan the first photos, which is mostly the start of processes and not counted, and then the others."""
    first, others = part[:STARTS], part[STARTS:]
    _, start = _scan(side, first)
    rate, used = _scan(side, others)
    return Cost(rate, (used - start) / (len(others) - len(first)))


def _scan(side: Side, part: Sequence[Photo]) -> tuple[float, float]:
    """Return photos per second, and the seconds of processor time."""
    command = [str(side.python), "-P", "-m", "agent", "scan", "--json", *(str(photo.path) for photo in part)]
    before = _children_s()
    rate = scanned(command, len(part), environment_of(side.checkout, side.home)).rate
    return rate, _children_s() - before


def _children_s() -> float:
    """Return the processor time of all ended children and theirs, in seconds."""
    used = resource.getrusage(resource.RUSAGE_CHILDREN)
    return used.ru_utime + used.ru_stime


def environment_of(checkout: Path, home: Path) -> dict[str, str]:
    kept = {name: value for name, value in os.environ.items() if name not in ("VIRTUAL_ENV", "PYTHONPATH")}
    return {**kept, "PYTHONPATH": str(checkout), HOME_VARIABLE: str(home)}

"""The group `scan`: how fast `ai-popup scan` is, compared with the machine's limit and with `face_recognition`."""

import json
import os
import subprocess
import tempfile
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from agent.features.models.model_store import ModelStore
from agent.infrastructure.core.json_child import own_command
from scripts.benchmarks.limit import editions, limit, precision_of, work_of
from scripts.benchmarks.photos import Photo, photos
from scripts.benchmarks.rows import Row, at_least, percentile
from scripts.benchmarks.stage import fetched
from scripts.program import ROOT, new_home

PHOTOS, ROUNDS = 300, 3
COMPARED = 20  # photos that dlib scans
OF_LIMIT, EXACT, OF_FAIR = 0.88, 0.95, 4
OF_DEFAULT = {"bf16": 100, "f32": 70}


@dataclass(frozen=True, slots=True)
class Run:
    """One scan: photos per second from the first outcome to the last, and the faces of each photo."""

    rate: float
    faces: dict[str, int]


def rows(long: bool) -> Iterator[Row]:
    """Yield the rows. Limit and program alternate, so that other load affects both."""
    _, models = fetched()
    taken = photos(PHOTOS)
    precision = precision_of(models)
    yield from of_limit()
    with tempfile.TemporaryDirectory(prefix="ai-popup-bench-", ignore_cleanup_errors=True) as folder:
        # dlib finds and embeds; so does the program here, which without recognition would only find.
        new_home(Path(folder) / "home", models, {"recognition.enabled": "true"})
        default, fair = _compared(taken)
        yield at_least("scan_dlib_default", percentile(default, 0.5), OF_DEFAULT.get(precision, OF_DEFAULT["f32"]), default)
        yield at_least("scan_dlib_fair", percentile(fair, 0.5), OF_FAIR, fair)


def of_limit(_long: bool = False) -> Iterator[Row]:
    """Yield the scan's share of the limit, and of the photos in which exactly the placed faces are found."""
    _, models = fetched()
    taken = photos(PHOTOS)
    with tempfile.TemporaryDirectory(prefix="ai-popup-bench-", ignore_cleanup_errors=True) as folder:
        new_home(Path(folder) / "home", models, {})
        shares, faces = _rounds(taken, models)
        yield at_least("scan_limit", percentile(shares, 0.5), OF_LIMIT, shares)
        yield _found(taken, faces)


def scan(taken: Sequence[Photo]) -> Run:
    """Run the real command, in the environment's home. Raises CalledProcessError."""
    command = [*own_command("scan", "--json"), *(str(photo.path) for photo in taken)]
    return scanned(command, len(taken), {**os.environ, "PYTHONPATH": str(ROOT)})


def scanned(command: Sequence[str], photos: int, environment: Mapping[str, str]) -> Run:
    """Run a scan of so many photos. Raises CalledProcessError."""
    ends, faces = [], {}
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True, env=environment) as process:
        assert process.stdout is not None
        for line in process.stdout:
            ends.append(time.perf_counter())
            said = json.loads(line)
            faces[Path(said["path"]).name] = len(said["faces"])
    if process.returncode or len(ends) != photos:
        raise subprocess.CalledProcessError(process.returncode, command[:4])
    return Run((len(ends) - 1) / (ends[-1] - ends[0]), faces)


def _rounds(taken: Sequence[Photo], models: ModelStore) -> tuple[list[float], dict[str, int]]:
    """Return the program's rate relative to the limit, and the faces. Each round uses photos that the program has not scanned."""
    shares: list[float] = []
    faces: dict[str, int] = {}
    ready = editions(models)
    for number in range(ROUNDS):
        part = taken[number * len(taken) // ROUNDS : (number + 1) * len(taken) // ROUNDS]
        work = work_of(part, models)
        most = limit(work, part, ready)
        run = scan(part)
        shares.append(run.rate / most)
        faces |= run.faces
    return shares, faces


def _found(taken: Sequence[Photo], faces: dict[str, int]) -> Row:
    """Return the share of photos with as many detected faces as were placed."""
    right = sum(faces[photo.path.name] == len(photo.faces) for photo in taken)
    return at_least("scan_faces", right / len(taken), EXACT, [float(len(taken) - right)])


def _compared(taken: Sequence[Photo]) -> tuple[list[float], list[float]]:
    """Return the speed-up over dlib's default way (once: it takes a minute), and over its assisted one (in each round)."""
    from scripts.benchmarks.dlib_way import DlibWay  # imports what only this group installs

    dlib = DlibWay()
    default: list[float] = []
    fair: list[float] = []
    for number in range(ROUNDS):
        part = taken[number * COMPARED : (number + 1) * COMPARED]
        helped = _rate(dlib.fair, part)
        program = scan(taken[number * len(taken) // ROUNDS : (number + 1) * len(taken) // ROUNDS]).rate
        fair.append(program / helped)
        if number == 0:
            default.append(program / _rate(dlib.default, part))
    return default, fair


def _rate(way: Callable[[Path], int], part: Sequence[Photo]) -> float:
    began = time.perf_counter()
    for photo in part:
        way(photo.path)
    return len(part) / (time.perf_counter() - began)

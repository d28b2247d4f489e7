"""The group `acceptance`: this program against its own first working state, both run in one call on the same photos, alternately.

Each row is today's figure over the first one's: 0.7 means 30 % less. Both are asked through the API that they share.
"""

import contextlib
import json
import shutil
import statistics
import subprocess
import tempfile
import threading
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from queue import Queue

import httpx
import psutil

from scripts.benchmarks.core_speed import Side, earlier_checkout, environment_of, python_of
from scripts.benchmarks.photos import Photo, photos
from scripts.benchmarks.rows import Row, at_most, percentile
from scripts.benchmarks.stage import fetched
from scripts.program import ROOT

COMMIT = "062634b"  # the first that had a benchmark
ROUNDS, IN_ROUND, ARRIVALS, CALLS, REST_S = 3, 40, 10, 200, 20.0
RESPONSE, MEMORY, CPU = 0.5, 0.7, 0.8
LIMIT_S, BETWEEN_S, SAMPLE_S = 300.0, 0.3, 0.1
_SETTINGS = {"library.key_home": "file", "popup.enabled": "false", "sources.settle_ms": "400"}


@dataclass(frozen=True, slots=True)
class Figures:
    """One side in one round."""

    arrivals_ms: list[float]
    """From a photo's move into the folder until its thumbnail is there"""
    calls_ms: list[float]
    peak_mb: float
    rest_mb: float
    """Proportional memory of all its processes, while it scans and at rest"""
    scan_s: float
    rest_pct: float
    """Processor time: per photo of a scan, and share of a core at rest"""


def rows(_long: bool) -> Iterator[Row]:
    """Yield the rows; the first side of a round takes turns."""
    taken = photos(ROUNDS * (IN_ROUND + ARRIVALS))
    with earlier_checkout(COMMIT) as first, tempfile.TemporaryDirectory(prefix="ai-popup-bench-", ignore_cleanup_errors=True) as folder:
        pairs: list[tuple[Figures, Figures]] = []
        for number in range(ROUNDS):
            part = taken[number * (IN_ROUND + ARRIVALS) :][: IN_ROUND + ARRIVALS]
            checkouts = {"first": first, "today": ROOT}
            order = list(checkouts) if number % 2 else list(reversed(checkouts))
            measured = {name: _measured(checkouts[name], Path(folder) / f"{name}-{number}", part) for name in order}
            pairs.append((measured["first"], measured["today"]))
    yield _ratio("arrival_ms_ratio", [(percentile(a.arrivals_ms, 0.5), percentile(b.arrivals_ms, 0.5)) for a, b in pairs], RESPONSE)
    yield _ratio("api_p95_ratio", [(percentile(a.calls_ms, 0.95), percentile(b.calls_ms, 0.95)) for a, b in pairs], RESPONSE)
    yield _ratio("scan_peak_pss_ratio", [(a.peak_mb, b.peak_mb) for a, b in pairs], MEMORY)
    yield _ratio("rest_pss_ratio", [(a.rest_mb, b.rest_mb) for a, b in pairs], MEMORY)
    yield _ratio("scan_cpu_ratio", [(a.scan_s, b.scan_s) for a, b in pairs], CPU)
    yield _ratio("rest_cpu_ratio", [(a.rest_pct, b.rest_pct) for a, b in pairs], CPU)


def _ratio(name: str, pairs: Sequence[tuple[float, float]], target: float) -> Row:
    """The samples are each round's two figures, the first state's before today's."""
    ratio = statistics.median(today / first for first, today in pairs)
    return at_most(name, ratio, target, [figure for pair in pairs for figure in pair])


def _measured(checkout: Path, folder: Path, part: Sequence[Photo]) -> Figures:
    side, watched = _new_side(checkout, folder)
    with _running(side) as (process, client):
        told: Queue[tuple[float, int]] = Queue()
        threading.Thread(target=_listen, args=(client, told), daemon=True).start()
        _bring(part[:2], watched, "warm", told, client)  # starts the engine
        arrivals = _bring(part[2:ARRIVALS], watched, "arrival", told, client)
        peak, used = _scan(process, watched, part[ARRIVALS:], told)
        calls = _calls(client)
        rest_mb, rest_pct = _rest(process)
    return Figures(arrivals, calls, peak, rest_mb, used / IN_ROUND, rest_pct)


def _new_side(checkout: Path, folder: Path) -> tuple[Side, Path]:
    """A home with the models and settings, written by the side's own commands, and its watched folder."""
    _, models = fetched()
    home, watched = folder / "home", folder / "Photos"
    watched.mkdir(parents=True)
    shutil.copytree(models.folder, home / "data" / "models", ignore=shutil.ignore_patterns("samples"))
    side = Side(checkout, python_of(checkout), home)
    for key, value in (*_SETTINGS.items(), ("engine.idle_s", "5")):
        _command(side, "config", "set", key, value)
    settings = Path(_command(side, "config", "path").strip())
    with settings.open("a", encoding="utf-8") as file:  # the first state has no command for folders
        file.write(f"\n[[folders]]\npath = {json.dumps(str(watched))}\n")
    return side, watched


def _command(side: Side, *words: str) -> str:
    command, environment = [str(side.python), "-P", "-m", "agent", *words], environment_of(side.checkout, side.home)
    return subprocess.run(command, check=True, capture_output=True, encoding="utf-8", env=environment, timeout=LIMIT_S).stdout


@contextlib.contextmanager
def _running(side: Side) -> Iterator[tuple[psutil.Process, httpx.Client]]:
    command, none = [str(side.python), "-P", "-m", "agent", "run", "--no-tray"], subprocess.DEVNULL
    with subprocess.Popen(command, env=environment_of(side.checkout, side.home), stdin=none, stdout=none, stderr=none) as process:
        try:
            with _answering(side.home, process) as client:
                yield psutil.Process(process.pid), client
        finally:
            process.terminate()


@contextlib.contextmanager
def _answering(home: Path, process: "subprocess.Popen[bytes]") -> Iterator[httpx.Client]:
    """Raises TimeoutError."""
    until = time.monotonic() + LIMIT_S
    while not (found := list(home.rglob("agent.json"))):
        if time.monotonic() > until or process.poll() is not None:
            raise TimeoutError("the program does not start")
        time.sleep(0.05)
    said = json.loads(found[0].read_text(encoding="utf-8"))
    headers = {"authorization": f"Bearer {said['token']}"}
    with httpx.Client(base_url=f"http://127.0.0.1:{said['port']}", headers=headers, trust_env=False, timeout=LIMIT_S) as client:
        while True:
            with contextlib.suppress(httpx.HTTPError):
                if client.get("/api/status").json()["state"] == "idle":
                    break
            if time.monotonic() > until:
                raise TimeoutError("the program does not come to rest")
            time.sleep(0.2)
        yield client


def _listen(client: httpx.Client, told: "Queue[tuple[float, int]]") -> None:
    """Queue when each image was told of, and its id, until the program ends."""
    with (
        contextlib.suppress(httpx.HTTPError, RuntimeError),
        httpx.Client(base_url=client.base_url, headers=client.headers, trust_env=False, timeout=None) as own,
        own.stream("GET", "/api/events") as events,
    ):
        for line in events.iter_lines():
            if line.startswith("data:") and '"image_indexed"' in line:
                told.put((time.perf_counter(), json.loads(line.removeprefix("data:"))["image_id"]))


def _bring(part: Sequence[Photo], watched: Path, name: str, told: "Queue[tuple[float, int]]", client: httpx.Client) -> list[float]:
    waits = []
    for number, photo in enumerate(part):
        outside = watched.parent / f"{name}-{number}.jpg"
        shutil.copyfile(photo.path, outside)
        began = time.perf_counter()
        outside.rename(watched / outside.name)
        _, image = told.get(timeout=LIMIT_S)
        client.get(f"/api/images/{image}/thumbnail").raise_for_status()
        waits.append((time.perf_counter() - began) * 1000)
        time.sleep(BETWEEN_S)
    return waits


def _scan(process: psutil.Process, watched: Path, part: Sequence[Photo], told: "Queue[tuple[float, int]]") -> tuple[float, float]:
    """Return the highest memory in MB, and the processor time in seconds."""
    before, peak, done = _cpu_s(process), 0.0, 0
    for number, photo in enumerate(part):
        shutil.copyfile(photo.path, watched / f"scan-{number}.jpg")
    until = time.monotonic() + LIMIT_S
    while done < len(part):
        if time.monotonic() > until:
            raise TimeoutError("the scan does not end")
        peak = max(peak, _pss_mb(process))
        time.sleep(SAMPLE_S)
        while not told.empty():
            told.get()
            done += 1
    return peak, _cpu_s(process) - before


def _calls(client: httpx.Client) -> list[float]:
    images = [each["id"] for each in client.get("/api/images?limit=60").json()["items"]]
    took = []
    for number in range(CALLS):
        path = ("/api/images?limit=60", f"/api/images/{images[number % len(images)]}/thumbnail", "/api/settings")[number % 3]
        began = time.perf_counter()
        client.get(path).raise_for_status()
        took.append((time.perf_counter() - began) * 1000)
    return took


def _rest(process: psutil.Process) -> tuple[float, float]:
    """Wait until the engines have ended; return the memory, and the share of a core."""
    until = time.monotonic() + LIMIT_S
    while process.children(recursive=True):
        if time.monotonic() > until:
            raise TimeoutError("the engines do not end")
        time.sleep(0.5)
    before = _cpu_s(process)
    time.sleep(REST_S)
    return _pss_mb(process), (_cpu_s(process) - before) / REST_S * 100


def _tree(process: psutil.Process) -> list[psutil.Process]:
    return [process, *process.children(recursive=True)]


def _pss_mb(process: psutil.Process) -> float:
    total = 0
    for each in _tree(process):
        with contextlib.suppress(psutil.Error):
            total += each.memory_full_info().pss
    return total / 1e6


def _cpu_s(process: psutil.Process) -> float:
    """Of the program, its children, and those of them that have ended."""
    total = 0.0
    for each in _tree(process):
        with contextlib.suppress(psutil.Error):
            times = each.cpu_times()
            total += times.user + times.system + times.children_user + times.children_system
    return total

"""The group `agent`: how soon a new photo is in the library, the cost of a large library, and the cost of the log."""

import contextlib
import json
import shutil
import statistics
import tempfile
import threading
import time
from collections.abc import Iterator, Sequence
from pathlib import Path
from queue import Queue

import httpx
import structlog

from agent.features.library.scan_schemas import ScanLine, ScanRequest
from agent.infrastructure.core import logs
from agent.infrastructure.core.program_settings import LogSettings
from agent.interfaces.web.client import Client
from scripts.benchmarks.photos import Photo, photos
from scripts.benchmarks.rows import Row, at_least, at_most, median
from scripts.benchmarks.stage import running

LARGE, SMALL = 100_000, 1_000  # images
RESCANS, ROUNDS, IN_ROUND, ARRIVALS = 5, 4, 20, 20
LATENCY_MS, RESCAN_S, GROWTH, LOGGING = 150, 2, 0.95, 0.01
LOGGED = 2_000
LIMIT_S = 60
BETWEEN_S = 0.3


def rows(long: bool) -> Iterator[Row]:
    """Run two agents, one with a small library and one with a large; only one works at a time."""
    taken = photos(ARRIVALS + ROUNDS * IN_ROUND)
    with tempfile.TemporaryDirectory(prefix="ai-popup-bench-", ignore_cleanup_errors=True) as name:
        folder = Path(name)
        with running(folder / "large", LARGE) as (large, _), running(folder / "small", SMALL) as (small, _):
            yield median("rescan_s", [_rescan(large) for _ in range(RESCANS)], RESCAN_S)
            log = folder / "small" / "home" / "logs" / "agent.log"
            before, ratios, seconds = _lines(log), [], 0.0
            for number in range(ROUNDS):
                part = taken[ARRIVALS + number * IN_ROUND :][:IN_ROUND]
                took = _scan(small, part)
                ratios.append(took / _scan(large, part))
                seconds += took
            yield at_least("library_growth", statistics.median(ratios), GROWTH, ratios)
            yield at_most("logging_share", (_lines(log) - before) * _seconds_per_line() / seconds, LOGGING, [seconds])
            yield median("latency_ms", _latencies(small, log, folder / "small" / "Photos", taken[:ARRIVALS]), LATENCY_MS)


def _rescan(client: Client) -> float:
    """Return the seconds that the agent takes to scan its folder without new files."""
    began = time.perf_counter()
    client.post("/api/rescan")
    return time.perf_counter() - began


def _scan(client: Client, part: Sequence[Photo]) -> float:
    """Return the seconds from the first outcome to the last."""
    ends = []
    for line in client.lines("/api/scans", ScanLine, ScanRequest(paths=tuple(str(photo.path) for photo in part))):
        if line.image is not None:
            assert line.image.error is None
            ends.append(time.perf_counter())
    return ends[-1] - ends[0]


def _lines(log: Path) -> int:
    """Count the lines of the log and its predecessors."""
    return sum(file.read_bytes().count(b"\n") for file in log.parent.glob(f"{log.name}*"))


def _seconds_per_line() -> float:
    """Return the processor time of a line like those of a scan, in the thread that logs and in the one that writes."""
    with tempfile.TemporaryDirectory(prefix="ai-popup-bench-") as folder:
        logs.configure(LogSettings(), Path(folder))
        logger = structlog.get_logger()
        began = time.process_time()
        for number in range(LOGGED):
            logger.info("image.indexed", job=number, faces=2, format="jpeg", ms=123)
        logs.stop()
        return (time.process_time() - began) / LOGGED


def _latencies(client: Client, log: Path, watched: Path, arriving: Sequence[Photo]) -> list[float]:
    """Return the milliseconds from a photo's closing, or moving in, to its event, minus the time that the engine reports."""
    told: Queue[float] = Queue()
    threading.Thread(target=_listen, args=(client, told), daemon=True).start()
    waits = []
    for number, photo in enumerate(arriving):
        if number % 2:
            target = watched / f"closed-{number}.jpg"
            shutil.copyfile(photo.path, target)
        else:
            outside = watched.parent / f"moved-{number}.jpg"
            shutil.copyfile(photo.path, outside)
            outside.rename(watched / outside.name)
        began = time.perf_counter()
        waits.append((told.get(timeout=LIMIT_S) - began) * 1000)
        time.sleep(BETWEEN_S)
    said = [json.loads(line) for line in log.read_text(encoding="utf-8").splitlines()]
    engine = [line["ms"] for line in said if line["event"] == "image.indexed"][-len(arriving) :]
    # The first one starts the engine if the previous scan was long ago.
    return [wait - ms for wait, ms in zip(waits, engine, strict=True)][1:]


def _listen(client: Client, told: "Queue[float]") -> None:
    """Queue the time of each image's event, until the agent ends."""
    with (
        httpx.Client(base_url=client.address, headers=client.headers, trust_env=False, timeout=None) as session,
        contextlib.suppress(httpx.HTTPError),
        session.stream("GET", "/api/events") as events,
    ):
        for line in events.iter_lines():
            if line.startswith("data:") and '"image_indexed"' in line:
                told.put(time.perf_counter())

"""All figures of a server's process, in Prometheus' text format: they outlast each run of its loop and its database."""

import shutil
import time
from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from typing import Final

import psutil
from prometheus_client import CONTENT_TYPE_LATEST, CollectorRegistry, generate_latest
from prometheus_client.core import Metric
from prometheus_client.registry import Collector

from agent import __version__
from agent.app.metric_families.families import counter, counters, gauge, gauges, histogram, outgoing_families
from agent.app.metric_families.processes import Processes
from agent.app.server.metrics.database import Rows
from agent.app.server.metrics.library import families_of
from agent.app.server.metrics.sparing import CostLimitedCache
from agent.app.server.readiness import OK
from agent.domain.errors import SecondFactorRequired, Unexpected
from agent.domain.events import ImageFailed, ImageIndexed, StoredEvent
from agent.infrastructure.core import error_metrics, outgoing_requests
from agent.interfaces.web.request_counts import BOUNDS, RequestCounts

# Routes by which people sign in, and how.
SIGN_IN: Final = {
    "/api/account/sign-in": "password",
    "/api/account/passkey-sign-in": "passkey",
    "/api/account/provider/sign-in": "provider",
    "/api/account/provider/second-factor": "provider",
}
SERVER, WORKER = "server", "worker"  # whose process it is
_REFUSALS: Final = (401, 403, 429)
_FIRST_ERROR: Final = 400
_SECOND: Final = SecondFactorRequired.code


@dataclass(frozen=True, slots=True)
class Validity:
    """Of the certificate that is served."""

    begins: datetime
    ends: datetime


@dataclass(frozen=True, slots=True)
class Switches:
    """What people decided."""

    recognition: bool
    paused: bool
    workers: int
    repositories: tuple[str, ...]  # of backups; none if the server makes none


@dataclass(slots=True)
class Happened:
    """What became of photos since the start, on all workers."""

    images: int = 0
    faces: int = 0
    failed: Counter[str] = field(default_factory=Counter)  # by error code

    def note(self, recorded: StoredEvent) -> None:
        """A listener of the bus."""
        event = recorded.event
        if isinstance(event, ImageIndexed):
            self.images += 1
            self.faces += event.faces
        elif isinstance(event, ImageFailed):
            self.failed[event.code] += 1


class ServerFigures:
    """`rows`, `validity` and `switches` come with a run of the loop; the rest is the process's."""

    def __init__(
        self,
        own: str,
        data: Path,
        requests: RequestCounts,
        wall: Callable[[], float] = time.time,
        thresholds: Callable[[int], Mapping[str, int]] = lambda _: {},
    ) -> None:
        """`thresholds` are bytes by kind of process, for a number of faces."""
        self.requests = requests
        self.happened = Happened()
        self.rows: CostLimitedCache[Rows] | None = None
        self.validity: Callable[[], Validity] | None = None
        self.switches: Callable[[], Switches] | None = None
        self._own = own
        self._processes = Processes(own)
        self._thresholds = thresholds
        self._data = data
        self._wall = wall
        self._started = wall()

    def end(self) -> None:
        """Let go of what belongs to a run of the loop."""
        self.rows = self.validity = self.switches = None

    def look(self) -> None:
        """Ask the database, unless that was done a moment ago. Blocks."""
        if self.rows is not None:
            self.rows.get()

    def render(self, checks: Mapping[str, str], draining: bool) -> tuple[str, bytes]:
        """The type and the text; `checks` are those of `/ready`. Blocks."""
        registry = CollectorRegistry(auto_describe=False)
        registry.register(_Once(lambda: self._families(checks, draining)))
        return CONTENT_TYPE_LATEST, generate_latest(registry)

    def _families(self, checks: Mapping[str, str], draining: bool) -> Iterator[Metric]:
        yield gauges("ai_popup_info", "The program's version.", ["version"], {(__version__,): 1})
        yield gauge("ai_popup_start_timestamp_seconds", "When the process started.", self._started)
        ready = {(name,): float(found == OK) for name, found in checks.items()}
        yield gauges("ai_popup_ready", "1 for each check of /ready that is in order.", ["check"], ready)
        yield gauge("ai_popup_draining", "1 while the server ends.", float(draining))
        yield from self._of_requests()
        yield from self._of_sign_ins()
        yield from outgoing_families(outgoing_requests.OF_SERVER)
        yield from self._of_work()
        found = self.rows.get() if self.rows is not None else None
        yield from self._of_machine(int(found.estimates["face_prints"]) if found is not None else 0)
        yield from self._of_run(found, answers=checks.get("database") == OK)

    def _of_requests(self) -> Iterator[Metric]:
        counts = self.requests
        requests = list(counts.requests.items())
        answered = {(method, route, str(status)): float(count) for (method, route, status), count in requests}
        yield counters("ai_popup_requests", "Requests by route template and status.", ["method", "route", "status"], answered)
        # From the start on, so that a rate sees the first of them: a series that begins with 1 has not risen.
        classes: dict[tuple[str, ...], float] = {(f"{digit}xx",): 0.0 for digit in range(1, 6)}
        for (_, _, status), count in requests:
            classes[(f"{status // 100}xx",)] += count
        yield counters("ai_popup_responses", "Requests by class of status.", ["class"], classes)
        latencies = {key: (list(each.buckets), each.seconds) for key, each in list(counts.latencies.items())}
        text = "Time until an answer begins, by route template."
        yield histogram("ai_popup_request_seconds", text, ["method", "route"], BOUNDS, latencies)
        yield gauge("ai_popup_requests_running", "Requests that are being answered.", counts.running)
        codes = list(counts.codes.items())
        refused = {(code, str(status)): float(count) for (code, status), count in codes if status in _REFUSALS}
        yield counters("ai_popup_refusals", "Requests that were refused, by error code.", ["code", "status"], refused)
        errors: Counter[tuple[str, str]] = Counter()
        for where in ("request", "work"):
            errors[Unexpected.code, where] = 0
        for (code, status), count in codes:
            if status >= _FIRST_ERROR:
                errors[code, "request"] += count
        for code, count in list(self.happened.failed.items()):
            errors[code, "photo"] += count
        for code, count in list(error_metrics.logged.items()):
            errors[code, "work"] += count
        text = "Errors by code since the start: of requests, of photos, and of the work in the background."
        yield counters("ai_popup_errors", text, ["code", "where"], {key: float(count) for key, count in errors.items()})

    def _of_sign_ins(self) -> Iterator[Metric]:
        signing: dict[tuple[str, ...], float] = {(way, result): 0.0 for way in SIGN_IN.values() for result in ("accepted", "refused")}
        for (_, route, status), count in list(self.requests.requests.items()):
            if route in SIGN_IN:
                signing[SIGN_IN[route], "accepted" if status < 300 else "refused"] += count
        # After the provider, the question for a second factor is an answer of its own.
        asked = sum(count for (code, status), count in list(self.requests.codes.items()) if code == _SECOND and status < 300)
        signing["provider", "accepted"] -= asked
        signing["provider", "refused"] += asked
        text = "Sign-ins; the answer that asks for a second factor counts as refused."
        yield counters("ai_popup_sign_ins", text, ["way", "result"], signing)

    def _of_work(self) -> Iterator[Metric]:
        yield counter("ai_popup_images_analysed", "Images looked at since the start, on all workers.", self.happened.images)
        failed = sum(count for _, count in list(self.happened.failed.items()))
        yield counter("ai_popup_images_failed", "Images that could not be analysed since the start.", failed)
        yield counter("ai_popup_faces_found", "Faces found in them.", self.happened.faces)

    def _of_machine(self, faces: int) -> Iterator[Metric]:
        found = self._processes.read()
        largest = "Resident memory of the largest process of each kind; of engines, of all that one worker has."
        for name, text, values in (
            ("ai_popup_memory_bytes", "Resident memory by kind of process.", found.memory),
            ("ai_popup_memory_largest_bytes", largest, found.largest),
            ("ai_popup_memory_threshold_bytes", "What that may be by the settings.", self._thresholds(faces)),
            ("ai_popup_processes", "Running processes by kind.", found.count),
        ):
            yield gauges(name, text, ["process"], {(kind,): float(value) for kind, value in values.items()})
        cpu = {(kind,): float(value) for kind, value in found.cpu.items()}
        yield counters("ai_popup_cpu_seconds", "Processor time by kind of process.", ["process"], cpu)
        with suppress(OSError):
            disk = shutil.disk_usage(self._data)
            yield gauge("ai_popup_disk_free_bytes", "Free space where the program keeps its data.", disk.free)
            yield gauge("ai_popup_disk_bytes", "Size of that disk.", disk.total)
        machine = psutil.virtual_memory()
        yield gauge("ai_popup_machine_memory_bytes", "Memory of the computer.", machine.total)
        yield gauge("ai_popup_machine_memory_available_bytes", "What programs can still get of it.", machine.available)

    def _of_run(self, found: Rows | None, *, answers: bool) -> Iterator[Metric]:
        """`answers`: the database does now; its figures may be older."""
        rows = self.rows
        if self._own != SERVER:
            return
        switches = self.switches() if self.switches is not None else None
        yield gauge("ai_popup_database_up", "1 if the database answers.", float(answers))
        if rows is not None and found is not None:
            yield gauge("ai_popup_figures_seconds", "What the database's figures took last.", rows.took_s)
            yield from families_of(found, switches.repositories if switches is not None else ())
        if switches is not None:
            yield gauge("ai_popup_recognition_enabled", "1 while faces are recognised.", float(switches.recognition))
            yield gauge("ai_popup_paused", "1 while the work is paused.", float(switches.paused))
            yield gauge("ai_popup_backups_enabled", "1 if the server backs itself up.", float(bool(switches.repositories)))
            yield gauge("ai_popup_workers_wanted", "Workers that the server starts by itself.", switches.workers)
        if self.validity is not None:
            validity = self.validity()
            yield gauge("ai_popup_certificate_begins_timestamp_seconds", "When the certificate became valid.", validity.begins.timestamp())
            yield gauge("ai_popup_certificate_ends_timestamp_seconds", "When the certificate ends.", validity.ends.timestamp())


class _Once(Collector):
    def __init__(self, families: Callable[[], Iterator[Metric]]) -> None:
        self._families = families

    def collect(self) -> Iterator[Metric]:
        return self._families()

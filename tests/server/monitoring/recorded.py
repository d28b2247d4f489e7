"""Figures as the program tells them, over some minutes, in the form that Prometheus can take in."""

import re
from collections.abc import Iterator, Mapping
from datetime import UTC, datetime, timedelta
from functools import partial
from pathlib import Path
from typing import Any

from agent.app.metric_families.thresholds import OF_SERVER, thresholds
from agent.app.server.metrics.database import Rows
from agent.app.server.metrics.server import SERVER, ServerFigures, Switches, Validity
from agent.app.server.metrics.sparing import CostLimitedCache
from agent.domain.events import ImageFailed, ImageIndexed, StoredEvent
from agent.infrastructure.core import error_metrics
from agent.infrastructure.core.outgoing_requests import Peer, outgoing
from agent.infrastructure.core.settings import Settings
from agent.interfaces.web.request_counts import RequestCounts, RequestRecord

BEGAN = datetime(2026, 3, 4, 5, 0, tzinfo=UTC)
MINUTES = 30
ENDED = BEGAN + timedelta(minutes=MINUTES)
INSTANCES = {"ai-popup": ("api:9464",), "twice": ("api:9464", "api-2:9464")}
"""by job: of two API processes, which tell the same of what they share"""
_CHECKS = {"database": "ok", "schema": "ok", "disk": "ok", "models": "ok"}


def rows(minute: int) -> Rows:
    """Of a server at work."""
    sizes = enumerate(("face", "image"), 1)
    tables: list[Mapping[str, Any]] = [{"name": name, "size": 10**4 * of, "indexes": 4_000 * of, "dead": of} for of, name in sizes]
    return Rows(
        tables=tables,
        database={
            "size": 10**8,
            "xact_commit": 1_000 * minute,
            "xact_rollback": minute,
            "deadlocks": 0,
            "blks_hit": 90_000 * minute,
            "blks_read": 100 * minute,
            "most": 100,
            "standby": False,
        },
        connections=[{"state": "active", "number": 3}, {"state": "idle", "number": 20}],
        archiver={"failed_count": 0, "last": BEGAN.timestamp(), "failing": False, "is_on": True},
        estimates={"images": 100_000 + minute, "faces": 300_000, "face_prints": 250_000, "people": 4_000, "events": 10**6},
        jobs=[
            {"state": "queued", "priority": 10, "number": 500 - minute, "age": 60.0 * minute},
            {"state": "quarantined", "priority": 20, "number": 2, "age": 9_000.0},
        ],
        batches=[{"queue": "photos", "status": "doing", "number": 2}],
        copies=[{"state": "done", "number": 900}, {"state": "needs_review", "number": 4}],
        workers=[
            {"state": "working", "number": 2, "rate": 40.0, "silent": 3.0},
            {"state": "gone", "number": 1, "rate": 0.0, "silent": 900.0},
        ],
        consents=[{"purpose": purpose, "state": "given", "number": 3_000} for purpose in ("recognise", "show_inside", "publish")],
        incidents=[{"severity": "warning", "state": "open", "number": 1}],
        members=[{"role": "viewer", "state": "active", "number": 30}],
        sessions=12,
        uploads={"number": 3, "size": 10**7},
        backups=[
            {"kind": "database", "repository": "offsite", "age": 9_000.0, "failed": False},
            {"kind": "drill", "repository": "local", "age": 90_000.0, "failed": False},
        ],
    )


def scrapes(folder: Path) -> Iterator[tuple[datetime, str]]:
    """One a minute, of the program's own figures."""
    at = BEGAN
    limits = partial(thresholds, Settings(), OF_SERVER)
    figures = ServerFigures(SERVER, folder, RequestCounts(), lambda: at.timestamp(), limits)
    figures.validity = lambda: Validity(BEGAN, BEGAN + timedelta(days=60))
    figures.switches = lambda: Switches(recognition=True, paused=False, workers=2, repositories=("local", "offsite"))
    for minute in range(MINUTES + 1):
        at = BEGAN + timedelta(minutes=minute)
        for status, seconds in ((200, 0.02), (200, 0.4), (403, 0.01), (503, 2.0)):
            record = RequestRecord("0" * 16, "/api/images", {403: "access.forbidden", 503: "store.busy"}.get(status, ""))
            figures.requests.ended("GET", record, status, seconds)
        figures.requests.ended("POST", RequestRecord("0" * 16, "/api/account/sign-in"), 200, 0.2)
        figures.happened.note(StoredEvent(minute, at, ImageIndexed(image_id=1, place_id=1, faces=3)))
        figures.happened.note(StoredEvent(minute, at, ImageFailed(place_id=1, code="image.empty")))
        with outgoing(Peer.WEBHOOK, clock=iter((0.0, 0.3)).__next__) as request:
            request.failed = minute % 5 == 0
        error_metrics.count(None, "warning", {"event": "work.not_recalled", "code": "store.busy"})
        figures.rows = CostLimitedCache(lambda minute=minute: rows(minute))  # type: ignore[misc]
        yield at, figures.render(_CHECKS, draining=False)[1].decode()


def openmetrics(folder: Path, derived: dict[str, float]) -> str:
    """All scrapes; `derived` are what recording rules would add, with the same value throughout."""
    kinds, samples = dict[str, str](), dict[str, list[str]]()
    for at, text in scrapes(folder):
        for line in [*text.splitlines(), *(f"{name} {value}" for name, value in derived.items())]:
            if kind := re.fullmatch(r"# TYPE (\S+) (\S+)", line):
                kinds[kind[1]] = kind[2]
            elif line and not line.startswith("#"):
                name, _, value = line.rpartition(" ")
                bare, _, labels = name.partition("{")
                inside = f"{labels.rstrip('}')}," if labels else ""
                samples.setdefault(bare, []).extend(
                    f'{bare}{{{inside}job="{job}",instance="{instance}"}} {value} {at.timestamp()}'
                    for job, instances in INSTANCES.items()
                    for instance in instances
                )
    return "".join(f"# TYPE {name} unknown\n" + "\n".join(lines) + "\n" for name, lines in samples.items()) + "# EOF\n"


def names(text: str) -> set[str]:
    """The families of a scrape by the names of their samples, those without samples too."""
    found: set[str] = set()
    for name, kind in re.findall(r"^# TYPE (\S+) (\S+)$", text, re.MULTILINE):
        found |= {f"{name}{end}" for end in ("_bucket", "_count", "_sum")} if kind == "histogram" else {name}
    return found


def used(expression: str) -> set[str]:
    """The program's metrics that a query reads, without what recording rules make."""
    return {each for each in re.findall(r"\bai_popup[a-z0-9_:]*", expression) if ":" not in each}

"""The group `clients`: how soon a team server with a large library answers fifty members at once while it analyses photos, and its memory.

Each member asks once a second, whether or not the answer before has come. The load's own process shares the cores with the server.
"""

import contextlib
import itertools
import json
import subprocess
import sys
import tempfile
import threading
import time
from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path

import psutil

from agent.infrastructure.core.paths import AppPaths
from agent.interfaces.web.certificates import AUTHORITY_FILE, CERTIFICATES_FOLDER
from scripts.benchmarks.large_server import fill_server
from scripts.benchmarks.rows import Row, at_most, p95
from scripts.benchmarks.stage import fetched
from scripts.program import ROOT
from scripts.serve_demo import Member, ServerAddresses, server

PHOTOS, LONG_PHOTOS = 30_000, 300_000
CLIENTS, FEW_S, LONG_S = 50, 30.0, 120.0
NEW_PER_S = 2.0
ANSWERED_MS, PSS_MB = 150.0, 250.0
CALM_SHARE, CALM_TIMES, CALM_LIMIT_S = 0.1, 4, 3_600.0
ROLES = ("viewer", "viewer", "editor", "curator")
PASSWORD = "four words hard to guess"
KINDS = ("list", "thumbnail", "person", "search", "index")


def rows(long: bool) -> Iterator[Row]:
    """Yield the rows."""
    samples, models = fetched()
    count = LONG_PHOTOS if long else PHOTOS
    with tempfile.TemporaryDirectory(prefix="ai-popup-bench-", ignore_cleanup_errors=True) as name:
        folder = Path(name)
        values = {"server.port": "0", "server.operations_port": "0", "server.workers": "1", "backup.enabled": "false"}
        paths, settings = fill_server(folder, samples, models, count)
        for key, value in values.items():
            settings.set(key, value)
        with server(folder) as (process, reached):
            yield from _measured(psutil.Process(process.pid), reached, paths, folder, LONG_S if long else FEW_S)


def _measured(process: psutil.Process, reached: ServerAddresses, paths: AppPaths, folder: Path, for_s: float) -> Iterator[Row]:
    keys = _members(reached, paths.data / CERTIFICATES_FOLDER / AUTHORITY_FILE)
    order = {"address": reached.here, "authority": str(paths.data / CERTIFICATES_FOLDER / AUTHORITY_FILE), "keys": keys, "for_s": for_s}
    _until_calm(process)
    over = threading.Event()
    dropping = threading.Thread(target=_drop, args=(folder / "Photos", over))
    dropping.start()
    before = _spent(process)
    try:
        done = subprocess.run(
            [sys.executable, "-P", str(ROOT / "scripts" / "benchmarks" / "client_load.py")],
            input=json.dumps(order), capture_output=True, text=True, check=True,
        )  # fmt: skip
    finally:
        over.set()
        dropping.join()
    spent = _spent(process)
    taken: Mapping[str, Sequence[float]] = json.loads(done.stdout)
    for kind in KINDS:
        yield p95(f"clients_{kind}_ms", taken[kind], ANSWERED_MS)
    yield at_most("clients_failed", len(taken["failed"]), 0, taken["failed"])
    yield at_most("clients_pss_mb", pss := process.memory_full_info().pss / 1e6, PSS_MB, [pss])
    for each, used in spent.items():
        print(f"  {each}: {(used - before.get(each, 0.0)) / for_s:.2f} cores", file=sys.stderr)


def _until_calm(process: psutil.Process) -> None:
    """Wait until what a start brings along is done: it looks through the folder, checks the database, and fills indexes."""
    calm, until = 0, time.monotonic() + CALM_LIMIT_S
    while calm < CALM_TIMES and time.monotonic() < until:
        before = sum(_spent(process).values())
        time.sleep(1)
        calm = calm + 1 if sum(_spent(process).values()) - before < CALM_SHARE else 0


def _members(reached: ServerAddresses, authority: Path) -> list[str]:
    """Return the keys of their sessions."""
    keys = []
    with contextlib.closing(Member(reached, authority)) as administrator:
        administrator.accept(reached.invitation, PASSWORD)
        for number in range(CLIENTS):
            body = {"name": f"member{number}", "display_name": f"Member {number}", "role": ROLES[number % len(ROLES)]}
            made = administrator._call("POST", "/api/members", body)
            link = str(administrator._call("POST", f"/api/members/{made['id']}/invitation")["path"])
            with contextlib.closing(Member(reached, authority)) as member:
                member.accept(link, PASSWORD)
                keys.append(str(member._http.headers["authorization"]))
    return keys


def _drop(watched: Path, over: threading.Event) -> None:
    """New photos, of which no two have the same content."""
    known = (watched / "0000" / "IMG_000000.jpg").read_bytes()
    for number in itertools.count(time.time_ns()):  # other photos than those of an earlier run
        if over.wait(1 / NEW_PER_S):
            return
        new = watched / f"new {number}.jpg"
        new.with_suffix(".part").write_bytes(known + b"%d" % number)
        new.with_suffix(".part").rename(new)


def _spent(process: psutil.Process) -> dict[str, float]:
    """The processor seconds of the server, its workers with their engines, and its database, so far."""
    total: dict[str, float] = defaultdict(float)
    for each in (process, *process.children(recursive=True)):
        with contextlib.suppress(psutil.NoSuchProcess):
            words = " ".join(each.cmdline())
            kind = "database" if "postgres" in words else "server" if each == process else "engines" if "engine" in words else "others"
            times = each.cpu_times()
            total[kind] += times.user + times.system + (times.children_user + times.children_system if kind == "database" else 0.0)
    return dict(total)

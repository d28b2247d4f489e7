"""The group `server`: what workers cost and gain, whether one that is killed loses anything, and how soon others see a name.

Rates are by the time of day, and mean something only on a machine with nothing else to do. The costs beside them are processor time.
"""

import hashlib
import os
import shutil
import signal
import statistics
import subprocess
import tempfile
import threading
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from datetime import UTC, datetime, timedelta
from functools import partial
from pathlib import Path

import psutil
from sqlalchemy import func, make_url, select

from agent.app.server.job_coordination import JobCoordinator
from agent.domain.events import ImageIndexed
from agent.domain.image import FileSeen
from agent.domain.jobs import JobState, Priority
from agent.features.library.recipes import recipe_of
from agent.features.library.records import Noted
from agent.features.redaction.queries.redaction_queries import RedactionQueries
from agent.infrastructure.core.json_child import own_command
from agent.infrastructure.core.paths import AppPaths
from agent.infrastructure.core.settings import Settings
from agent.infrastructure.store import event_rows
from agent.infrastructure.store.database import Database
from agent.infrastructure.store.dialects.postgresql import PostgreSql
from agent.infrastructure.store.embedded_postgres import EmbeddedPostgres
from agent.infrastructure.store.migrator import upgrade
from agent.infrastructure.store.schema import event
from agent.infrastructure.store.worker_key import hand_out
from agent.server.workers.dispatcher import shared_of
from agent.server.workers.queries.handout_rows import HandoutQueries
from agent.server.workers.queries.worker_rows import WorkerQueries
from scripts.benchmarks.desk_results import desk_results
from scripts.benchmarks.face_search import face_search
from scripts.benchmarks.photos import Photo, photos
from scripts.benchmarks.rows import Row, at_least
from scripts.benchmarks.stage import fetched
from scripts.program import ROOT, new_home

PHOTOS, LONG_PHOTOS, WARM, KILLED = 60, 2_000, 8, 400
TWO_OF_ONE, OF_LOCAL = 1.85, 0.92
LOOK_S = 0.5  # seldom: with two workers it shares their cores
LIMIT_S = 3_600.0


class Team:
    """A new library in the server's database; `hand_out` runs in a thread, as in the server's process."""

    def __init__(self, url: str) -> None:
        self.url = url
        self.database = Database(PostgreSql(url, bytes(32)))
        upgrade(self.database)
        JobCoordinator(self.database, url)
        hand_out(self.database, AppPaths.find().keys)
        self.library = RedactionQueries(self.database)
        self.workers = WorkerQueries(self.database)

    @contextmanager
    def handing_out(self) -> Iterator[None]:
        batches, stop = HandoutQueries(self.database), threading.Event()

        def run() -> None:
            while not stop.wait(LOOK_S):
                batches.hand_out(shared_of(Settings()))

        thread = threading.Thread(target=run)
        thread.start()
        try:
            yield
        finally:
            stop.set()
            thread.join()

    def queue(self, paths: Sequence[Path]) -> None:
        for path in paths:
            seen = FileSeen(str(path), path.stat().st_size, path.stat().st_mtime_ns)
            note = partial(self.library.note_file, seen, recipe_of(Settings()), priority=Priority.NEW, now=datetime.now(UTC))
            if note()[0] is Noted.HASH_WANTED:  # among thousands of photos some have the same size
                note(sha256=hashlib.sha256(path.read_bytes()).hexdigest())

    def until_done(self, count: int, workers: Sequence[psutil.Process] = ()) -> None:
        """Raises TimeoutError, or RuntimeError if a worker ends meanwhile."""
        deadline = time.monotonic() + LIMIT_S
        while self.library.counts().jobs[JobState.DONE] < count:
            if any(each.status() == psutil.STATUS_ZOMBIE for each in workers):
                raise RuntimeError("a worker has ended")
            if time.monotonic() > deadline:
                raise TimeoutError
            time.sleep(LOOK_S)

    def times(self, after: int) -> list[datetime]:
        """When photos were stored, after an event."""
        with self.database.read() as tx:
            return sorted(each.at for each in event_rows.read(tx, after=after, limit=100_000) if isinstance(each.event, ImageIndexed))


def rows(long: bool) -> Iterator[Row]:
    """Yield the rows."""
    _, models = fetched()
    count = LONG_PHOTOS if long else PHOTOS
    taken = photos(count + WARM)
    cores = sorted(psutil.Process().cpu_affinity())[:2]
    with tempfile.TemporaryDirectory(prefix="ai-popup-bench-", ignore_cleanup_errors=True) as name:
        folder = Path(name)
        postgres = EmbeddedPostgres(folder / "postgres", folder / "postgres.log")
        address = postgres.start()
        try:
            new_home(folder / "home", models, {"engine.workers": "1", "library.thumbnails_mb": "100"})
            yield from _speed(address, taken, cores, rounds=1 if long else 2)
            yield _killed(_team(address, "killed"), folder)
            yield from desk_results(_team(address, "desks").database, long=long)
            yield from face_search(_new_database(address, "faces"), long=long)
        finally:
            postgres.stop()


def _speed(address: str, taken: Sequence[Photo], cores: Sequence[int], *, rounds: int) -> Iterator[Row]:
    """Rates and costs in turns, so that other load meets all alike."""
    two, of_local, cost_two, cost_local = [], [], [], []
    for number in range(rounds):
        local_rate, local_cost = _local(taken, cores[0])
        one_rate, one_cost = _workers(_team(address, f"one_{number}"), taken, cores[:1])
        two_rate, two_cost = _workers(_team(address, f"two_{number}"), taken, cores[:2])
        two.append(two_rate / one_rate)
        of_local.append(one_rate / local_rate)
        cost_two.append(one_cost / two_cost)
        cost_local.append(local_cost / one_cost)
    yield at_least("server_two_workers", statistics.median(two), TWO_OF_ONE, two)
    yield at_least("server_of_local", statistics.median(of_local), OF_LOCAL, of_local)
    # A photo's processor time with one worker against two, and locally against a worker.
    yield at_least("server_two_cost", statistics.median(cost_two), TWO_OF_ONE / 2, cost_two)
    yield at_least("server_local_cost", statistics.median(cost_local), OF_LOCAL, cost_local)


def _workers(team: Team, taken: Sequence[Photo], cores: Sequence[int]) -> tuple[float, float]:
    """Return photos per second, and processor seconds per photo, of one worker on each core, warmed up."""
    paths = [photo.path for photo in taken]
    with team.handing_out(), _started(team, cores) as processes:
        team.queue(paths[:WARM])
        team.until_done(WARM, processes)
        with team.database.read() as tx:
            before = event_rows.last_id(tx)
        spent = sum(map(_spent, processes))
        team.queue(paths[WARM:])
        team.until_done(len(paths), processes)
        spent = sum(map(_spent, processes)) - spent
    return _rate(team.times(before)), spent / (len(paths) - WARM)


def _local(taken: Sequence[Photo], core: int) -> tuple[float, float]:
    """The same by the agent's own indexer: a scan of all, of which the first are left out."""
    home = Path(os.environ["AI_POPUP_HOME"])
    shutil.rmtree(home / "data" / "library", ignore_errors=True)
    ends: list[float] = []
    command = [*own_command("scan", "--json"), *(str(photo.path) for photo in taken)]
    with subprocess.Popen(
        command, stdout=subprocess.PIPE, env={**os.environ, "PYTHONPATH": str(ROOT)}, preexec_fn=partial(_bind, core)
    ) as scan:
        assert scan.stdout is not None
        began = spent = 0.0
        for _ in scan.stdout:
            ends.append(time.perf_counter())
            if len(ends) == WARM:
                began = _spent(psutil.Process(scan.pid))
            if len(ends) == len(taken):
                spent = _spent(psutil.Process(scan.pid)) - began
                break
        scan.communicate()
    return (len(ends) - WARM) / (ends[-1] - ends[WARM - 1]), spent / (len(ends) - WARM)


def _rate(times: Sequence[datetime]) -> float:
    return (len(times) - 1) / (times[-1] - times[0]).total_seconds()


def _spent(process: psutil.Process) -> float:
    """The processor seconds of a process and its children so far."""
    total = 0.0
    for each in (process, *process.children(recursive=True)):
        with suppress(psutil.NoSuchProcess):
            used = each.cpu_times()
            total += used.user + used.system
    return total


@contextmanager
def _started(team: Team, cores: Sequence[int]) -> Iterator[list[psutil.Process]]:
    address = make_url(team.url).set(drivername="postgresql").render_as_string(hide_password=False)
    environment = {**os.environ, "PYTHONPATH": str(ROOT), "AI_POPUP__SERVER__DATABASE": address}
    command = own_command("worker", "--name")
    started = [
        subprocess.Popen([*command, f"w{core}"], env=environment, preexec_fn=partial(_bind, core), stderr=subprocess.DEVNULL)
        for core in cores
    ]
    try:
        yield [psutil.Process(each.pid) for each in started]
    finally:
        for each in started:
            each.send_signal(signal.SIGTERM)
        for each in started:
            each.wait()


def _bind(core: int) -> None:
    os.sched_setaffinity(0, {core})


def _killed(team: Team, folder: Path) -> Row:
    """Four workers without an engine, one of them killed: the share of the jobs that were done exactly once."""
    made = folder / "small"
    made.mkdir()
    for number in range(KILLED):
        (made / f"{number}.jpg").write_bytes(b"%d" % number)
    team.queue(sorted(made.iterdir()))
    commands = [[*own_command()[:2], "tests.support.worker_process", team.url, f"w{number}", "0.02", "30"] for number in range(4)]
    workers = [subprocess.Popen(command, cwd=ROOT, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL) for command in commands]
    try:
        with team.handing_out():
            team.until_done(KILLED // 10)
            workers[0].kill()
            stop = threading.Event()
            sweeping = threading.Thread(target=_sweep, args=(team, stop))
            sweeping.start()
            team.until_done(KILLED)
            stop.set()
            sweeping.join()
    finally:
        for worker in workers:
            worker.kill()
            worker.wait()
    with team.database.read() as tx:
        place, kind = (func.json_extract_path_text(event.c.payload, key) for key in ("place_id", "kind"))
        times = [count for _, count in tx.execute(select(place, func.count()).where(kind == "image_indexed").group_by(place))]
    return at_least("server_killed_once", times.count(1) / KILLED, 1, [len(times), max(times)])


def _sweep(team: Team, stop: threading.Event) -> None:
    while not stop.wait(1):
        team.workers.sweep(silent=timedelta(seconds=5), now=datetime.now(UTC))


def _team(address: str, name: str) -> Team:
    return Team(_new_database(address, name))


def _new_database(address: str, name: str) -> str:
    """Return the address of a new database of that name."""
    first = Database(PostgreSql(address, bytes(32)))
    with first._engine.connect().execution_options(isolation_level="AUTOCOMMIT") as connection:
        connection.exec_driver_sql(f"CREATE DATABASE {name}")
    first.close()
    return make_url(address).set(database=name).render_as_string(hide_password=False)

"""Whatever happens in whatever order: no file is lost, none is indexed twice, and no file is tried without end."""

import shutil
import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from functools import partial
from pathlib import Path

import pytest
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, rule, run_state_machine_as_test

from agent.domain.errors import AgentError, EngineCrashed, EngineKilled, ImageCorrupt, ImageMissing, ModelMissing
from agent.domain.face import Analysis, StageTimes
from agent.domain.image import FileSeen, Recipe
from agent.domain.jobs import MAX_ATTEMPTS_KILLED, Job, JobState, Priority, after_error
from agent.features.library.records import Noted
from agent.features.redaction.queries.redaction_queries import RedactionQueries
from agent.infrastructure.store.database import Database
from agent.infrastructure.store.migrator import open_database
from agent.server.workers.event_relay import EventQueries
from tests.support.postgres_server import ON_SERVER, clear

LEASE = timedelta(minutes=1)
NOW = datetime(2026, 1, 1, tzinfo=UTC)
RECIPE = Recipe("centerface-2")
PATHS = st.sampled_from(["/p/a", "/p/b", "/p/sub/a", "/p/sub/b", "/pp/a"])
CONTENTS = st.sampled_from("0123")
ERRORS: list[AgentError] = [EngineCrashed(), EngineKilled(), ImageCorrupt(), ModelMissing(model="centerface")]
PLACED = (JobState.QUEUED, JobState.LEASED, JobState.DONE, JobState.FAILED, JobState.QUARANTINED)


class Queue(RuleBasedStateMachine):
    """`disk` is the model: what each file holds (content, time of change). The library must come to agree with it."""

    begin: "Callable[[], tuple[Callable[[], Database], Callable[[], None]]]"  # opens a new library, as often as called; removes it

    def __init__(self) -> None:
        super().__init__()
        self.open, self.remove = type(self).begin()
        self.library = RedactionQueries(self.open())
        self.disk: dict[str, tuple[str, int]] = {}
        self.deleted: dict[str, tuple[str, int]] = {}
        self.leased: list[Job] = []
        self.ended: list[Job] = []  # attempts that were ended once: whatever is done with them again must change nothing
        self.clock = 0
        self.now = NOW
        self.until: dict[int, datetime] = {}  # when the last lease of a job runs out, by the job's id
        self.latest: dict[int, int] = {}  # the attempt that was leased last, by the job's id

    def teardown(self) -> None:
        try:
            self._run_dry()
            self._check_indexed_once()
        finally:
            self.library.database.close()
            self.remove()

    # -- what happens to files ---------------------------------------------------------------------------------------------------

    @rule(path=PATHS, content=CONTENTS, hurry=st.booleans())
    def write(self, path: str, content: str, hurry: bool) -> None:
        self.clock += 1
        self.disk[path] = (content, self.clock)
        self._note(path, Priority.ASKED if hurry else Priority.NEW)

    @rule(path=PATHS)
    def see_again(self, path: str) -> None:
        if path in self.disk:
            self._note(path, Priority.BACKLOG)

    @rule(path=PATHS)
    def delete(self, path: str) -> None:
        if path in self.disk:
            self.deleted[path] = self.disk.pop(path)
        self.library.files_gone([path], now=NOW)

    @rule(path=PATHS)
    def bring_back(self, path: str) -> None:
        if path in self.deleted and path not in self.disk:
            self.disk[path] = self.deleted.pop(path)
            self._note(path, Priority.BACKLOG)

    @rule(old=PATHS, new=PATHS)
    def move(self, old: str, new: str) -> None:
        if old in self.disk and old != new:
            self.disk[new] = self.disk.pop(old)
            self.library.file_moved(old, self._seen(new), now=NOW)
            self._note(new, Priority.NEW)

    @rule(pick=st.integers(0, 9), new=PATHS)
    def move_while_leased(self, pick: int, new: str) -> None:
        if self.leased:
            self.move(self.leased[pick % len(self.leased)].path, new)
            self.commit(pick)

    @rule()
    def rename_folder(self) -> None:
        below = [path for path in self.disk if path.startswith("/p/sub/")]
        for path in below:
            self.disk["/q/" + path.removeprefix("/p/sub/")] = self.disk.pop(path)
        self.library.tree_moved("/p/sub", "/q", now=NOW)
        for path in [path for path in self.disk if path.startswith("/q/")]:
            self._note(path, Priority.NEW)

    @rule()
    def purge(self) -> None:
        self.library.purge_missing(before=NOW + timedelta(days=1))

    # -- what happens to jobs ----------------------------------------------------------------------------------------------------

    @rule(limit=st.integers(1, 4))
    def lease(self, limit: int) -> None:
        jobs, _ = self.library.lease(limit, now=self.now, until=self.now + LEASE)
        running = {job.id for job in self.leased if not self._is_stale(job) and self.until[job.id] > self.now}
        assert not {job.id for job in jobs} & running, "a job was leased twice"
        self.leased += jobs
        self.until |= {job.id: self.now + LEASE for job in jobs}
        self.latest |= {job.id: job.attempts for job in jobs}

    @rule(leases=st.integers(1, 3))
    def pass_time(self, leases: int) -> None:
        """Leases run out: their workers may come back all the same."""
        self.now += leases * LEASE

    @rule(pick=st.integers(0, 9))
    def commit(self, pick: int) -> None:
        if job := self._pick(pick):
            with self._unchanged_if_stale(job):
                self._commit(job)

    @rule(pick=st.integers(0, 9), error=st.sampled_from(ERRORS))
    def fail(self, pick: int, error: AgentError) -> None:
        if job := self._pick(pick):
            with self._unchanged_if_stale(job):
                self.library.fail(job, after_error(job.attempts, error), error, now=NOW)

    @rule(content=CONTENTS, path=PATHS, error=st.sampled_from([None, *ERRORS]), again=st.booleans())
    def write_and_work(self, content: str, path: str, error: AgentError | None, again: bool) -> None:
        """The common course in one step, so that histories get to the rare ones."""
        self.write(path, content, hurry=True)
        self.lease(1)
        if error is None:
            self.commit(-1)
        else:
            self.fail(-1, error)
        if again:
            self.end_again(-1)

    @rule(content=CONTENTS, path=PATHS, late=st.sampled_from([None, *ERRORS]))
    def write_and_work_too_long(self, content: str, path: str, late: AgentError | None) -> None:
        """A worker that was thought lost comes back while another one is at it."""
        self.write(path, content, hurry=True)
        self.lease(1)
        mine = self.leased[-1] if self.leased else None
        self.pass_time(1)
        self.lease(1)
        if mine in self.leased:
            place = self.leased.index(mine)
            if late is None:
                self.commit(place)
            else:
                self.fail(place, late)

    @rule(pick=st.integers(0, 9))
    def release(self, pick: int) -> None:
        if job := self._pick(pick):
            with self._unchanged_if_stale(job):
                self.library.release([job])

    @rule(pick=st.integers(0, 9))
    def end_again(self, pick: int) -> None:
        done = [job for job in self.ended if not self._holds(job)]
        if done:
            before = self.library.counts(), EventQueries(self.library.database).last_event_id()
            job = done[pick % len(done)]
            self._commit(job)
            self.library.fail(job, JobState.FAILED, ImageCorrupt(), now=NOW)
            assert (self.library.counts(), EventQueries(self.library.database).last_event_id()) == before

    @rule()
    def restart(self) -> None:
        self.library.database.close()
        self.library = RedactionQueries(self.open())
        self.library.release_leases()
        self.leased.clear()
        self.ended.clear()

    @rule()
    def retry(self) -> None:
        self.library.retry()

    # -- what must hold ----------------------------------------------------------------------------------------------------------

    @invariant()
    def every_file_is_known_and_indexed_or_has_a_job(self) -> None:
        known = dict(self.library.known_files("/"))
        assert known == {path: (self._size(path), self.disk[path][1]) for path in self.disk}
        for path in known:
            state = self.library.place(path)
            assert state is not None and (state.image_id is not None or state.job in PLACED)
            assert not isinstance(state.error, ImageMissing), "an attempt under an old path ended the job"

    @invariant()
    def attempts_are_bounded(self) -> None:
        assert all(1 <= job.attempts <= MAX_ATTEMPTS_KILLED for job in self.leased)

    # -- helpers -----------------------------------------------------------------------------------------------------------------

    def _size(self, path: str) -> int:
        return 100 + int(self.disk[path][0]) // 2  # two contents share each size

    def _seen(self, path: str) -> FileSeen:
        return FileSeen(path, self._size(path), self.disk[path][1], "/p")

    def _note(self, path: str, priority: Priority) -> None:
        noted, _ = self.library.note_file(self._seen(path), RECIPE, priority=priority, now=NOW)
        if noted is Noted.HASH_WANTED:
            digest = self.disk[path][0] * 64
            noted, _ = self.library.note_file(self._seen(path), RECIPE, priority=priority, now=NOW, sha256=digest)
            assert noted is not Noted.HASH_WANTED

    def _pick(self, number: int) -> Job | None:
        if not self.leased:
            return None
        job = self.leased.pop(number % len(self.leased))
        self.ended.append(job)
        return job

    def _is_stale(self, job: Job) -> bool:
        """Whether another attempt of the same job was leased since."""
        return self.latest[job.id] != job.attempts

    @contextmanager
    def _unchanged_if_stale(self, job: Job) -> Iterator[None]:
        before = self.library.counts(), EventQueries(self.library.database).last_event_id()
        yield
        if self._is_stale(job):
            assert (self.library.counts(), EventQueries(self.library.database).last_event_id()) == before, (
                "a stale worker's result was taken"
            )

    def _holds(self, job: Job) -> bool:
        """Whether the very same attempt may have been leased anew (released, or the attempt was given back)."""
        return any((other.id, other.attempts) == (job.id, job.attempts) for other in self.leased)

    def _commit(self, job: Job) -> None:
        if job.path not in self.disk:
            self.library.fail(job, JobState.FAILED, ImageMissing(), now=NOW)
            return
        content = self.disk[job.path][0]
        analysis = Analysis(content * 64, self._size(job.path), 10, 10, "jpeg", RECIPE, "f32", (), StageTimes())
        self.library.commit(job, analysis, now=NOW)

    def _run_dry(self) -> None:
        self.library.release_leases()
        self.library.retry()
        while jobs := self.library.lease(10, now=self.now, until=self.now + LEASE)[0]:
            for job in jobs:
                assert job.path in self.disk, "a job for a file that is gone"
                self._commit(job)

    def _check_indexed_once(self) -> None:
        images = self.library.images(limit=100)
        assert len({image.sha256 for image in images}) == len(images)
        held = {path: image.sha256[0] for image in images for _, path in image.places if path in self.disk}
        assert held == {path: content for path, (content, _) in self.disk.items()}


CHECKS = [HealthCheck.too_slow, HealthCheck.data_too_large]


@pytest.fixture
def in_files(empty_library: Path, library_key: bytes, monkeypatch: pytest.MonkeyPatch) -> None:
    def begin() -> tuple[Callable[[], Database], Callable[[], None]]:
        folder = Path(tempfile.mkdtemp())
        shutil.copyfile(empty_library, folder / "library.db")
        return partial(open_database, folder / "library.db", library_key), partial(shutil.rmtree, folder)

    monkeypatch.setattr(Queue, "begin", begin, raising=False)


def test_no_file_is_lost_or_indexed_twice(in_files: None) -> None:
    run_state_machine_as_test(Queue, settings=settings(max_examples=60, stateful_step_count=30, suppress_health_check=CHECKS))


@pytest.mark.parametrize("dialect", ON_SERVER)
def test_no_file_is_lost_or_indexed_twice_on_a_server(dialect: str, on_server: Database, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(Queue, "begin", lambda: (lambda: on_server, partial(clear, on_server)), raising=False)
    run_state_machine_as_test(Queue, settings=settings(max_examples=15, stateful_step_count=30, suppress_health_check=CHECKS))


@pytest.mark.timeout(600)
def test_no_file_is_lost_or_indexed_twice_in_long_histories(in_files: None) -> None:
    run_state_machine_as_test(Queue, settings=settings(max_examples=15, stateful_step_count=120))

"""Whatever of a team server is killed at whatever moment, under load: every photo once, every naming there or refused, no work stuck.

Without options it kills eight times, always with the same seed. `--count N` kills N times with a new seed; `--seed N` repeats a run.
"""

import contextlib
import hashlib
import random
import socket
import sys
import time
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path

import psutil
import pytest
from PIL import Image
from sqlalchemy import func, select, text

from agent.domain.errors import AgentError
from agent.domain.events import ImageIndexed
from agent.domain.jobs import JobState
from agent.features.redaction.copy_names import COPIES_FOLDER
from agent.features.redaction.queries.redaction_queries import RedactionQueries
from agent.infrastructure.store.schema import identity, person, redaction, redaction_item
from tests.support.real_server import RealServer
from tests.support.server_load import Covering, Desk, Naming, desk_of, desk_of_first

pytestmark = [
    pytest.mark.timeout(0),
    pytest.mark.skipif(sys.platform != "linux", reason="the tests of PostgreSQL run on Linux"),
]
KILLS = 8
FIRST, NEW_PER_KILL = 6, 3
MEMBERS = {"ann": "curator", "ben": "curator", "eve": "editor"}
SERVER, WORKER, ENGINE, DATABASE, BACKEND, BOTH = "server", "worker", "engine", "database", "backend", "server and database"
KINDS = (SERVER, WORKER, DATABASE, ENGINE, BACKEND, BOTH)
SETTLED_S = 600.0  # also on a machine that is busy with other work


class Rampage:
    """Drops photos and kills processes of the server, by chance, but reproducibly so."""

    def __init__(self, server: RealServer, desks: Sequence[Desk], photos: Iterator[tuple[str, bytes]], chance: random.Random) -> None:
        self._server = server
        self._desks = desks
        self._photos = photos
        self._chance = chance
        self.dropped: dict[str, str] = {}  # the name of the file, by its content
        self.seen: set[psutil.Process] = set()
        self.tally: Counter[str] = Counter()
        self._seen_images = 0

    def drop(self, count: int) -> None:
        for _ in range(count):
            name, content = next(self._photos)
            (self._server.watched / name).write_bytes(content)
            self.dropped[hashlib.sha256(content).hexdigest()] = name

    def kill(self, kind: str) -> None:
        """Kill one process of that kind, if it runs at that moment."""
        self._wait_for_work()
        time.sleep(self._chance.uniform(0, 1))
        self.see()
        self.tally[kind] += 1
        if kind in (SERVER, BOTH):
            database = self._database()
            self._server.kill()
            if kind == BOTH and database is not None:
                _kill(database)
            self._server.begin()
            self._server.wait(SETTLED_S)
        else:
            _kill(self._chance.choice(victims) if (victims := self._victims(kind)) else None)

    def _wait_for_work(self) -> None:
        """Wait until members were answered again, or photos were analysed; every third time for nothing, amid what the last kill left."""
        match self._chance.randrange(3):
            case 1:
                goal = sum(desk.answers for desk in self._desks) + self._chance.randint(1, 12)
                until(lambda: sum(desk.answers for desk in self._desks) >= goal)
            case 2:
                images = min(len(self.dropped), self._images() + self._chance.randint(1, 4))
                until(lambda: self._images() >= images)

    def _images(self) -> int:
        with contextlib.suppress(AgentError):
            self._seen_images = self._server.status().images
        return self._seen_images

    def see(self) -> None:
        """Remember all that runs, to find it later if it is left."""
        self.seen |= set(self._server.children())

    def _victims(self, kind: str) -> list[psutil.Process]:
        if kind == WORKER:
            return [each for each in self._server.children("worker") if "--with-parent" in _words(each)]
        if kind == ENGINE:
            return self._server.children("engine-worker")
        database = self._database()
        if database is None:
            return []
        return [database] if kind == DATABASE else database.children()

    def _database(self) -> psutil.Process | None:
        with contextlib.suppress(OSError, ValueError, psutil.Error):
            return self._server.postgres()
        return None


def test_nothing_is_lost_doubled_or_stuck_whatever_of_a_server_is_killed(
    tmp_path: Path,
    models_folder: Path,
    photo: Callable[[int], Image.Image],
    pytestconfig: pytest.Config,
    capsys: pytest.CaptureFixture[str],
) -> None:
    count, given = pytestconfig.getoption("count"), pytestconfig.getoption("seed")
    kills = KILLS if count is None else int(count)
    seed = random.SystemRandom().randrange(10**6) if given is None else int(given)
    with capsys.disabled():
        print(f"\nkills: {kills}, seed: {seed}")
    chance = random.Random(seed)
    # The same port after each start, as members know it.
    environment = {"AI_POPUP__SERVER__PORT": str(_free_port()), "AI_POPUP__SERVER__WORKERS": "2", "AI_POPUP__ENGINE__WORKERS": "1"}
    server = RealServer(tmp_path, models_folder, environment)
    server.file.set("recognition.enabled", "true")
    server.file.set("consent.required", "never")
    try:
        server.begin()
        server.wait(SETTLED_S)
        administrator = desk_of_first(server)
        ann, ben, eve = desks = [desk_of(administrator, server, name, role) for name, role in MEMBERS.items()]
        rampage = Rampage(server, desks, _photos(photo), chance)
        namings = [
            Naming(ann, random.Random(seed + 1), "Ann", lambda face_id: face_id % 2 == 0),
            Naming(ben, random.Random(seed + 2), "Ben", lambda face_id: face_id % 2 == 1),
        ]
        covering = Covering(eve, random.Random(seed + 3))
        rampage.drop(FIRST)
        working = (*namings, covering)
        for each in working:
            each.start()
        until(lambda: all(each.said.stand for each in namings) and bool(covering.batches))
        for number in range(kills):
            rampage.drop(NEW_PER_KILL)
            rampage.kill(kind := KINDS[number] if number < len(KINDS) else chance.choice(KINDS))
            if count is not None:
                with capsys.disabled():
                    print(f"{number + 1}: {kind} killed, {sum(len(each.said.stand) for each in namings)} namings stand", flush=True)
        for each in working:
            each.ended()
        server.until(lambda status: not status.queued and status.images == len(rampage.dropped), within=SETTLED_S)
        with server.library() as library:
            until(lambda: not _planned(library))
            _check_photos(library, rampage.dropped)
            _check_names(library, namings)
            _check_copies(library, server, covering)
            until(lambda: not _batches(library))
        _check_record(administrator)
        rampage.see()
        with capsys.disabled():
            print(f"killed: {dict(rampage.tally)}, photos: {len(rampage.dropped)}, batches of copies: {len(covering.batches)}")
            for each in namings:
                print(f"namings: {len(each.said.stand)} stand, {len(each.said.undone)} undone, {len(each.said.unknown)} not answered")
    finally:
        server.quit()
    until(lambda: not any(map(_runs, rampage.seen)))


def _free_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as free:
        return int(free.getsockname()[1])


def _photos(photo: Callable[[int], Image.Image]) -> Iterator[tuple[str, bytes]]:
    from io import BytesIO

    number = 0
    while True:
        out = BytesIO()
        photo(number).save(out, "JPEG", quality=90)
        yield f"{number:04}.jpg", out.getvalue()
        number += 1


def _check_photos(library: RedactionQueries, dropped: dict[str, str]) -> None:
    """Each content one image at one place, with its faces, analysed once; and no work left."""
    assert not {state: count for state, count in library.counts().jobs.items() if count and state is not JobState.DONE}
    images = {image.sha256: image for image in library.images(limit=100_000)}
    indexed = Counter(each.event.image_id for each in library.events(after=0, limit=1_000_000) if isinstance(each.event, ImageIndexed))
    assert {sha256: [Path(path).name for _, path in image.places] for sha256, image in images.items()} == {
        sha256: [name] for sha256, name in dropped.items()
    }
    assert {image.id: len(image.faces) for image in images.values()} == {
        image.id: 1 + int(Path(dropped[sha256]).stem) % 2 for sha256, image in images.items()
    }
    assert indexed == {image.id: 1 for image in images.values()}


def _check_names(library: RedactionQueries, namings: list[Naming]) -> None:
    """What was answered is there, what was taken back is not; what was not answered is there with its face, or not at all."""
    with library.database.read() as tx:
        chosen = select(person.c.name, identity.c.face_id).join(identity, identity.c.person_id == person.c.id)
        rows = tx.execute(chosen.where(identity.c.certainty == "confirmed")).all()
    there = {row.name: row.face_id for row in rows}
    assert len(there) == len(rows)
    for each in namings:
        said = each.said
        assert {name: there.get(name) for name in said.stand} == {name: said.faces[name] for name in said.stand}
        assert not said.undone & there.keys()
        assert {name: there[name] for name in said.unknown & there.keys()} == {
            name: said.faces[name] for name in said.unknown & there.keys()
        }
    assert there.keys() <= {name for each in namings for name in each.said.faces}
    assert all(each.said.stand for each in namings)


def _check_copies(library: RedactionQueries, server: RealServer, covering: Covering) -> None:
    """Each batch that was answered is there, and each of its photos has one copy."""
    with library.database.read() as tx:
        rows = tx.execute(select(redaction.c.uid, redaction_item).join(redaction_item)).all()
    assert {row.state for row in rows} <= {"done", "needs_review"}
    for uid, names in covering.batches.items():
        assert sorted(Path(row.source).name for row in rows if row.uid == uid) == sorted(names)
    targets = Counter(row.target for row in rows)
    assert set(targets.values()) == {1} and covering.batches
    made = {str(path) for path in (server.paths.data / COPIES_FOLDER).rglob("*") if path.is_file()}
    assert made == set(targets)


def _check_record(administrator: Desk) -> None:
    administrator.leave()  # its connection was to a server that was killed
    told = administrator.ask("POST", "/api/record/verify")
    assert told["broken_at"] is None and told["entries"]


def _planned(library: RedactionQueries) -> int:
    with library.database.read() as tx:
        return tx.scalar(select(func.count()).select_from(redaction_item).where(redaction_item.c.state == "planned")) or 0


def _batches(library: RedactionQueries) -> int:
    with library.database.read() as tx:
        return tx.scalar(text("SELECT count(*) FROM procrastinate_jobs")) or 0


def until(done: Callable[[], bool]) -> None:
    deadline = time.monotonic() + SETTLED_S
    while not done():
        assert time.monotonic() < deadline
        time.sleep(0.2)


def _kill(process: psutil.Process | None) -> None:
    if process is not None:
        with contextlib.suppress(psutil.NoSuchProcess):
            process.kill()


def _runs(process: psutil.Process) -> bool:
    """Unlike waiting for it, this isn't misled by a number that is another thread's by now."""
    with contextlib.suppress(psutil.NoSuchProcess):
        return bool(process.is_running() and process.status() != psutil.STATUS_ZOMBIE)
    return False


def _words(process: psutil.Process) -> list[str]:
    try:
        words: list[str] = process.cmdline()
    except psutil.Error:
        return []
    return words

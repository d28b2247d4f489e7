"""A team's server with workers: its own, which end with it, and one of another machine, where the photos are mounted elsewhere."""

import shutil
import subprocess
import sys
import time
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

import psutil
import pytest
from sqlalchemy import make_url

from agent.domain.events import ImageIndexed
from agent.infrastructure.store.server_database import database_url
from agent.infrastructure.store.worker_key import WORKER_KEY_FILE
from agent.server.workers.queries.worker_rows import WorkerQueries
from agent.server.workers.records import WorkerState
from tests.support.journey import Journey
from tests.support.real_program import CHECKOUT
from tests.support.real_server import RealServer

pytestmark = [
    pytest.mark.timeout(600),
    pytest.mark.skipif(sys.platform != "linux", reason="the tests of PostgreSQL run on Linux"),
]


def workers_of(server: RealServer) -> list[psutil.Process]:
    return [each for each in server.children() if "worker" in each.cmdline()]


def check_each_once(server: RealServer, photos: int, faces: int) -> None:
    with server.library() as library:
        indexed = Counter(each.event.image_id for each in library.events(after=0, limit=10_000) if isinstance(each.event, ImageIndexed))
        assert (library.counts().images, library.counts().faces) == (photos, faces)
    assert (len(indexed), set(indexed.values())) == (photos, {1})


@pytest.fixture
def server(tmp_path: Path, models_folder: Path) -> Iterator[RealServer]:
    made = RealServer(tmp_path, models_folder, {"AI_POPUP__SERVER__WORKERS": "2", "AI_POPUP__ENGINE__WORKERS": "1"})
    yield made
    made.quit()


@pytest.mark.smoke
def test_two_workers_share_the_photos_one_is_killed_and_both_end_with_the_server(
    server: RealServer, samples_folder: Path, tmp_path: Path
) -> None:
    server.serve()
    album = Journey(server, samples_folder, tmp_path).album("holiday", faces=10, plain=30)
    for photo in sorted(album.iterdir()):
        shutil.copyfile(photo, server.watched / photo.name)
    server.until(lambda status: status.images >= 5)
    before = workers_of(server)
    assert len(before) == 2
    before[0].kill()
    server.settled(40)
    check_each_once(server, 40, 10)
    server.until(lambda _: len(workers_of(server)) == 2)
    after = workers_of(server)
    server.kill()
    gone, alive = psutil.wait_procs(after, 100)
    assert len(gone) == 2 and alive == []


def test_a_worker_elsewhere_reads_the_photos_where_they_are_mounted(tmp_path: Path, models_folder: Path, samples_folder: Path) -> None:
    """What the server sees in its folder are no photos: only the worker has them."""
    server = RealServer(tmp_path, models_folder, {"AI_POPUP__SERVER__WORKERS": "0"})
    try:
        server.serve()
        album = Journey(server, samples_folder, tmp_path).album("nas", faces=3, plain=3)
        for photo in sorted(album.iterdir()):
            (server.watched / photo.name).write_bytes(b"not a photo: " + photo.name.encode())
        server.until(lambda status: status.queued == 6)
        home = tmp_path / "attic"
        (home / "data").mkdir(parents=True)
        (home / "data" / "models").symlink_to(server.paths.data / "models")
        (home / "config" / "keys").mkdir(parents=True)
        shutil.copyfile(server.paths.keys / WORKER_KEY_FILE, home / "config" / "keys" / WORKER_KEY_FILE)
        url = make_url(database_url(server.file.load(), server.paths.data))
        address = url.set(drivername="postgresql").render_as_string(hide_password=False)
        environment = {**server.environment, "AI_POPUP_HOME": str(home), "AI_POPUP__SERVER__DATABASE": address}
        (other := tmp_path / "another disk").mkdir()
        (other / "something").touch()
        command = [sys.executable, "-m", "agent", "worker", "--name", "attic", "--root"]
        lacks_it = [*command, f"{server.watched.parent}={other}"]
        with subprocess.Popen(lacks_it, env=environment, cwd=CHECKOUT, stderr=subprocess.DEVNULL) as worker, server.library() as library:
            while [each.state for each in WorkerQueries(library.database).workers()] != [WorkerState.BLOCKED]:
                assert worker.poll() is None and library.counts().images == 0
                time.sleep(0.1)
            worker.terminate()
            assert worker.wait(100) == 0
        command.append(f"{server.watched}={album}")
        with subprocess.Popen(command, env=environment, cwd=CHECKOUT, stderr=subprocess.DEVNULL) as worker:
            server.settled(6)
            check_each_once(server, 6, 3)
            with server.library() as library:
                assert WorkerQueries(library.database).drain("attic")
                assert worker.wait(100) == 0
                seen, before = sorted(WorkerQueries(library.database).workers(), key=lambda each: -each.done)
        assert (before.state, before.done, before.errors) == (WorkerState.GONE, 0, 0)
        assert (seen.name, seen.state, seen.done, seen.errors) == ("attic", WorkerState.GONE, 6, 0)
        # It opens faces, and has no key of the library, which opens names.
        assert [each.name for each in (home / "config" / "keys").iterdir()] == [WORKER_KEY_FILE]
    finally:
        server.quit()

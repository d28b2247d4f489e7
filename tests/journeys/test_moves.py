"""A desktop's library moves to a team server, although the command is killed twice, and back again."""

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

import psycopg
import pytest
from sqlalchemy import make_url, select

from agent.features.library.records import Shown
from agent.features.redaction.queries.redaction_queries import RedactionQueries
from agent.infrastructure.core.paths import AppPaths
from agent.infrastructure.store.embedded_postgres import ADDRESS_FILE
from agent.infrastructure.store.open_library import open_library
from agent.infrastructure.store.schema import image
from agent.infrastructure.store.secret_stores import FileSecretStore
from agent.infrastructure.store.server_database import POSTGRES_FOLDER
from tests.support.moved_library import ROOT, MadeLibrary
from tests.support.real_program import CHECKOUT, WAIT_S
from tests.support.real_server import RealServer

pytestmark = [
    pytest.mark.timeout(600),
    pytest.mark.skipif(sys.platform != "linux", reason="the tests of PostgreSQL run on Linux"),
]
PHOTOS = 700


@pytest.fixture
def server(tmp_path: Path, models_folder: Path) -> Iterator[RealServer]:
    made = RealServer(tmp_path, models_folder, {"AI_POPUP__SERVER__WORKERS": "0"})
    made.file.set("recognition.enabled", "true")
    yield made
    made.quit()


Albums = dict[str, list[str]]  # name -> its photos' content, in their order


def albums(library: RedactionQueries) -> Albums:
    with library.database.read() as tx:
        content = {each.id: each.sha256 for each in tx.execute(select(image.c.id, image.c.sha256))}
    return {each.name: [content[number] for number in library.index(Shown(album=each.id)).ids] for each in library.albums()}


def made_desktop(home: Path, photos: Path) -> tuple[tuple[int, int, int], Albums]:
    """A desktop's home, and its photos' files where the server sees them, unchanged. Returns the photos, faces and people it shows."""
    paths = AppPaths.find({"AI_POPUP_HOME": str(home)}).create()
    library = open_library(paths.library, FileSecretStore(paths.keys))
    MadeLibrary(library, 1, photos=PHOTOS).fill()
    with library.read() as tx:
        files = tx.exec_driver_sql("SELECT path, size, mtime_ns FROM place WHERE folder IS NOT NULL").all()
    counts, shown = RedactionQueries(library).counts(), albums(RedactionQueries(library))
    library.close()
    for path, size, mtime_ns in files:
        file = photos / os.fsdecode(path.decode("utf-8", "surrogatepass").removeprefix(ROOT + "/").encode("utf-8", "surrogateescape"))
        with file.open("wb") as empty:
            empty.truncate(size)
        os.utime(file, ns=(mtime_ns, mtime_ns))
    return (counts.images, counts.faces, counts.people), shown


def photos_there(server: RealServer) -> int:
    """The number of photos in the server's database; 0 while there is none."""
    with suppress(OSError, psycopg.Error):
        address = make_url((server.paths.data / POSTGRES_FOLDER / ADDRESS_FILE).read_text())
        with psycopg.connect(address.set(drivername="postgresql").render_as_string(hide_password=False)) as connection:
            found = connection.execute("SELECT count(*) FROM image").fetchone()
            return int(found[0]) if found else 0
    return 0


def test_it_moves_with_every_row_though_killed_twice_and_comes_back(server: RealServer, tmp_path: Path) -> None:
    home, back = tmp_path / "ada", tmp_path / "back"
    shown, collected = made_desktop(home, server.watched)
    assert {name: len(its) for name, its in collected.items()} == {"海边 Sea": PHOTOS - 2, "家人": 174}
    words = ["move-to", "server", str(home), "--library", "Ada", "--root", f"{ROOT}={server.watched}"]
    planned = json.loads(server.run(*words, "--plan", "--json").stdout)
    assert (planned["rows"]["image"], planned["folders_missing"], planned["without_consent"]) == (PHOTOS, 0, 4)

    for least in (200, 600):
        command = [sys.executable, "-m", "agent", *words, "--json"]
        moving = subprocess.Popen(command, env=server.environment, cwd=CHECKOUT, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        until = time.monotonic() + WAIT_S
        while photos_there(server) < least and moving.poll() is None and time.monotonic() < until:
            time.sleep(0.02)
        moving.kill()
        assert moving.wait() == -signal.SIGKILL
    said = server.run(*words, "--json")
    moved = json.loads(said.stdout)
    assert said.returncode == 0 and moved["equal"] and moved["conflict_count"] == 0, said.stderr
    rows = {each["table"]: each["source_rows"] for each in moved["tables"]}
    assert {each["table"] for each in moved["withheld"]} == {"embedding", "chip"}

    server.serve()
    server.until(lambda now: (now.images, now.faces, now.people) == shown)
    with server.library() as there:
        assert albums(there) == collected
    assert server.run("record", "verify").returncode == 0
    assert len(server.run("consent", "missing", "--json").stdout.splitlines()) == 4
    server.quit()

    said = server.run("move-to", "desktop", str(back), "--library", "ada", "--root", f"{server.watched}={ROOT}", "--json")
    returned = json.loads(said.stdout)
    assert said.returncode == 0 and returned["equal"], said.stderr
    again = {each["table"]: each["source_rows"] for each in returned["tables"]}
    assert again["image"] == rows["image"] - 1, "the photo without a file is in no library"
    paths = AppPaths.find({"AI_POPUP_HOME": str(back)})
    opened = open_library(paths.library, FileSecretStore(paths.keys))
    with opened.read() as tx:
        assert tx.exec_driver_sql("SELECT count(*) FROM person").scalar() == again["person"]
    assert albums(RedactionQueries(opened)) == collected
    opened.close()

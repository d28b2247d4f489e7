"""A server's home is lost: all that its people would count comes back on an empty host, to the last moment and to one before."""

import json
import re
import shutil
import subprocess
import sys
import time
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import select

from agent.features.consent.schemas import ConsentGiven, PersonConsentsOut
from agent.infrastructure.store.schema import face, person
from agent.server.backups.state import Archiving
from tests.support.journey import Journey
from tests.support.real_program import CHECKOUT, WAIT_S
from tests.support.real_server import RealServer

pytestmark = [
    pytest.mark.timeout(2_400),
    pytest.mark.skipif(sys.platform != "linux", reason="the tests of PostgreSQL run on Linux"),
]
PHOTOS, FACES, PLAIN = 70, 12, 58  # more than one batch
LIMIT_S = 600.0  # a busy machine is no failure


class Site:
    """A server with a repository on a disk of its own and another elsewhere, and what its users count."""

    def __init__(self, root: Path, models: Path, samples: Path) -> None:
        self.root = root
        self.disk, self.elsewhere = root / "disk", root / "elsewhere"
        environment = {
            "AI_POPUP__BACKUP__ENABLED": "true",
            "AI_POPUP__BACKUP__FOLDER": str(self.disk),
            "AI_POPUP__BACKUP__OFFSITE": str(self.elsewhere),
            "AI_POPUP__BACKUP__WAL_SECONDS": "1",
            "AI_POPUP__BACKUP__AT": "",
            "AI_POPUP__RECOGNITION__ENABLED": "true",
            "AI_POPUP__SERVER__OPERATIONS_PORT": "0",
        }
        self.server = RealServer(root, models, environment)
        self.journey = Journey(self.server, samples, root)

    def faces(self) -> list[int]:
        with self.server.library() as library, library.database.read() as tx:
            return list(tx.scalars(select(face.c.id).order_by(face.c.id)))

    def name(self, face_id: int, name: str) -> int:
        return int(self.post("/api/people", {"face_id": face_id, "name": name})["id"])

    def post(self, path: str, body: dict[str, Any]) -> Any:
        with self.server.client() as client:
            return client.post_json(path, body)

    def agree(self, who: int) -> None:
        with self.server.client() as client:
            client.call("PUT", f"/api/people/{who}/consents", PersonConsentsOut, ConsentGiven(purposes=("recognise",)))

    def counts(self) -> tuple[int, int, set[str]]:
        """Photos, faces, and the names of people."""
        with self.server.library() as library, library.database.read() as tx:
            assert library.database.sound()
            counts = library.counts()
            return counts.images, counts.faces, set(tx.scalars(select(person.c.name)))

    def arrived(self) -> None:
        """Wait until what was written before this call is in the repositories."""
        since, until = datetime.now(UTC), time.monotonic() + WAIT_S
        while True:
            with self.server.library() as library:
                library.audit_add("signed_in", None, 0, datetime.now(UTC))  # something to write: an idle database sends nothing
                found = Archiving.of(library.database)
            if found.at is not None and found.at > since and not found.failing:
                return
            assert time.monotonic() < until, found
            time.sleep(0.2)

    def run(self, *words: str) -> "subprocess.CompletedProcess[str]":
        """A command that may take its time."""
        command = [sys.executable, "-m", "agent", *words]
        environment = self.server.environment
        return subprocess.run(command, env=environment, cwd=CHECKOUT, capture_output=True, text=True, timeout=LIMIT_S, check=False)

    def restored(self, name: str, *words: str) -> "subprocess.CompletedProcess[str]":
        """`ai-popup backup restore` into an empty home, which takes the server's place if it succeeds."""
        home = self.root / name
        environment = {**self.server.environment, "AI_POPUP_HOME": str(home)}
        command = [sys.executable, "-m", "agent", "backup", "restore", *words, "--json"]
        return subprocess.run(
            command, env=environment, cwd=CHECKOUT, capture_output=True, text=True, input=f"{self.code}\n", timeout=LIMIT_S, check=False
        )

    def move_in(self, name: str) -> None:
        """Let the server live in a home that was restored."""
        models = (self.server.paths.data / "models").readlink() if self.server.home.exists() else self.models
        self.models = models
        shutil.rmtree(self.server.home, ignore_errors=True)
        (self.root / name).rename(self.server.home)
        if not (self.server.paths.data / "models").exists():
            (self.server.paths.data / "models").symlink_to(models, target_is_directory=True)

    code: str
    models: Path


@pytest.fixture
def site(tmp_path: Path, models_folder: Path, samples_folder: Path) -> Iterator[Site]:
    made = Site(tmp_path, models_folder, samples_folder)
    yield made
    made.server.quit()


def test_a_lost_server_comes_back_to_the_last_moment_and_to_one_before(site: Site) -> None:
    server = site.server
    for photo in sorted(site.journey.album("holiday", faces=FACES, plain=PLAIN).iterdir()):
        shutil.copyfile(photo, server.watched / photo.name)
    server.serve()
    server.settled(PHOTOS)
    assert all(list(each.rglob("archive.info")) for each in (site.disk, site.elsewhere)), "the log has a place before the first backup"
    faces = site.faces()
    assert len(faces) == FACES
    site.name(faces[0], "Ada")
    grace = site.name(faces[1], "Grace")
    ken = site.name(faces[2], "Ken")
    site.agree(ken)

    made = site.run("backup", "now", "--json")
    assert made.returncode == 0, made.stderr
    told = json.loads(made.stdout)
    assert {(each["kind"], each["repository"], each["code"]) for each in told["runs"]} == {
        (kind, where, "") for kind in ("database", "files") for where in ("local", "offsite")
    }
    site.name(faces[3], "Linus")
    site.arrived()
    before = datetime.now(UTC)
    site.arrived()
    site.name(faces[4], "Margaret")
    site.post(f"/api/people/{grace}/forget", {})
    site.post(f"/api/people/{ken}/consents/recognise/withdraw", {})
    site.arrived()
    files = site.run("backup", "now", "--json")  # also without it, the lists of forgotten people go within seconds
    assert files.returncode == 0, files.stderr
    site.name(faces[5], "Dennis")
    site.arrived()

    drilled = site.run("backup", "drill", "--json")
    assert drilled.returncode == 0, drilled.stderr
    assert json.loads(drilled.stdout)["rows"] > PHOTOS
    status = json.loads(server.run("backup", "status", "--json").stdout)
    assert [each["drill"]["code"] for each in status["repositories"]] == ["", ""]
    refused = server.run("backup", "restore", "--from", str(site.disk), input="X\n")
    assert (refused.returncode, "backup.home_taken" in refused.stderr) == (1, True), refused.stderr

    site.code = server.run("recovery-code").stdout.strip()
    database = server.postgres()
    server.kill()
    database.kill()
    database.wait(100)
    site.models = (server.paths.data / "models").readlink()
    shutil.rmtree(server.home)

    last = site.restored("empty", "--from", str(site.elsewhere))
    assert last.returncode == 0, last.stderr
    found = json.loads(last.stdout)
    assert (found["photos"], found["people"], found["forgotten"]) == (PHOTOS, 5, 0)
    site.move_in("empty")
    server.serve()
    server.settled(PHOTOS)
    assert site.counts() == (PHOTOS, FACES, {"Ada", "Ken", "Linus", "Margaret", "Dennis"})
    again = site.run("backup", "now", "--json")  # it goes on: full, in both repositories
    assert again.returncode == 0, again.stderr
    server.quit()

    earlier = site.restored("earlier", "--from", str(site.disk), "--to", before.isoformat())
    assert earlier.returncode == 0, earlier.stderr
    found = json.loads(earlier.stdout)
    assert (found["forgotten"], found["withdrawn"]) == (1, 1)
    site.move_in("earlier")
    server.serve()
    assert site.counts() == (PHOTOS, FACES, {"Ada", "Ken", "Linus"})
    assert server.run("record", "verify").returncode == 0
    server.quit()

    too_late = site.restored("later", "--from", str(site.disk), "--to", (datetime.now(UTC) + timedelta(hours=1)).isoformat())
    assert too_late.returncode == 1 and "backup.moment_missed" in too_late.stderr, too_late.stderr
    left = site.root / "later" / "data"
    assert not (left / "postgres").exists() and not (left / "restoring").exists(), "what was restored by half takes no room"

    copy = site.root / "copy"
    shutil.copytree(site.disk, copy)
    pieces = sorted(each for each in (copy / "database" / "archive").rglob("0*-*") if len(each.name.partition("-")[0]) == 24)
    pieces[-2].write_bytes(pieces[-2].read_bytes()[:100])
    broken = site.restored("broken", "--from", str(copy))
    assert broken.returncode == 1 and "backup.log_broken" in broken.stderr, broken.stderr
    [until] = set(re.findall(r"--to (\S+?)`", broken.stderr))
    reached = site.restored("broken", "--from", str(copy), "--to", until)
    assert reached.returncode == 0, reached.stderr
    assert json.loads(reached.stdout)["photos"] == PHOTOS
    damaged = max((site.disk / "database" / "backup").rglob("bundle/*"), key=lambda each: each.stat().st_size)
    content = bytearray(damaged.read_bytes())
    content[len(content) // 2] ^= 1
    damaged.write_bytes(content)
    server.serve()
    told_so = site.run("backup", "drill")
    assert told_so.returncode == 1 and "backup.repository_damaged" in told_so.stderr, told_so.stderr
    assert server.run("backup", "status").returncode == 1

"""Two desktops send their folders to the team's server whole, while everything is killed; each photo arrives once, and leaves again."""

import hashlib
import json
import shutil
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import suppress
from pathlib import Path
from typing import Any

import pytest

from tests.support.journey import Journey
from tests.support.journey_desktop import Desk, administrator, let_in
from tests.support.real_program import RealProgram
from tests.support.real_server import RealServer

pytestmark = [
    pytest.mark.timeout(1_800),
    pytest.mark.skipif(sys.platform != "linux", reason="the tests of PostgreSQL run on Linux"),
]
WAIT_S = 600.0
QUICK = {"AI_POPUP__RECOGNITION__ENABLED": "true", "AI_POPUP__ENGINE__WORKERS": "1"}
CHINESE = {"LC_ALL": "zh_CN.UTF-8", "LANG": "zh_CN.UTF-8", "AI_POPUP__GENERAL__LANGUAGE": "zh-CN"}
PHOTOS, COMMON, OWN, LAST = 180, 30, 30, 5


def until(condition: Callable[[], bool], said: Callable[[], object] = lambda: "") -> None:
    end = time.monotonic() + WAIT_S
    while not condition():
        assert time.monotonic() < end, said()
        time.sleep(0.2)


def settled(program: RealProgram, images: int) -> None:
    """Wait until so many photos are analysed: hundreds, on a machine that may be busy."""
    program.until(lambda status: (status.images, status.queued) == (images, 0), within=WAIT_S)


def contents(folder: Path) -> list[str]:
    """The digest of each file, sorted: a photo that is there twice is twice in it."""
    found = []
    for each in folder.rglob("*"):
        if each.is_file() and ".incoming" not in each.parts:
            with suppress(FileNotFoundError):  # deleted since it was listed
                found.append(hashlib.sha256(each.read_bytes()).hexdigest())
    return sorted(found)


def uploads(desk: Desk) -> dict[str, Any]:
    found: dict[str, Any] = desk.team()["uploads"]
    return found


def told(desk: Desk, *words: str) -> str:
    """What a command prints, once it went well."""
    said = desk.program.run(*words)
    assert said.returncode == 0, said.stdout + said.stderr
    return said.stdout


@pytest.fixture
def server(tmp_path: Path, models_folder: Path) -> Iterator[RealServer]:
    root = tmp_path / "server"
    root.mkdir()
    made = RealServer(root, models_folder, {**QUICK, "AI_POPUP__SERVER__WORKERS": "1"})
    yield made
    made.quit()


@pytest.fixture
def desks(tmp_path: Path, models_folder: Path) -> Iterator[tuple[Desk, Desk]]:
    root, models = tmp_path, models_folder
    with Desk(root / "one", models, environment=QUICK) as one, Desk(root / "other", models, environment=QUICK | CHINESE) as other:
        yield one, other


def album(program: RealProgram, samples: Path, root: Path, *, faces: int, plain: int) -> Path:
    return Journey(program, samples, root).album("album", faces=faces, plain=plain)


def test_hundreds_of_photos_go_up_once_through_kills_and_what_a_desk_sent_can_be_removed(
    server: RealServer, desks: tuple[Desk, Desk], samples_folder: Path, tmp_path: Path
) -> None:
    one, other = desks
    photos = sorted(album(one.program, samples_folder, tmp_path, faces=20, plain=PHOTOS + OWN - 20).iterdir())
    mine, common, theirs = photos[:PHOTOS], photos[:COMMON], photos[PHOTOS:]
    for path in mine:
        shutil.copyfile(path, one.program.watched / path.name)
    for path in (*common, *theirs):
        shutil.copyfile(path, other.program.watched / f"张 {path.name}")
    stored = server.paths.data / "uploads"
    server.serve()
    with server.visitor() as member:
        administrator(server, member)
        key = dict(member.headers)
        one.join(server, lambda code: let_in(member, code))
        other.join(server, lambda code: let_in(member, code))
    settled(one.program, PHOTOS)

    told(one, "folders", "share", str(one.program.watched), "upload")
    until(lambda: len(contents(stored)) >= 20)
    one.program.kill()
    one.program.start(wait=False)
    until(lambda: len(contents(stored)) >= 80)
    server.kill()
    server.environment["AI_POPUP__SERVER__PORT"] = server.address.rpartition(":")[2]
    server.serve()
    until(lambda: len(contents(stored)) >= 140)
    one.program.kill()
    server.kill()
    server.serve()
    one.program.start(wait=False)
    one.program.until(lambda _: True)
    until(lambda: uploads(one)["waiting"] == 0, lambda: uploads(one))
    expected = sorted(hashlib.sha256(path.read_bytes()).hexdigest() for path in mine)
    assert contents(stored) == expected, "each photo once"
    up = uploads(one)
    assert (up["sent"], up["there"], up["failed"]) == (PHOTOS, 0, 0), up
    settled(server, PHOTOS)

    # A file with another name, and the same content once more, are nothing new.
    first, second = (one.program.watched / each.name for each in mine[:2])
    first.rename(one.program.watched / "renamed.jpg")
    shutil.copyfile(second, one.program.watched / "again.jpg")
    shutil.copyfile(photos[-1], one.program.watched / "new.jpg")
    until(lambda: uploads(one)["sent"] == PHOTOS + 1, lambda: uploads(one))
    assert len(contents(stored)) == PHOTOS + 1
    (one.program.watched / "new.jpg").unlink()

    told(other, "folders", "share", str(other.program.watched), "upload")
    settled(other.program, COMMON + OWN)
    until(lambda: uploads(other)["sent"] + uploads(other)["there"] == COMMON + OWN, lambda: uploads(other))
    assert f"已发送 {OWN - 1}，服务器原已有 {COMMON + 1}，待发送 0，失败 0" in told(other, "team", "status")
    assert len(contents(stored)) == PHOTOS + OWN
    settled(server, PHOTOS + OWN)

    # What is no longer at the desk, or is another's as well, stays on the server.
    for path in mine[-LAST:]:
        (one.program.watched / path.name).unlink()
    told(one, "folders", "share", str(one.program.watched), "keep")
    until(lambda: uploads(one)["last_copies"] == LAST + 1, lambda: uploads(one))
    told(one, "team", "take-back", "--yes")
    left = sorted(hashlib.sha256(path.read_bytes()).hexdigest() for path in (*common, *theirs, *mine[-LAST:]))
    until(lambda: contents(stored) == left, lambda: (len(contents(stored)), len(left)))

    receipt = json.loads(told(one, "team", "leave", "--remove", "--yes", "--json"))
    assert receipt["revoked"] is True and receipt["removed_photos"] == LAST, receipt
    assert contents(stored) == sorted(hashlib.sha256(path.read_bytes()).hexdigest() for path in (*common, *theirs))
    receipt = json.loads(told(other, "team", "leave", "--yes", "--json"))
    assert receipt["stays_photos"] == OWN - 1, "what it sent itself"
    with server.visitor() as member:
        member.headers.update(key)
        [desk] = member.get("/api/desks").json()["items"]
        assert (desk["photos"], desk["joined"]) == (COMMON + OWN, False), desk
        removed = member.post(f"/api/desks/{desk['id']}/remove", timeout=WAIT_S).json()
        assert removed["photos"] == COMMON + OWN, removed
        assert member.get("/api/images").json()["items"] == []
        assert member.get("/api/desks").json()["items"] == []
    assert contents(stored) == []

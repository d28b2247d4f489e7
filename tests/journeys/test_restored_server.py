"""A team's server is restored to an earlier moment at another address, while its desktops hold what they have not sent."""

import hashlib
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from agent.infrastructure.store.audit_anchor import AuditAnchor
from tests.support.journey import PORTRAITS, Journey
from tests.support.journey_desktop import RECOGNISES, Desk, administrator, awaited, let_in
from tests.support.real_server import RealServer

pytestmark = [
    pytest.mark.timeout(900),
    pytest.mark.skipif(sys.platform != "linux", reason="the tests of PostgreSQL run on Linux"),
]


@pytest.fixture
def server(tmp_path: Path, models_folder: Path) -> Iterator[RealServer]:
    root = tmp_path / "server"
    root.mkdir()
    made = RealServer(root, models_folder, {**RECOGNISES, "AI_POPUP__SERVER__WORKERS": "1"})
    yield made
    made.quit()


@pytest.fixture
def desks(tmp_path: Path, models_folder: Path, samples_folder: Path) -> Iterator[tuple[Desk, Desk]]:
    photo = samples_folder / PORTRAITS["Barack"][2]
    with Desk(tmp_path / "one", models_folder, photo) as one, Desk(tmp_path / "other", models_folder, photo) as other:
        yield one, other


def test_desks_send_a_restored_server_what_it_lost_and_what_they_had_not_sent(
    server: RealServer, desks: tuple[Desk, Desk], samples_folder: Path, tmp_path: Path
) -> None:
    one, other = desks
    lost, unsent, also = sorted(Journey(one.program, samples_folder, tmp_path).album("album", faces=0, plain=3).iterdir())
    server.serve()
    with server.visitor() as member:
        administrator(server, member)
        for each in desks:
            each.join(server, lambda code: let_in(member, code))
    for each in desks:
        assert each.program.run("folders", "share", str(each.program.watched), "upload").returncode == 0
    awaited(lambda: [held(each) for each in desks] == [1, 1])
    server.settled(1)
    server.quit()
    moment = tmp_path / "moment"
    subprocess.run(["cp", "-a", server.paths.data, moment], check=True)  # with the owner: a root's database runs as another user

    server.environment["AI_POPUP__SERVER__PORT"] = server.address.rpartition(":")[2]
    server.serve()
    shutil.copyfile(lost, one.program.watched / "lost.jpg")
    awaited(lambda: held(one) == 2)
    name(one, "Mei")
    awaited(lambda: names(server) == {"Mei"})
    server.quit()
    shutil.copyfile(unsent, one.program.watched / "unsent.jpg")
    shutil.copyfile(also, other.program.watched / "unsent.jpg")
    awaited(lambda: [each.team()["uploads"]["waiting"] for each in desks] == [1, 1])

    shutil.rmtree(server.paths.data)
    moment.rename(server.paths.data)
    AuditAnchor(server.paths.library).forget()  # as a restore does
    server.environment["AI_POPUP__SERVER__PORT"] = "0"
    server.serve()
    assert names(server) == set()
    for each in desks:
        said = each.program.run("team", "address", server.address)
        assert said.returncode == 0, said.stdout + said.stderr
    photo = samples_folder / PORTRAITS["Barack"][2]
    expected = sorted(hashlib.sha256(path.read_bytes()).hexdigest() for path in (photo, lost, unsent, also))
    awaited(lambda: stored(server) == expected and names(server) == {"Mei"})
    awaited(lambda: [held(each) for each in desks] == [3, 2])
    for each in desks:
        team = each.team()
        assert (team["uploads"]["waiting"], team["waiting"], team["conflicts"]) == (0, 0, []), team


def name(desk: Desk, given: str) -> None:
    """Name the only face of its photos."""
    with desk.program.api() as api:
        [found] = [each for image in api.get("/images").json()["items"] for each in image["faces"]]
        answer = api.post("/people/edits", json={"kind": "name", "face_ids": [found["id"]], "name": given})
        assert answer.status_code == 200, answer.text


def held(desk: Desk) -> int:
    """How many of the desk's photos the server has, as far as the desk knows."""
    uploads = desk.team()["uploads"]
    return int(uploads["sent"] + uploads["there"])


def names(server: RealServer) -> set[str]:
    with server.library() as library:
        return set(library.person_names().values())


def stored(server: RealServer) -> list[str]:
    """The digests of the uploaded files; one that is there twice is twice in it."""
    files = [each for each in (server.paths.data / "uploads").rglob("*") if each.is_file() and ".incoming" not in each.parts]
    return sorted(hashlib.sha256(each.read_bytes()).hexdigest() for each in files)

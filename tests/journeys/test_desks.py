"""Two desktops join a team's server by its network: names are given at one and seen at the other, and nothing stays after leaving."""

import json
import secrets
import shutil
import sys
import time
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, suppress
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import httpx
import pytest
from sqlalchemy import func, select

from agent import __version__
from agent.infrastructure.store.schema import desk_operation
from tests.support.journey import PORTRAITS
from tests.support.journey_desktop import PASSWORD, RECOGNISES, Desk, administrator, awaited, let_in
from tests.support.real_program import WAIT_S
from tests.support.real_server import RealServer

pytestmark = [
    pytest.mark.timeout(900),
    pytest.mark.skipif(sys.platform != "linux", reason="the tests of PostgreSQL run on Linux"),
]
BARACK, SHORT = "Barack Obama", "奥巴马"
REFERENCE, _, AT_A_DESK = PORTRAITS["Barack"]


@pytest.fixture
def server(tmp_path: Path, models_folder: Path, samples_folder: Path) -> Iterator[RealServer]:
    root = tmp_path / "server"
    root.mkdir()
    # At all addresses: what listens on this computer only announces nothing. Other servers may be announced meanwhile.
    own = {"AI_POPUP__SERVER__HOST": "0.0.0.0", "AI_POPUP__SERVER__NAME": f"Photos {secrets.token_hex(4)}"}
    made = RealServer(root, models_folder, {**RECOGNISES, **own, "AI_POPUP__SERVER__WORKERS": "1"})
    shutil.copyfile(samples_folder / REFERENCE, made.watched / "reference.jpg")
    yield made
    made.quit()


@pytest.fixture
def desks(tmp_path: Path, models_folder: Path, samples_folder: Path) -> Iterator[tuple[Desk, Desk]]:
    with Desk(tmp_path / "one", models_folder, samples_folder / AT_A_DESK) as one, Desk(tmp_path / "other", models_folder) as other:
        yield one, other


def test_names_go_from_desk_to_desk_a_conflict_is_settled_and_leaving_leaves_nothing(server: RealServer, desks: tuple[Desk, Desk]) -> None:
    one, other = desks
    server.serve()
    server.settled(1)
    one.program.settled(1)
    other.program.settled(0)
    with server.visitor() as member:
        link = server.reached["invitation"].rpartition("/")[2]
        key = {"authorization": f"Session {member.post(f'/api/invitations/{link}', json={'password': PASSWORD}).json()['key']}"}
        member.headers.update(key)
        [image] = member.get("/api/images").json()["items"]
        [face] = image["faces"]
        person = member.post("/api/people", json={"face_id": face["id"], "name": BARACK}).json()
        given = member.put(f"/api/people/{person['id']}/consents", json={"purposes": ["recognise"]})
        assert given.status_code == 200, given.text

        addresses = {joined(each, server, member) for each in desks}
        for each in desks:
            each.until({BARACK})
            assert each.team()["prints"] == 1
        with one.program.library() as library:
            [known] = library.people()
            assert known.faces == 1, "recognised by the team's print alone"

        one.rename(BARACK, SHORT)
        other.until({SHORT})

    server.kill()
    one.rename(SHORT, "Barack")
    other.rename(SHORT, "B. Obama")
    assert (set(one.people()), set(other.people())) == ({"Barack"}, {"B. Obama"})
    server.environment["AI_POPUP__SERVER__PORT"] = server.address.rpartition(":")[2]
    server.serve()
    [(desk, conflict)] = conflicts(one, other)
    assert {conflict["mine"], conflict["theirs"]} == {"Barack", "B. Obama"}
    assert desk.program.run("team", "settle", conflict["uid"], "--keep", "mine").returncode == 0
    for each in desks:
        each.until({conflict["mine"]})
        assert each.team()["conflicts"] == []

    with server.visitor() as member:
        member.headers.update(key)
        gone = member.post(f"/api/people/{person['id']}/consents/recognise/withdraw", json={})
        assert gone.status_code == 200, gone.text
        for each in desks:
            each.until(set())
            assert each.team()["prints"] == 0
        assert receipts(member, 2) == [1, 1]

        said = one.program.run("team", "leave", "--yes", "--json")
        assert said.returncode == 0 and json.loads(said.stdout)["revoked"] is True, said.stdout + said.stderr
        assert len(member.get("/api/account/tokens").json()["items"]) == 1
    one.program.quit()
    assert one.left_behind(BARACK, SHORT, "B. Obama", *addresses, server.reached["fingerprint"]) == []


def test_desks_that_named_one_face_differently_end_alike_through_kills(
    server: RealServer, tmp_path: Path, models_folder: Path, samples_folder: Path
) -> None:
    with ExitStack() as stack:
        names = "one", "other", "third"
        desks = [stack.enter_context(Desk(tmp_path / name, models_folder, samples_folder / AT_A_DESK)) for name in names]
        _end_alike(server, *desks)


def _end_alike(server: RealServer, one: Desk, other: Desk, third: Desk) -> None:
    desks = one, other, third
    server.serve()
    with server.visitor() as member:
        administrator(server, member)
        for each in desks:
            each.join(server, lambda code: let_in(member, code))
    for each in desks:
        each.program.settled(1)
        assert each.program.run("folders", "share", str(each.program.watched), "results").returncode == 0
    awaited(lambda: all(each.team()["sharing"]["sent"] == 1 for each in desks))
    server.kill()
    one.name("Mei")
    other.name("Lin")
    server.environment["AI_POPUP__SERVER__PORT"] = server.address.rpartition(":")[2]
    server.serve()
    [(winner, conflict)] = conflicts(one, other)
    loser = other if winner is one else one
    mine, theirs = ("Mei", "Lin") if winner is one else ("Lin", "Mei")
    awaited(lambda: [(each["mine"], each["theirs"]) for each in winner.team()["conflicts"]] == [(mine, theirs)])
    loser.program.kill()
    assert winner.program.run("team", "settle", conflict["uid"], "--keep", "mine").returncode == 0
    awaited(lambda: not winner.team()["waiting"])
    server.kill()
    server.serve()

    loser.program.start(wait=False)
    awaited(lambda: loser.face()[1] == mine)
    loser.program.kill()  # before or after it said that it took the name: the server tells it again, or not
    loser.program.start(wait=False)
    awaited(lambda: loser.team()["seen_at"] is not None)
    assert rested(server, desks) == {"one": mine, "other": mine, "third": ""}
    [changed] = loser.team()["corrections"]
    assert (changed["mine"], changed["theirs"], changed["count"]) == (theirs, mine, 1)
    assert winner.team()["corrections"] == third.team()["corrections"] == []

    with loser.program.api() as api:
        assert api.post("/undo", json={"undo": changed["token"]}).status_code == 200
    awaited(lambda: winner.face()[1] == theirs)
    assert rested(server, desks) == {"one": theirs, "other": theirs, "third": ""}
    assert (set(loser.people()), set(winner.people()), third.people()) == ({theirs}, {mine, theirs}, {})
    with server.library() as library:
        assert sorted(library.person_names().values()) == ["Lin", "Mei"], "no one twice"


def rested(server: RealServer, desks: Sequence[Desk]) -> dict[str, str]:
    """Wait until nothing is to be sent or settled and the server, restarted, has nothing more to tell; returns the name at each desk."""
    awaited(lambda: not any(team["waiting"] or team["conflicts"] for team in (each.team() for each in desks)))
    done = operations(server)
    server.kill()
    server.serve()
    back = datetime.now(UTC)
    awaited(lambda: all(datetime.fromisoformat(each.team()["seen_at"] or "1970-01-01T00:00:00Z") > back for each in desks))
    named = {each.program.home.parent.name: each.face()[1] for each in desks}
    # It may have been killed before it was told that a name was taken, which is said again; nothing else is.
    assert operations(server) - done <= 1
    return named


def operations(server: RealServer) -> int:
    with server.library() as library, library.database.read() as tx:
        return tx.scalar(select(func.count()).select_from(desk_operation)) or 0


def joined(desk: Desk, server: RealServer, member: httpx.Client) -> str:
    """Let a desk join by what it found in the network; returns that address."""
    found = desk.find(server)
    assert (found["fingerprint"], found["version"], found["joined"]) == (server.reached["fingerprint"], __version__, False)
    desk.join(server, lambda code: let_in(member, code), found["address"])
    assert desk.find(server)["joined"] is True
    return str(found["address"])


def receipts(member: httpx.Client, count: int) -> list[int]:
    """Wait until the record has so many; return how many face prints each is for."""
    until = time.monotonic() + WAIT_S
    while len(found := member.get("/api/record", params={"action": "desk_deleted"}).json()["items"]) < count:
        assert time.monotonic() < until
        time.sleep(0.1)
    return [each["number"] for each in found]


def conflicts(*desks: Desk) -> list[tuple[Desk, dict[str, Any]]]:
    """Wait until both have sent what they had, and one met the other's."""
    until = time.monotonic() + WAIT_S
    while True:
        with suppress(httpx.HTTPError):
            told = [(each, each.team()) for each in desks]
            found = [(each, conflict) for each, team in told for conflict in team["conflicts"]]
            if found and not any(team["waiting"] for _, team in told):
                return found
        assert time.monotonic() < until
        time.sleep(0.1)

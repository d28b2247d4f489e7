"""People, groups and doubts are listed, what the user says is taken in, and what is refused is said."""

from __future__ import annotations

import json
import tempfile
from typing import TYPE_CHECKING, Any

import httpx
import pytest
from sqlalchemy import delete

from agent.domain.errors import EngineCrashed
from agent.domain.identity_matching import Certainty, Identity
from agent.infrastructure.core.settings import Settings
from agent.infrastructure.store.schema import embedding
from tests.support.in_process_agent import NOW
from tests.unit.interfaces.web.conftest import owner, served, shared_api

if TYPE_CHECKING:
    from collections.abc import AsyncIterator
    from pathlib import Path

    from tests.unit.interfaces.web.conftest import Served

__all__ = ["owner", "served", "shared_api"]  # fixtures

ON: dict[str, object] = {"recognition": {"enabled": True}}


@pytest.fixture
async def named(served: Served, owner: httpx.AsyncClient) -> AsyncIterator[httpx.AsyncClient]:
    """Three photos of one face each: the first two look alike and are Mei, the third is Xu."""
    async with served.world.running():
        await served.world.app.apply(Settings.model_validate(ON))
        await served.world.index("m1", "m2", "x3")
        await edit(owner, kind="name", face_ids=[1], name="Mei")
        await edit(owner, kind="name", face_ids=[3], name="Xu")
        yield owner


async def edit(client: httpx.AsyncClient, **wish: object) -> dict[str, Any]:
    answer = await client.post("/api/people/edits", json=wish)
    assert answer.status_code == 200, answer.text
    return dict(answer.json())


async def names(client: httpx.AsyncClient) -> dict[str, int]:
    return {each["name"]: each["faces"] for each in (await client.get("/api/people")).json()}


async def test_a_person_is_told_whole_with_their_faces(named: httpx.AsyncClient) -> None:
    await edit(named, kind="describe", person_id=1, birth_date="2001-02-03", basis="family", notes="n")
    mei = (await named.get("/api/people/1")).json()
    assert (mei["name"], mei["faces"], mei["photos"], mei["birth_date"], mei["basis"]) == ("Mei", 2, 2, "2001-02-03", "family")
    assert mei["expires_at"] > mei["confirmed_at"]
    faces = (await named.get("/api/people/1/faces", params={"limit": 1})).json()
    assert faces["total"] == 2 and len(faces["items"]) == 1
    assert {each["certainty"] for each in (await named.get("/api/people/1/faces")).json()["items"]} == {"confirmed", "certain"}
    assert (await named.get("/api/people/9")).json()["code"] == "people.no_such_person"


async def test_a_doubtful_face_is_shown_with_what_it_was_compared_with(served: Served, named: httpx.AsyncClient) -> None:
    served.world.real.set_identities({2: Identity(1, Certainty.PROBABLE, 1.0, 1, 2)}, now=NOW)
    doubts = (await named.get("/api/doubts")).json()
    assert doubts["total"] == 1
    [doubt] = doubts["items"]
    assert (doubt["face"]["id"], doubt["person"], doubt["agree"], doubt["references"]) == (2, "Mei", 1, 2)
    assert [(face["id"], face["agrees"]) for face in doubt["shown"]] == [(1, True)]
    assert (await named.get("/api/status")).json()["doubts"] == 1
    await edit(named, kind="reject", face_ids=[2], person_id=1)
    assert (await named.get("/api/doubts")).json() == {"items": [], "total": 0}
    assert await names(named) == {"Mei": 1, "Xu": 1}, "not suggested again"


async def test_a_known_face_that_is_not_like_the_doubtful_one_says_so(served: Served, named: httpx.AsyncClient) -> None:
    await edit(named, kind="name", face_ids=[3], person_id=1)
    served.world.real.set_identities({2: Identity(1, Certainty.PROBABLE, 1.0, 1, 2)}, now=NOW)
    [doubt] = (await named.get("/api/doubts")).json()["items"]
    assert {face["id"]: face["agrees"] for face in doubt["shown"]} == {1: True, 3: False}


async def test_groups_are_listed_and_named_as_one(served: Served, named: httpx.AsyncClient) -> None:
    await served.world.index("n4", "n5")
    with served.world.real.database.write() as tx:
        tx.exec_driver_sql("INSERT INTO grouping (face_id, group_id) VALUES (4, 4), (5, 4)")
    groups = (await named.get("/api/groups")).json()
    assert groups["total"] == 1 and groups["items"][0]["size"] == 2
    faces = (await named.get("/api/groups/4")).json()["items"]
    done = await edit(named, kind="name", face_ids=[face["id"] for face in faces], name="Noor", basis="own_consent")
    assert done["count"] == 2 and (await names(named))["Noor"] == 2
    assert (await named.get("/api/groups")).json()["total"] == 0, "who is named waits no more"
    assert (await named.get("/api/groups/9")).status_code == 404


async def test_a_group_is_shown_by_its_least_alike_faces_and_one_of_two_people_is_to_be_looked_at(
    served: Served, named: httpx.AsyncClient
) -> None:
    await served.world.index("n4", "n5", "n6", "n7", "n8", "p9", "q1", "q2")
    served.world.real.set_groups({4: 4, 5: 4, 6: 4, 7: 4, 8: 4, 9: 4, 10: 10, 11: 10})
    mixed, alike = (await named.get("/api/groups")).json()["items"]
    assert (mixed["size"], len(mixed["faces"]), mixed["doubtful"]) == (6, 4, True)
    assert 9 in {face["id"] for face in mixed["faces"]}, "the other person is on the card"
    assert (alike["size"], alike["doubtful"]) == (2, False)
    whole = (await named.get("/api/groups/4")).json()
    assert whole["doubtful"] and whole["items"][-1]["id"] == 9, "one person after the other"
    assert not (await named.get("/api/groups/10")).json()["doubtful"]


async def test_a_name_given_to_the_shown_faces_makes_no_other_face_of_the_group_certain(served: Served, named: httpx.AsyncClient) -> None:
    await served.world.index("n4", "n5", "n6", "n7", "n8", "n9")
    served.world.real.set_groups(dict.fromkeys(range(4, 10), 4))
    [card] = (await named.get("/api/groups")).json()["items"]
    await edit(named, kind="name", face_ids=[face["id"] for face in card["faces"]], name="Noor")
    noor = next(each["id"] for each in (await named.get("/api/people")).json() if each["name"] == "Noor")
    faces = (await named.get(f"/api/people/{noor}/faces")).json()["items"]
    assert sorted(each["certainty"] for each in faces) == ["confirmed"] * 4 + ["probable"] * 2
    await served.world.index("n10")
    faces = (await named.get(f"/api/people/{noor}/faces")).json()["items"]
    assert [each["certainty"] for each in faces if each["certainty"] not in ("confirmed", "probable")] == ["certain"], "a new photo's"


async def test_groups_are_shown_without_a_matcher_and_nothing_is_claimed(served: Served, named: httpx.AsyncClient) -> None:
    await served.world.index("n4", "p5")
    served.world.real.set_groups({4: 4, 5: 4})
    served.world.matcher.error = EngineCrashed()
    [card] = (await named.get("/api/groups")).json()["items"]
    assert (card["size"], len(card["faces"]), card["doubtful"]) == (2, 2, False)


async def test_the_review_shows_the_faces_that_agree_before_the_sharpest(served: Served, named: httpx.AsyncClient) -> None:
    await served.world.index("k4", "k5", "k6", "k7")
    await edit(named, kind="name", face_ids=[4, 5, 6, 7, 3], person_id=1)
    served.world.real.set_identities({2: Identity(1, Certainty.PROBABLE, 1.0, 1, 6)}, now=NOW)
    [doubt] = (await named.get("/api/doubts")).json()["items"]
    assert doubt["shown"][0]["id"] == 1
    assert [face["agrees"] for face in doubt["shown"]] == [True, False, False]


async def test_what_was_said_is_taken_back_and_done_again(named: httpx.AsyncClient) -> None:
    done = await edit(named, kind="merge", person_ids=[2], into=1)
    assert done == {"undo": done["undo"], "count": 1, "person_id": 1} and await names(named) == {"Mei": 3}
    assert (await named.get("/api/steps")).json() == {"undo": {"action": "merge", "count": 1, "partly": False}, "redo": None}
    assert (await named.post("/api/undo", json={"undo": done["undo"]})).json() == {"action": "merge", "count": 1, "partly": False}
    assert await names(named) == {"Mei": 2, "Xu": 1}
    assert (await named.post("/api/redo")).json()["action"] == "merge"
    for _ in range(3):
        assert (await named.post("/api/undo", json={})).status_code == 200
    refused = await named.post("/api/undo", json={})
    assert (refused.status_code, refused.json()["code"]) == (404, "people.nothing_to_undo")


@pytest.mark.parametrize(
    ("wish", "status", "code"),
    [
        ({"kind": "describe", "person_id": 2, "name": "Mei"}, 409, "people.name_taken"),
        ({"kind": "merge", "person_ids": [1], "into": 1}, 422, "people.self_merge"),
        ({"kind": "ignore", "face_ids": [99]}, 404, "people.no_such_face"),
        ({"kind": "name", "face_ids": [1]}, 422, "api.bad_request"),
        ({"kind": "name", "face_ids": [1], "name": "A", "person_id": 1}, 422, "api.bad_request"),
        ({"kind": "make up"}, 422, "api.bad_request"),
    ],
)
async def test_what_can_not_be_is_refused(named: httpx.AsyncClient, wish: dict[str, object], status: int, code: str) -> None:
    answer = await named.post("/api/people/edits", json=wish)
    assert (answer.status_code, answer.json()["code"]) == (status, code)
    assert await names(named) == {"Mei": 2, "Xu": 1}


async def test_photos_are_found_by_who_is_on_them(named: httpx.AsyncClient) -> None:
    async def found(**query: object) -> int:
        return int((await named.get("/api/library", params=query)).json()["total"])  # type: ignore[arg-type]

    assert [await found(people="1"), await found(people="1,2"), await found(people="1,2", match="any")] == [2, 0, 3]
    assert [await found(people="1", match="only"), await found(unnamed="true")] == [2, 0]
    assert (await named.get("/api/library", params={"people": "me"})).status_code == 422


async def test_a_forgotten_person_is_gone_with_a_receipt(served: Served, named: httpx.AsyncClient) -> None:
    gone = (await named.post("/api/people/1/forget")).json()
    assert gone == {"faces": 2, "embeddings": 2, "chips": 2, "undo": 1} and await names(named) == {"Xu": 1}
    assert served.world.matcher.forgotten >= 1, "nor does the matcher hold their prints"
    assert (await named.post("/api/people/1/forget")).status_code == 404
    await served.world.index("m6")
    assert await names(named) == {"Xu": 1}


async def test_all_that_is_held_of_a_person_is_handed_out(served: Served, named: httpx.AsyncClient) -> None:
    await edit(named, kind="describe", person_id=1, notes="from school")
    served.world.real.set_hidden([2], True, now=NOW)
    await named.put("/api/people/1/consents", json={"purposes": ["publish"], "valid_until": "2030-07-31", "guardian": "Li Wei"})
    answer = await named.get("/api/people/1/export")
    person, *faces = [json.loads(line) for line in answer.text.splitlines()]
    assert answer.headers["content-disposition"] == 'attachment; filename="person-1.jsonl"'
    assert (person["name"], person["notes"]) == ("Mei", "from school")
    [said] = person["consents"]
    assert (said["purpose"], said["state"], said["valid_until"], said["guardian"]) == ("publish", "given", "2030-07-31", "Li Wei")
    assert sorted(face["certainty"] for face in faces) == ["certain", "confirmed"]
    assert all(face["face_print"] and face["paths"][0].endswith(("m1", "m2")) and len(face["box"]) == 4 for face in faces)
    assert (await named.get("/api/people/9/export")).status_code == 404
    [entry] = served.world.real.audit_entries(limit=9, action="exported")
    assert entry.number == 2 and entry.subject == served.world.real.uids_of(1)[0]


async def test_names_in_conflict_with_a_sidecar_are_listed(served: Served, named: httpx.AsyncClient) -> None:
    served.world.app.sidecars.found.theirs = {(1, 1): "Anna", (2, 2): "Anna", (3, 3): "xu"}
    told = (await named.get("/api/people/conflicts")).json()
    [(face, names)] = [(each.pop("face"), each) for each in told]
    assert names == {"person_id": 1, "ours": "Mei", "theirs": "Anna"}, "of what the user confirmed, and where it differs"
    assert (face["id"], face["image_id"]) == (1, 1)
    assert (await named.post("/api/people/conflicts", json={"face_ids": [1]})).status_code == 204
    assert (await named.get("/api/people/conflicts")).json() == []
    await named.post("/api/people/conflicts", json={"face_ids": [1], "kept": False})
    assert len((await named.get("/api/people/conflicts")).json()) == 1


async def test_two_photos_are_compared(served: Served, owner: httpx.AsyncClient) -> None:
    paths = [served.world.file(name).path for name in ("m1", "m2", "x3")]
    same = (await owner.post("/api/verify", json={"paths": paths[:2]})).json()
    assert same == {"distance": 0.0, "same": True, "threshold": 0.9}
    served.world.analyser.faces["x3"] = 2
    answer = await owner.post("/api/verify", json={"paths": [paths[0], paths[2]]})
    assert (answer.status_code, answer.json()["code"], answer.json()["params"]["count"]) == (422, "people.reference_several", 2)


def left_behind(folder: Path) -> list[Path]:
    return list(folder.glob("ai-popup-*"))


async def test_a_photo_that_is_dropped_in_finds_the_faces_like_its_own_and_is_not_kept(
    served: Served, named: httpx.AsyncClient, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
    answer = (await named.post("/api/search/face", content=b"m9")).json()
    assert (answer["width"], answer["height"], len(answer["faces"])) == (100, 80, 1)
    [face] = answer["faces"]
    assert face["person_id"] == 1 and {each["id"] for each in face["found"]} == {1, 2} and face["image_id"] is None
    assert served.world.real.counts().images == 3 and left_behind(tmp_path) == []
    assert not served.world.analyser.tasks[-1].keep_chips
    assert [each.number for each in served.world.real.audit_entries(limit=9, action="face_searched")] == [1]
    await served.world.app.apply(Settings.model_validate({"recognition": {"enabled": True}, "engine": {"max_megabytes": 1}}))
    refused = await named.post("/api/search/face", content=bytes(1_000_001))
    assert (refused.status_code, refused.json()["code"]) == (422, "image.too_large") and left_behind(tmp_path) == []
    assert refused.json()["remedy"] == "Choose a smaller version of the photo."


async def test_a_face_of_the_library_finds_the_others_like_it(served: Served, named: httpx.AsyncClient) -> None:
    found = (await named.post("/api/faces/1/search")).json()
    [face] = found["faces"]
    assert (found["width"], found["height"]) == (100, 80) and face["box"] == [5.0, 5.0, 40.0, 40.0]
    assert (face["person_id"], face["certainty"]) == (1, "confirmed")
    assert [(each["id"], each["certainty"]) for each in face["found"]] == [(2, "certain")], "itself is no find"
    assert face["image_id"] == (await named.get("/api/images/by-id?ids=1")).json()["items"][0]["id"]
    assert [each["id"] for each in (await named.post("/api/faces/1/search?person=2")).json()["faces"][0]["found"]] == []
    assert [each.number for each in served.world.real.audit_entries(limit=9, action="face_searched")] == [1, 1]
    assert (await named.post("/api/faces/99/search")).json()["code"] == "people.no_such_face"
    with served.world.real.database.write() as tx:
        tx.execute(delete(embedding).where(embedding.c.face_id == 3))
    refused = await named.post("/api/faces/3/search")
    assert (refused.status_code, refused.json()["code"]) == (422, "people.face_without_print")
    assert len(served.world.real.audit_entries(limit=9, action="face_searched")) == 2, "nothing was searched"


async def test_nothing_is_searched_while_recognition_is_off(served: Served, owner: httpx.AsyncClient) -> None:
    assert (await owner.post("/api/search/face", content=b"m9")).json()["code"] == "people.recognition_off"
    assert (await owner.post("/api/faces/1/search")).json()["code"] == "people.recognition_off"
    assert served.world.analyser.tasks == []

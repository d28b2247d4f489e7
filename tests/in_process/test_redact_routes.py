"""Covered copies over the API: made line by line, looked at with the doubtful first, edited, accepted."""

from __future__ import annotations

import json
import sys
from typing import TYPE_CHECKING, Any

import pytest

from agent.domain.jobs import Priority
from agent.features.redaction.schemas import CoverRequest
from agent.infrastructure.core.settings import RecognitionSettings, Settings
from tests.unit.interfaces.web.conftest import owner, served, shared_api

if TYPE_CHECKING:
    from collections.abc import AsyncIterator
    from pathlib import Path

    import httpx

    from tests.support.in_process_agent import World
    from tests.unit.interfaces.web.conftest import Served

__all__ = ["owner", "served", "shared_api"]  # fixtures


@pytest.fixture
async def world(served: Served) -> AsyncIterator[World]:
    async with served.world.running():
        yield served.world


@pytest.fixture
def safe(tmp_path: Path) -> Path:
    return tmp_path / "safe"


async def made(world: World, client: httpx.AsyncClient, safe: Path, **how: object) -> list[dict[str, Any]]:
    answer = await client.post("/api/redact", json={"paths": [str(world.folder)], "out": str(safe), **how})
    assert answer.status_code == 200, answer.text
    lines = [json.loads(line) for line in answer.text.splitlines()]
    return [each for each in lines if each["planned"] is None and each["under_way"] is None]  # told on a busy machine only


async def test_the_total_comes_first_then_a_line_per_file(world: World, owner: httpx.AsyncClient, safe: Path) -> None:
    world.file("a.jpg")
    world.file("b.jpg")

    first, *items = await made(world, owner, safe)

    assert first == {"total": 2, "planned": None, "under_way": None, "item": None, "stopped": None}
    assert {each["item"]["target"] for each in items} == {str(safe / "a.jpg"), str(safe / "b.jpg")}
    [batch] = (await owner.get("/api/redactions")).json()["items"]
    assert (batch["done"], batch["planned"], batch["folder"]) == (2, 0, None)
    assert (await owner.get(f"/api/redactions/{batch['uid']}")).json() == batch


async def test_what_stops_it_is_the_last_line(world: World, owner: httpx.AsyncClient) -> None:
    world.file("a.jpg")

    [line] = await made(world, owner, world.folder)

    assert line["stopped"]["code"] == "redact.same_file"


@pytest.mark.parametrize("how", [{"in_place": True}, {"out": None}, {"only": []}, {"passphrase": ""}, {"style": "thin"}])
async def test_what_cannot_be_meant_is_refused(world: World, owner: httpx.AsyncClient, safe: Path, how: dict[str, object]) -> None:
    answer = await owner.post("/api/redact", json={"paths": [str(world.folder)], "out": str(safe), **how})
    assert answer.status_code == 422


# As JSON writes them: a character that no path has, halves of a character, and a byte that is no text (in a file's name it is one).
@pytest.mark.parametrize("part", [r"\u0000", r"\ud83d", r"\udc00", r"\udcff"])
@pytest.mark.parametrize("route", ["/api/redact", "/api/scans", "/api/restore", "/api/redactions"])
async def test_names_that_no_file_can_have_are_refused_and_never_cut_an_answer(
    world: World, owner: httpx.AsyncClient, safe: Path, route: str, part: str
) -> None:
    photo = f'"{world.file("a.jpg")}{part}"'
    bodies = {
        "/api/redact": [f'{{"paths": [{photo}], "out": "{safe}"}}', f'{{"paths": ["{world.folder}"], "out": "{safe}{part}"}}'],
        "/api/scans": [f'{{"paths": [{photo}]}}'],
        "/api/restore": [f'{{"path": {photo}}}'],
        "/api/redactions": [f'{{"images": [1], "out": "{safe}{part}"}}'],
    }
    for body in bodies[route]:
        answer = await owner.post(route, content=body, headers={"content-type": "application/json"})
        assert answer.status_code in (200, 404, 409, 422), answer.text
        told = [json.loads(line) for line in answer.text.splitlines()]
        assert told and (answer.status_code == 200 or told[0]["code"]), answer.text
        if part == r"\u0000":
            assert (answer.status_code, told[0]["code"]) == (422, "api.bad_request")


async def test_the_doubtful_come_first_and_are_accepted(world: World, owner: httpx.AsyncClient, safe: Path) -> None:
    world.file("a.jpg")
    world.file("b.jpg")
    world.analyser.faces["b.jpg"] = 0
    _, one, _ = await made(world, owner, safe)
    uid = one["item"]["batch"]

    page = (await owner.get(f"/api/redactions/{uid}/items", params={"limit": 1})).json()
    [doubtful] = page["items"]
    assert page["total"] == 2
    assert (doubtful["source"], doubtful["state"], doubtful["doubts"]) == (str(world.folder / "b.jpg"), "needs_review", ["no_face"])

    outdated = await owner.post(f"/api/redactions/{uid}/accept", json={"ids": None, "seen": "2001-01-01T00:00:00Z"})
    assert (outdated.status_code, outdated.json()["code"]) == (409, "redact.approval_outdated")
    accepted = await owner.post(f"/api/redactions/{uid}/accept", json={"ids": [doubtful["id"]], "seen": doubtful["at"]})
    assert accepted.json() == {"count": 1}
    assert (await owner.post(f"/api/redactions/{uid}/accept", json={})).json() == {"count": 0}
    assert (await owner.get(f"/api/redactions/{uid}")).json()["done"] == 2


async def test_marks_are_switched_and_drawn_and_the_copy_is_made_anew(world: World, owner: httpx.AsyncClient, safe: Path) -> None:
    world.file("a.jpg")
    _, line = await made(world, owner, safe, style="mosaic")
    address = f"/api/redaction-items/{line['item']['id']}"
    [mark] = (await owner.get(address)).json()["marks"]
    assert (mark["style"], mark["reason"], mark["covered"], mark["score"]) == ("mosaic", "face", True, 0.9)

    drawn = [{**mark, "covered": False}, {"box": [1, 2, 30, 40], "tilt": 10.5}, {"box": [5, 5, 9, 9], "style": "emoji", "shape": "box"}]
    answer = await owner.put(f"{address}/marks", json={"marks": drawn})

    assert answer.status_code == 200 and answer.json()["state"] == "planned"
    await world.until(lambda: world.real.copies_to_make(1) == [])
    after = (await owner.get(address)).json()
    assert (after["item"]["covered"], after["item"]["found"], after["item"]["state"], after["item"]["edited"]) == (2, 1, "done", True)
    assert [each["reason"] for each in after["marks"]] == ["face", "hand", "hand"]
    assert (safe / "a.jpg").read_bytes().startswith(b"2 covered")


@pytest.mark.parametrize(
    "mark", [{"box": [0, 0, 0, 5]}, {"box": [0, 0, 5, float("1e9")]}, {"box": [0, 0, 5]}, {"box": [0, 0, 5, 5], "tilt": 1e9}]
)
async def test_an_area_that_is_none_is_refused(world: World, owner: httpx.AsyncClient, mark: dict[str, object]) -> None:
    assert (await owner.put("/api/redaction-items/1/marks", json={"marks": [mark]})).status_code == 422


async def test_what_is_shown_of_it_is_kept_by_nobody(world: World, owner: httpx.AsyncClient, safe: Path) -> None:
    world.file("a.jpg")
    _, line = await made(world, owner, safe)
    address = f"/api/redaction-items/{line['item']['id']}/preview"

    for of, path in (("copy", safe / "a.jpg"), ("original", world.folder / "a.jpg")):
        answer = await owner.get(address, params={"of": of, "side": 300})
        assert (answer.status_code, answer.headers["content-type"]) == (200, "image/jpeg")
        assert "no-store" in answer.headers["cache-control"]
        assert world.analyser.previews[-1] == (str(path), 300)


async def test_a_copys_own_file_is_given_under_its_name_until_it_is_gone(world: World, owner: httpx.AsyncClient, safe: Path) -> None:
    world.file("图 1.jpg")
    _, line = await made(world, owner, safe)
    address = f"/api/redaction-items/{line['item']['id']}/copy"

    answer = await owner.get(address)
    assert answer.content == (safe / "图 1.jpg").read_bytes() and "%E5%9B%BE%201.jpg" in answer.headers["content-disposition"]
    (safe / "图 1.jpg").unlink()
    assert (await owner.get(address)).json()["code"] == "image.missing"


async def test_a_copy_that_is_edited_while_its_download_begins_is_not_given(
    world: World, owner: httpx.AsyncClient, safe: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A member's own edit would come out without anyone having looked at it."""
    world.file("a.jpg")
    _, line = await made(world, owner, safe)
    item_id, readable = line["item"]["id"], world.app.actions.readable

    async def edited_meanwhile(path: str) -> str:
        assert world.real.copy_edited(item_id, [], now=world.app.now()) is not None
        (safe / "a.jpg").write_bytes(b"uncovered")
        return await readable(path)

    monkeypatch.setattr(world.app.actions, "readable", edited_meanwhile)
    answer = await owner.get(f"/api/redaction-items/{item_id}/copy")
    assert answer.status_code == 404 and b"uncovered" not in answer.content


async def test_in_place_there_is_nothing_to_make_a_copy_anew_from(world: World, owner: httpx.AsyncClient) -> None:
    world.file("a.jpg")
    answer = await owner.post("/api/redact", json={"paths": [str(world.folder)], "in_place": True})
    item = json.loads(answer.text.splitlines()[-1])["item"]

    refused = await owner.put(f"/api/redaction-items/{item['id']}/marks", json={"marks": []})

    assert not item["editable"]
    assert (refused.status_code, refused.json()["code"]) == (409, "redact.nothing_kept")


async def test_failed_ones_are_tried_again_and_planned_ones_dropped(world: World, owner: httpx.AsyncClient, safe: Path) -> None:
    from agent.domain.errors import CopyDiskFull

    world.file("a.jpg")
    world.renderer.errors[str(world.folder / "a.jpg")] = [CopyDiskFull()]
    _, line = await made(world, owner, safe)
    assert line["item"]["error"]["code"] == "redact.disk_full"
    uid = line["item"]["batch"]

    assert (await owner.post(f"/api/redactions/{uid}/retry")).json() == {"count": 1}
    await world.until(lambda: (safe / "a.jpg").exists())
    assert (await owner.post(f"/api/redactions/{uid}/stop")).status_code == 204


async def test_what_is_hidden_is_given_back(world: World, owner: httpx.AsyncClient, safe: Path) -> None:
    world.file("a.jpg")
    await made(world, owner, safe, keeping="regions", passphrase="right horse battery")

    wrong = await owner.post("/api/restore", json={"path": str(safe / "a.jpg")})
    right = await owner.post("/api/restore", json={"path": str(safe / "a.jpg"), "passphrase": "right horse battery"})

    assert (wrong.status_code, wrong.json()["code"]) == (422, "redact.wrong_key")
    assert right.json() == {"path": str(safe / "a restored.png")}


@pytest.mark.parametrize("path", ["redactions/none", "redaction-items/99", "redaction-items/99/preview", "redaction-items/99/copy"])
async def test_what_is_not_there_is_said(world: World, owner: httpx.AsyncClient, path: str) -> None:
    assert (await owner.get(f"/api/{path}")).status_code == 404


async def test_photos_of_the_library_get_copies_without_anybody_who_waits(world: World, owner: httpx.AsyncClient, safe: Path) -> None:
    for name in ("a.jpg", "b.jpg"):
        await world.app.ingest.note(world.file(name, name.encode()), Priority.NEW)
    await world.until(lambda: world.real.counts().images == 2)
    ids = [image["id"] for image in (await owner.get("/api/images")).json()["items"]]

    batch = (await owner.post("/api/redactions", json={"images": ids, "out": str(safe), "style": "emoji"})).json()

    await world.until(lambda: world.real.copies_to_make(1) == [])
    after = (await owner.get(f"/api/redactions/{batch['uid']}")).json()
    assert (after["planned"], after["done"] + after["needs_review"]) == (0, 2)
    items = (await owner.get(f"/api/redactions/{batch['uid']}/items")).json()["items"]
    assert {each["target"] for each in items} == {str(safe / "a.jpg"), str(safe / "b.jpg")}


async def test_a_folder_is_typed_from_the_home_and_never_lies_where_the_agent_happens_to_run(
    world: World, owner: httpx.AsyncClient, safe: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("USERPROFILE" if sys.platform == "win32" else "HOME", str(safe.parent))
    assert CoverRequest(images=(1,), out=f"~/{safe.name}").out == str(safe.parent) + f"/{safe.name}"
    await world.app.ingest.note(world.file("a.jpg"), Priority.NEW)
    await world.until(lambda: world.real.counts().images == 1)
    refused = await owner.post("/api/redactions", json={"images": [1], "out": "Safe"})
    assert (refused.status_code, refused.json()["code"]) == (422, "redact.not_full_path")
    assert "“Safe” is not a full path" in refused.json()["cause"] and str(safe.parent / "Safe") in refused.json()["remedy"]


@pytest.mark.skipif(sys.platform == "win32", reason="there folders are not closed by their mode")
async def test_a_folder_that_takes_nothing_is_said_with_its_path_before_anything_is_begun(
    world: World, owner: httpx.AsyncClient, safe: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    await world.app.ingest.note(world.file("a.jpg"), Priority.NEW)
    await world.until(lambda: world.real.counts().images == 1)
    monkeypatch.setattr("agent.features.redaction.copy_files.os.access", lambda *_: False)

    refused = await owner.post("/api/redactions", json={"images": [1], "out": str(safe)})

    assert (refused.status_code, refused.json()["code"]) == (422, "redact.unwritable")
    assert str(safe) in refused.json()["cause"] and "not allowed" in refused.json()["cause"]
    assert (await owner.get("/api/redactions")).json()["items"] == []


async def test_a_batch_says_what_it_is_and_what_is_left_of_it(world: World, owner: httpx.AsyncClient, safe: Path) -> None:
    await world.app.apply(Settings(recognition=RecognitionSettings(enabled=True)))
    await world.app.ingest.note(world.file("z.jpg"), Priority.NEW)
    await world.until(lambda: world.real.counts().images == 1)
    await world.app.people.name_face(1, "Mei")
    _, *lines = await made(world, owner, safe, keep=["Mei"], style="emoji")

    [batch] = (await owner.get("/api/redactions")).json()["items"]

    assert (batch["out"], batch["style"], batch["keep"], batch["only"]) == (str(safe), "emoji", ["Mei"], None)
    assert (batch["sample"], batch["stopped"]) == (lines[0]["item"]["id"], 0)


async def test_photos_that_are_not_known_get_no_batch(world: World, owner: httpx.AsyncClient, safe: Path) -> None:
    answer = await owner.post("/api/redactions", json={"images": [99], "out": str(safe)})
    assert (answer.status_code, (await owner.get("/api/redactions")).json()["items"]) == (404, [])


async def test_who_is_below_a_mark_is_told_if_the_library_knows(world: World, owner: httpx.AsyncClient, safe: Path) -> None:
    await world.app.apply(Settings(recognition=RecognitionSettings(enabled=True)))
    await world.app.ingest.note(world.file("a.jpg"), Priority.NEW)
    await world.until(lambda: world.real.counts().images == 1)
    _, line = await made(world, owner, safe)
    address = f"/api/redaction-items/{line['item']['id']}"
    assert (await owner.get(address)).json()["names"] == [None]

    await world.app.people.name_face(1, "Mei")
    [mark] = (await owner.get(address)).json()["marks"]
    await owner.put(f"{address}/marks", json={"marks": [mark, {"box": mark["box"]}]})

    assert (await owner.get(address)).json()["names"] == ["Mei", None]

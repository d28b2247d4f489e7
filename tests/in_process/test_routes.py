"""Routes whose answers come of the running agent: files are looked at, people are told apart, a burst ends."""

from __future__ import annotations

import asyncio
import threading
from typing import TYPE_CHECKING, Any

import pytest

from agent.domain.errors import FaceUnknown, ImageCorrupt
from agent.domain.events import ImageIndexed
from agent.domain.jobs import Priority
from agent.features.library.records import Shown
from agent.infrastructure.core.settings import Settings
from tests.unit.interfaces.web.conftest import owner, served, shared_api

if TYPE_CHECKING:
    from pathlib import Path

    import httpx

    from tests.unit.interfaces.web.conftest import Served

__all__ = ["owner", "served", "shared_api"]  # fixtures

ON: dict[str, object] = {"recognition": {"enabled": True}}
OFF: dict[str, object] = {}


async def test_the_description_tells_no_token(served: Served, owner: httpx.AsyncClient) -> None:
    """Beside `test_guard`, which asks everything else: it is slow to write."""
    answer = await owner.get("/openapi.json")
    assert answer.status_code == 200
    assert served.auth.token not in answer.text and served.auth.token not in repr(answer.headers)


async def test_problems_are_listed_with_cause_and_remedy_and_tried_again(served: Served, owner: httpx.AsyncClient) -> None:
    world = served.world
    seen = world.file("bad")
    world.analyser.errors[seen.path] = [ImageCorrupt()]
    async with world.running():
        await world.app.ingest.note(seen, Priority.NEW)
        await world.until(lambda: bool(world.happened))
        (one,) = (await owner.get("/api/problems")).json()["items"]
        assert (one["name"], one["path"], one["quarantined"], one["problem"]["code"]) == ("bad", seen.path, False, "image.corrupt")
        assert one["problem"]["cause"] and one["problem"]["remedy"]
        assert (await owner.post("/api/problems/retry")).status_code == 204
        await world.until(lambda: world.real.counts().images == 1)
    assert (await owner.get("/api/problems")).json() == {"items": [], "total": 0}


async def test_people_are_named_and_listed(served: Served, owner: httpx.AsyncClient, tmp_path: Path) -> None:
    world = served.world
    async with world.running():
        await world.app.apply(Settings.model_validate(ON))
        await world.index("m1", "m2", "x3")
        mei = await owner.post("/api/people", json={"face_id": 1, "name": " Mei "})
        portrait = {"image_id": 1, "width": 100, "height": 80, "box": [5.0, 5.0, 40.0, 40.0]}
        said = {"references": 0, "hidden": False, "never": False, "overdue": False}
        assert mei.json() == {"id": 1, "name": "Mei", "faces": 2, "photos": 2, "suggested": 1, **said, "portrait": portrait}
        assert (await owner.get("/api/people")).json() == [mei.json()]
        answer = await owner.post("/api/people", json={"face_id": 99, "name": "Mei"})
        assert (answer.status_code, answer.json()["code"]) == (404, FaceUnknown.code)
        names = {item["name"]: item["faces"][0] for item in (await owner.get("/api/images")).json()["items"]}
        assert (names["m2"]["person"], names["m2"]["certainty"], names["x3"]["person"]) == ("Mei", "certain", None)


async def test_a_name_that_was_begun_is_kept_until_it_is_given_or_emptied(served: Served, owner: httpx.AsyncClient) -> None:
    world = served.world

    async def begun() -> object:
        return [(draft["face_id"], draft["name"]) for draft in (await owner.get("/api/drafts")).json()]

    async with world.running():
        await world.app.apply(Settings.model_validate(ON))
        await world.index("m1")
        for face_id, name in ((1, "M"), (2, "Li "), (1, "Mei")):
            assert (await owner.post("/api/drafts", json={"face_id": face_id, "name": name})).status_code == 204
        assert await begun() == [(2, "Li "), (1, "Mei")]
        await owner.post("/api/people", json={"face_id": 1, "name": "Mei"})
        assert await begun() == [(2, "Li ")]
        await owner.post("/api/drafts", json={"face_id": 2, "name": ""})
        assert await begun() == []
        for face_id in range(60):
            await owner.post("/api/drafts", json={"face_id": face_id, "name": "x"})
        assert await begun() == [(face_id, "x") for face_id in range(10, 60)]
        for switched in (OFF, ON):
            await world.app.apply(Settings.model_validate(switched))
            await owner.post("/api/drafts", json={"face_id": 1, "name": "x"})
            assert await begun() == ([] if switched == OFF else [(1, "x")])


async def test_the_status_tells_what_came_of_a_burst_until_the_next_photo_comes(served: Served, owner: httpx.AsyncClient) -> None:
    world = served.world

    async def finished() -> object:
        return (await owner.get("/api/status")).json()["finished"]

    async with world.running():
        await owner.post("/api/pause")
        for name in ("a", "b", "c", "bad"):
            await world.app.ingest.note(world.file(name), Priority.NEW)
        world.analyser.errors[world.file("bad").path] = [ImageCorrupt()]
        assert await finished() is None
        await owner.post("/api/resume")
        await world.until(lambda: len(world.happened) == 4)
        while (told := await finished()) is None:  # the last photo may still be in hand
            pass
        assert told == {"photos": 3, "with_faces": 3, "people": 0, "failed": 1}
        await world.index("d")
        assert await finished() is None


@pytest.mark.parametrize(("certain", "people"), [(0.9, 1), (0.05, 0)])
async def test_the_summary_of_a_burst_counts_people_who_were_recognised_but_no_suggestions(
    served: Served, owner: httpx.AsyncClient, certain: float, people: int
) -> None:
    world = served.world
    async with world.running():
        await world.app.apply(Settings.model_validate({"recognition": {"enabled": True, "certain": certain}}))
        await world.index("m1")
        await owner.post("/api/people", json={"face_id": 1, "name": "Mei"})
        told = len(world.happened)
        await owner.post("/api/pause")
        for name in ("m2", "m3", "x4", "x5"):
            await world.app.ingest.note(world.file(name), Priority.NEW)
        await owner.post("/api/resume")
        await world.until(lambda: sum(isinstance(each.event, ImageIndexed) for each in world.happened[told:]) == 4)
        while (finished := (await owner.get("/api/status")).json()["finished"]) is None:  # the last photo may still be in hand
            pass
        assert finished == {"photos": 4, "with_faces": 4, "people": people, "failed": 0}


async def test_the_summary_of_a_burst_waits_for_the_photo_that_the_library_has_just_ended(
    served: Served, owner: httpx.AsyncClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    world = served.world
    stored, told, counted = threading.Event(), threading.Event(), threading.Event()
    fail, counts = world.real.fail, world.real.counts

    def slowly(*args: Any, **how: Any) -> Any:
        events = fail(*args, **how)
        stored.set()
        told.wait(30)
        return events

    def seen() -> Any:
        found = counts()
        if stored.is_set():
            counted.set()
        return found

    monkeypatch.setattr(world.real, "fail", slowly)
    monkeypatch.setattr(world.real, "counts", seen)
    async with world.running():
        await owner.post("/api/pause")
        for name in ("a", "b", "c", "bad"):
            await world.app.ingest.note(world.file(name), Priority.NEW)
        world.analyser.errors[world.file("bad").path] = [ImageCorrupt()]
        await owner.post("/api/resume")
        await world.until(lambda: len(world.happened) == 3 and stored.is_set())
        asked = asyncio.create_task(owner.get("/api/status"))
        await world.until(counted.is_set)
        for _ in range(200):  # turns of the loop, in which a status that doesn't wait is complete
            await asyncio.sleep(0)
        told.set()
        assert (await asked).json()["queued"] == 0
        await world.until(lambda: len(world.happened) == 4)
        finished = (await owner.get("/api/status")).json()["finished"]
        assert finished == {"photos": 3, "with_faces": 3, "people": 0, "failed": 1}


async def test_the_status_knows_a_folder_that_a_command_has_just_added(served: Served, owner: httpx.AsyncClient, tmp_path: Path) -> None:
    async def changed(settings: Settings, _: object) -> None:
        await served.world.app.apply(settings)

    async def refused(error: Exception) -> None:
        raise error

    added = tmp_path / "added"
    added.mkdir()
    async with served.world.running():
        watching = asyncio.create_task(served.settings.watch(changed, refused))
        await asyncio.sleep(0)  # it watches
        served.settings.add_folder(added)
        told = (await owner.get("/api/status")).json()
        watching.cancel()
    assert [each["path"] for each in told["folders"]] == [str(added)]


async def test_images_are_looked_at_again(served: Served, owner: httpx.AsyncClient) -> None:
    world = served.world
    world.put("a", "b")
    done = (await owner.post("/api/library/actions", json={"action": "look_again", "ids": [1]})).json()
    assert done == {"undo": None, "count": 1}
    before = len(world.analyser.tasks)
    async with world.running():
        await world.until(lambda: len(world.analyser.tasks) == before + 1)
        await world.until(lambda: world.real.index(Shown(faces_min=1)).ids != ())
    assert world.analyser.tasks[-1].path.endswith("a")

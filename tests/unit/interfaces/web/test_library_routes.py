"""The Library page's routes."""

from __future__ import annotations

from typing import TYPE_CHECKING

from agent.domain.errors import NoDisplay, SourceUnreachable
from agent.infrastructure.core.settings import Folder

if TYPE_CHECKING:
    import httpx

    from tests.unit.interfaces.web.conftest import Served


async def test_the_index_tells_all_there_is(served: Served, owner: httpx.AsyncClient) -> None:
    served.world.put("a", "b")
    found = (await owner.get("/api/library")).json()
    assert sorted(found["ids"]) == [1, 2] and found["ratios"] == [125, 125] and found["total"] == 2
    assert sum(day["count"] for day in found["days"]) == 2
    assert (await owner.get("/api/library", params={"faces_min": 2})).json() == {"ids": [], "ratios": [], "days": [], "total": 0}
    today = found["days"][0]["day"]
    assert (await owner.get("/api/library", params={"after": today, "before": today, "faces_max": 1})).json() == found


async def test_an_index_that_is_still_the_same_is_not_sent_again(served: Served, owner: httpx.AsyncClient) -> None:
    served.world.put("a", "b")
    packed = await owner.get("/api/library", params={"packed": True})
    assert packed.headers["content-type"] == "application/octet-stream" and packed.content[:4] == b"\x02\0\0\0"
    same = {"if-none-match": packed.headers["etag"]}
    again = await owner.get("/api/library", params={"packed": True}, headers=same)
    assert (again.status_code, again.content) == (304, b"")
    assert (await owner.get("/api/library", headers=same)).status_code == 200, "JSON is another answer"
    await owner.post("/api/library/actions", json={"action": "hide", "ids": [1]})
    changed = await owner.get("/api/library", params={"packed": True}, headers=same)
    assert changed.status_code == 200 and changed.content[:4] == b"\x01\0\0\0"


async def test_the_index_of_a_watched_folder_is_had_by_the_path_in_the_settings(served: Served, owner: httpx.AsyncClient) -> None:
    world = served.world
    world.put("a")
    world.app.environment.settings.set(world.app.settings.model_copy(update={"folders": (Folder(path=f"{world.folder}/../photos"),)}))
    for path, total in ((f"{world.folder}/../photos", 1), (str(world.folder), 1), (str(world.folder.parent / "other"), 0)):
        assert (await owner.get("/api/library", params={"folder": path})).json()["total"] == total


async def test_folders_say_how_many_images_they_hold_and_what_ails_them(served: Served, owner: httpx.AsyncClient) -> None:
    world = served.world
    world.put("a", "b")
    lost = world.folder.parent / "lost"
    world.app.environment.settings.set(
        world.app.settings.model_copy(update={"folders": (Folder(path=str(world.folder)), Folder(path=str(lost)))})
    )
    world.app.ingest.folder_problems[str(lost)] = SourceUnreachable()
    there, away = (await owner.get("/api/folders")).json()
    assert there == {"path": str(world.folder), "name": "photos", "images": 2, "problem": None}
    assert (away["name"], away["images"], away["problem"]["code"]) == ("lost", 0, "source.unreachable")


async def test_folders_inside_a_watched_one_are_told_with_how_many_images_they_hold(served: Served, owner: httpx.AsyncClient) -> None:
    world = served.world
    world.put("2025/may/a", "2025/b", "c")
    inside = (await owner.get("/api/folders/inside", params={"path": str(world.folder)})).json()
    assert inside == [{"path": str(world.folder / "2025"), "name": "2025", "images": 2, "nested": True}]
    assert [each["name"] for each in (await owner.get("/api/folders/inside", params={"path": inside[0]["path"]})).json()] == ["may"]
    assert (await owner.get("/api/library", params={"folder": inside[0]["path"]})).json()["total"] == 2


async def test_favourites_and_names_narrow_the_index_and_a_favourite_can_be_taken_back(served: Served, owner: httpx.AsyncClient) -> None:
    served.world.put("beach", "mountain")
    done = (await owner.post("/api/library/actions", json={"action": "favourite", "ids": [1]})).json()
    assert done["count"] == 1 and (await owner.get("/api/library", params={"favourites": True})).json()["ids"] == [1]
    assert (await owner.get("/api/images/1")).json()["favourite"] is True
    await owner.post("/api/library/undo", json={"undo": done["undo"]})
    assert (await owner.get("/api/library", params={"favourites": True})).json()["ids"] == []
    assert (await owner.get("/api/library", params={"text": "BEACH"})).json()["total"] == 1
    assert (await owner.get("/api/library", params={"text": "x" * 201})).status_code == 422


async def test_images_are_had_by_their_ids_in_the_order_asked_for(served: Served, owner: httpx.AsyncClient) -> None:
    served.world.put("a", "b", "c")
    items = (await owner.get("/api/images/by-id", params={"ids": "3,999,1"})).json()["items"]
    assert [item["name"] for item in items] == ["c", "a"]
    assert items[0]["size"] == 1 and items[0]["format"] == "jpeg" and items[0]["hidden"] is False
    assert items[0]["taken_at"][-1].isdigit(), "no zone: it is the camera's clock"


async def test_ids_that_are_none_are_not_understood(owner: httpx.AsyncClient) -> None:
    for ids in ["", "1,", "a", "-1", "1;2", "9" * 19, ",".join(["12345678901"] * 400)]:
        answer = await owner.get("/api/images/by-id", params={"ids": ids})
        assert (answer.status_code, answer.json()["code"]) == (422, "api.bad_request"), ids


async def test_a_thumbnail_is_a_jpeg_that_no_cache_keeps(served: Served, owner: httpx.AsyncClient) -> None:
    served.world.put("a")
    answer = await owner.get("/api/images/1/thumbnail")
    assert (answer.headers["content-type"], answer.content) == ("image/jpeg", bytes(10))
    assert answer.headers.get_list("cache-control") == ["private, no-store"]
    assert (await owner.get("/api/images/9/thumbnail")).status_code == 404


async def test_hiding_is_taken_back(served: Served, owner: httpx.AsyncClient) -> None:
    served.world.put("a", "b")
    done = (await owner.post("/api/library/actions", json={"action": "hide", "ids": [1, 77]})).json()
    assert done["count"] == 1
    assert (await owner.get("/api/library")).json()["ids"] == [2]
    assert (await owner.get("/api/library", params={"hidden": True})).json()["ids"] == [1]
    assert [item["id"] for item in (await owner.get("/api/images")).json()["items"]] == [2]
    assert (await owner.get("/api/images/1")).json()["hidden"] is True
    assert (await owner.post("/api/library/undo", json={"undo": done["undo"]})).status_code == 204
    assert (await owner.get("/api/library")).json()["total"] == 2
    again = await owner.post("/api/library/undo", json={"undo": done["undo"]})
    assert (again.status_code, again.json()["code"]) == (404, "people.nothing_to_undo")
    assert (await owner.post("/api/library/actions", json={"action": "unhide", "ids": [1]})).json() == {"undo": None, "count": 0}


async def test_an_action_that_is_none_changes_nothing(owner: httpx.AsyncClient) -> None:
    for wrong in [{"action": "delete", "ids": [1]}, {"action": "hide", "ids": []}, {"action": "hide", "ids": [2**63]}]:
        assert (await owner.post("/api/library/actions", json=wrong)).status_code == 422, wrong


async def test_an_image_is_shown_in_its_folder_and_opened_while_a_file_of_it_is_there(served: Served, owner: httpx.AsyncClient) -> None:
    world = served.world
    world.put("a.jpg")
    path = world.folder / "a.jpg"
    assert (await owner.post("/api/images/1/show")).status_code == 204
    assert (await owner.post("/api/images/1/open")).status_code == 204
    assert served.desk.asked == [f"show {path}", f"open {path}"]
    served.desk.error = NoDisplay()
    assert (await owner.post("/api/images/1/open")).json()["code"] == "desktop.no_display"
    path.unlink()
    gone = await owner.post("/api/images/1/show")
    assert (gone.status_code, gone.json()["code"]) == (409, "image.missing")
    assert (await owner.post("/api/images/2/open")).status_code == 404

"""Each route does what it says, and what is refused is said in the program's language."""

from __future__ import annotations

from typing import TYPE_CHECKING

import httpx
import pytest

from agent.domain.errors import ImageCorrupt, ModelMissing, NoDisplay, PopupFailed, SourceUnreachable, StoreBusy
from agent.domain.jobs import Priority
from agent.infrastructure.core.settings import Settings, root_of

if TYPE_CHECKING:
    from tests.unit.interfaces.web.conftest import Served

ON: dict[str, object] = {"recognition": {"enabled": True}}


async def test_images_come_newest_first_page_by_page(served: Served, owner: httpx.AsyncClient) -> None:
    served.world.put("a", "b", "c")
    first = (await owner.get("/api/images", params={"limit": 2})).json()
    assert [item["name"] for item in first["items"]] == ["c", "b"]
    second = (await owner.get("/api/images", params={"limit": 2, "before": first["next"]})).json()
    assert [item["name"] for item in second["items"]] == ["a"] and second["next"] is None
    one = (await owner.get(f"/api/images/{first['items'][0]['id']}")).json()
    assert one == first["items"][0]
    assert (one["folder"], one["places"], one["width"], one["height"]) == ("photos", 1, 100, 80)
    assert one["faces"][0]["box"] == [5, 5, 40, 40] and one["faces"][0]["person"] is None


async def test_a_preview_is_a_jpeg(served: Served, owner: httpx.AsyncClient) -> None:
    served.world.put("a")
    answer = await owner.get("/api/images/1/preview", params={"side": 100})
    assert (answer.headers["content-type"], answer.content) == ("image/jpeg", bytes(10))
    assert answer.headers["cache-control"] == "no-store"
    assert (await owner.get("/api/images/9/preview")).status_code == 404
    served.world.analyser.always = ImageCorrupt()
    answer = await owner.get("/api/images/1/preview", params={"side": 2000})
    assert (answer.status_code, answer.json()["code"]) == (422, "image.corrupt")


async def test_nobody_is_named_while_recognition_is_off(owner: httpx.AsyncClient) -> None:
    answer = await owner.post("/api/people", json={"face_id": 1, "name": "Mei"})
    assert (answer.status_code, answer.json()["code"]) == (409, "people.recognition_off")


async def test_a_name_that_is_none_is_not_understood(served: Served, owner: httpx.AsyncClient) -> None:
    world = served.world
    await world.app.apply(Settings.model_validate(ON))
    world.put("m1")
    for name in ["", " ", "\t\n", "x" * 201]:
        answer = await owner.post("/api/people", json={"face_id": 1, "name": name})
        assert (answer.status_code, answer.json()["code"]) == (422, "api.bad_request"), name
    assert world.real.people() == []


async def test_the_status_names_the_folder_in_trouble(served: Served, owner: httpx.AsyncClient, monkeypatch: pytest.MonkeyPatch) -> None:
    app = served.world.app
    for name in ("HOME", "USERPROFILE"):
        monkeypatch.setenv(name, root_of("/home/somebody"))
    folders = [{"path": "~/photos"}, {"path": "/scans/../archive"}, {"path": "/fine"}]
    await app.apply(Settings.model_validate({"folders": folders, **ON, "popup": {"seconds": 9}}))
    for folder in app.settings.folders[:2]:
        app.ingest.folder_problems[folder.root] = SourceUnreachable()
    status = (await owner.get("/api/status")).json()
    assert app.settings.folders[0].root == root_of("/home/somebody/photos") and app.settings.folders[1].root == root_of("/archive")
    assert [folder["problem"] is not None for folder in status["folders"]] == [True, True, False]
    assert (status["folders"][0]["path"], status["folders"][0]["name"]) == ("~/photos", "photos")
    assert (status["state"], status["version"], status["recognition"], status["popup_seconds"]) == ("attention", "1.2.3", True, 9)


async def test_the_status_tells_a_burst_only_from_so_many_photos_on(served: Served, owner: httpx.AsyncClient) -> None:
    world = served.world
    for number in range(3):
        await world.app.ingest.note(world.file(f"{number}"), Priority.NEW)
    assert (await owner.get("/api/status")).json()["burst"] is None
    await world.app.ingest.note(world.file("4"), Priority.NEW)
    assert (await owner.get("/api/status")).json()["burst"]["total"] == 4


async def test_pause_resume_rescan_and_quit(served: Served, owner: httpx.AsyncClient) -> None:
    assert (await owner.post("/api/pause")).status_code == 204
    assert (await owner.get("/api/status")).json()["state"] == "paused"
    assert (await owner.post("/api/resume")).status_code == 204
    assert (await owner.get("/api/status")).json()["state"] == "idle"
    assert (await owner.post("/api/rescan")).status_code == 202 and served.world.source.rescans == 1
    assert (await owner.post("/api/quit")).status_code == 202 and served.quits == 1


async def test_the_desk_is_asked_and_its_trouble_is_told(served: Served, owner: httpx.AsyncClient) -> None:
    for path in ("/api/popup/show", "/api/popup/hide", "/api/open"):
        assert (await owner.post(path)).status_code == 204
    assert served.desk.asked == ["show", "hide", "browser photos"]
    for error in (NoDisplay(), PopupFailed()):
        served.desk.error = error
        answer = await owner.post("/api/popup/show")
        assert (answer.status_code, answer.json()["code"]) == (503, error.code)


@pytest.mark.parametrize(("language", "cause"), [("en", "The library is busy"), ("zh-CN", "照片库")])
async def test_what_goes_wrong_is_told_in_the_programs_language(
    served: Served, owner: httpx.AsyncClient, language: str, cause: str
) -> None:
    served.language = language
    served.world.library.failing["images"] = StoreBusy()
    answer = await owner.get("/api/images")
    assert answer.status_code == 503 and answer.json()["code"] == "store.busy"
    assert set(answer.json()) == {"code", "cause", "remedy", "setting", "line", "params"}
    assert any("\u4e00" <= letter <= "\u9fff" for letter in answer.json()["cause"]) == (language == "zh-CN")
    assert (await owner.get("/api/images/1000000")).json()["code"] == "api.not_found"


async def test_a_request_that_cant_be_understood_says_where_but_not_what(owner: httpx.AsyncClient) -> None:
    for method, path, where in [
        ("GET", "/api/images?limit=0", "query.limit"),
        ("GET", "/api/images/first", "path.image_id"),
        ("POST", "/api/people", "body"),
        ("GET", "/api/images/1/preview?side=secret-code", "query.side"),
    ]:
        answer = await owner.request(method, path)
        assert (answer.status_code, answer.json()["code"]) == (422, "api.bad_request"), path
        assert where in answer.json()["cause"] and "secret-code" not in answer.text and "elsewhere" not in answer.text, path


async def test_what_is_not_there_and_what_is_not_possible(owner: httpx.AsyncClient) -> None:
    assert (await owner.get("/api/nowhere")).json()["code"] == "api.not_found"
    answer = await owner.get("/api/pause")
    assert (answer.status_code, answer.json()["code"]) == (405, "api.bad_request")
    assert (await owner.get("/docs")).status_code == (await owner.get("/redoc")).status_code == 404


async def test_a_defect_is_told_as_one_and_the_headers_stay(
    served: Served, owner: httpx.AsyncClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    def broken() -> list[object]:
        raise ZeroDivisionError("/home/somebody/private.jpg")

    monkeypatch.setattr(served.world.real, "people", broken)
    answer = await owner.get("/api/people")
    assert (answer.status_code, answer.json()["code"]) == (500, "agent.unexpected")
    assert "private" not in answer.text and answer.headers["cache-control"] == "no-store"


async def test_a_model_that_is_missing_is_what_the_status_says(served: Served, owner: httpx.AsyncClient) -> None:
    indexer = served.world.app.indexer
    indexer.problem, indexer._tries = ModelMissing(model="centerface"), 2
    assert (await owner.get("/api/status")).json()["problem"]["code"] == "model.missing"


async def test_the_pages_and_their_assets_are_served(owner: httpx.AsyncClient) -> None:
    for path in ("/", "/popup"):
        assert (await owner.get(path)).headers["content-type"].startswith("text/html")
    asset = await owner.get("/assets/app-1a2b.js")
    assert asset.text == "export {}" and asset.headers["cache-control"] == "private, max-age=31536000, immutable"
    assert asset.headers["x-content-type-options"] == "nosniff" and "content-security-policy" in asset.headers
    assert "immutable" not in (await owner.get("/")).headers["cache-control"]
    assert (await owner.get("/assets/../index.html")).status_code == 404
    assert (await owner.get("/assets/%2e%2e/index.html")).status_code == 404


@pytest.mark.parametrize("big", [2**31, 2**63])
async def test_a_number_that_no_row_can_have_is_refused_like_any_other_wrong_word(owner: httpx.AsyncClient, big: int) -> None:
    asked = [
        f"/api/images/{big}",
        f"/api/images/{big}/preview",
        f"/api/images/{big}/thumbnail",
        f"/api/images/{big}/original",
        f"/api/images?before={big}",
        f"/api/library?faces_min={big}",
        f"/api/library?faces_max={big}",
        f"/api/people/{big}",
        f"/api/people/{big}/faces",
        f"/api/people/{big}/export",
        f"/api/groups/{big}",
        f"/api/doubts?person_id={big}",
        f"/api/redaction-items/{big}",
        f"/api/redaction-items/{big}/copy",
        f"/api/problems/{big}",
    ]
    for path in asked:
        answer = await owner.get(path)
        assert (answer.status_code, answer.json()["code"]) == (422, "api.bad_request"), path
    assert (await owner.get("/api/events", headers={"last-event-id": str(big)})).status_code == 422

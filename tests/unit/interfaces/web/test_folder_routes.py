"""Watched folders by the API: chosen, counted, added, changed and removed."""

from __future__ import annotations

import asyncio
import json
import os
import threading
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from agent.domain.errors import NoDisplay
from agent.domain.face import StageTimes
from agent.domain.jobs import Priority
from agent.features.library import folder_routes

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    import httpx

    from agent.domain.image import FileSeen
    from tests.unit.interfaces.web.conftest import Served


async def test_a_folder_is_added_changed_and_removed(owner: httpx.AsyncClient, served: Served, tmp_path: Path) -> None:
    folder = tmp_path / "my photos"
    folder.mkdir()
    assert (await owner.post("/api/folders", json={"path": str(folder)})).status_code == 204
    change = {"path": str(folder), "recursive": False, "include": ["*.jpg"]}
    assert (await owner.patch("/api/folders", json=change)).status_code == 204
    (known,) = (await owner.get("/api/settings")).json()["folders"]
    assert (known["path"], known["recursive"], known["include"]) == (str(folder), False, ["*.jpg"])
    assert known["exclude"] == [".*", "*.tmp", "*.part", "*.crdownload"]
    assert (await owner.delete("/api/folders", params={"path": str(folder)})).json() == {"photos": 0, "days": 30}
    assert served.settings.snapshot.folders == ()


async def test_a_change_is_checked_without_being_made(owner: httpx.AsyncClient, served: Served, tmp_path: Path) -> None:
    await owner.post("/api/folders", json={"path": str(tmp_path)})

    async def check(to: str, path: str = str(tmp_path)) -> tuple[int, str]:
        answer = await owner.post("/api/folders/check", json={"path": path, "redact_to": to})
        return answer.status_code, answer.text

    assert await check(str(tmp_path.parent / "safe")) == (204, "")
    for wrong, why in ((str(tmp_path / "safe"), "outside the watched one"), ("safe", "the full path")):
        status, text = await check(wrong)
        assert status == 422 and why in text
    assert (await check("/safe", "/nowhere"))[0] == 404
    assert [folder.redact_to for folder in served.settings.snapshot.folders] == [""]


async def test_the_newest_photos_of_a_folder_are_the_first_that_are_looked_at(
    owner: httpx.AsyncClient, served: Served, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    noted: list[str] = []
    enough = asyncio.Event()

    async def note(seen: FileSeen, priority: Priority) -> None:
        assert (seen.folder, priority) == (str(tmp_path), Priority.NEW)
        noted.append(Path(seen.path).name)
        if len(noted) == 3:
            enough.set()

    monkeypatch.setattr(served.world.app.ingest, "note", note)
    for age, name in enumerate(("c.jpg", "a.jpg", "b.jpg")):
        (tmp_path / name).write_bytes(b"")
        os.utime(tmp_path / name, (1_000 - age, 1_000 - age))
    inner = tmp_path / "inner"
    inner.mkdir()
    (inner / "d.jpg").write_bytes(b"")
    served.settings.add_folder(inner)
    assert (await owner.post("/api/folders", json={"path": str(tmp_path)})).status_code == 204
    await enough.wait()
    assert noted == ["c.jpg", "a.jpg", "b.jpg"]


async def test_a_folder_that_is_not_there_is_not_watched(owner: httpx.AsyncClient, served: Served, tmp_path: Path) -> None:
    answer = await owner.post("/api/folders", json={"path": str(tmp_path / "nowhere")})
    assert (answer.status_code, answer.json()["code"]) == (422, "source.missing")
    assert (await owner.patch("/api/folders", json={"path": "/nowhere", "recursive": True})).status_code == 404
    assert (await owner.delete("/api/folders", params={"path": "/nowhere"})).status_code == 404
    assert not served.settings.snapshot.folders


async def test_a_folder_is_chosen_with_the_system_s_dialog(owner: httpx.AsyncClient, served: Served) -> None:
    assert (await owner.post("/api/folders/choose")).json() == {"path": None}
    served.desk.folder = "/photos"
    assert (await owner.post("/api/folders/choose")).json() == {"path": "/photos"}
    assert served.desk.asked == ["Choose a folder"] * 2
    served.desk.error = NoDisplay()
    assert (await owner.post("/api/folders/choose")).status_code == 503


async def estimates(owner: httpx.AsyncClient, path: str) -> list[dict[str, object]]:
    answer = await owner.post("/api/folders/estimate", json={"path": path})
    assert answer.status_code == 200
    return [json.loads(line) for line in answer.text.splitlines()]


async def test_what_a_folder_holds_is_estimated(owner: httpx.AsyncClient, served: Served) -> None:
    for name in ("a.jpg", "b.png", "c.txt"):
        served.world.file(name)
    path = str(served.world.folder)
    assert await estimates(owner, path) == [{"path": path, "images": 2, "seconds": 0.4, "more": False, "network": False}]
    served.world.app.tally.analysed(StageTimes(decode=50, detect=50))
    assert (await estimates(owner, path))[-1]["seconds"] == pytest.approx(0.2)


async def test_a_large_folder_is_counted_before_one_s_eyes(
    owner: httpx.AsyncClient, served: Served, monkeypatch: pytest.MonkeyPatch
) -> None:
    for number in range(3):
        served.world.file(f"{number}.jpg")
    monkeypatch.setattr(folder_routes, "COUNT_STEP_S", -1.0)
    counted = [(line["images"], line["more"]) for line in await estimates(owner, str(served.world.folder))]
    assert counted == [(1, True), (2, True), (3, True), (3, False)]


async def test_a_folder_on_a_network_drive_is_told(owner: httpx.AsyncClient, tmp_path: Path) -> None:
    (tmp_path / "nas").mkdir()
    assert (await estimates(owner, str(tmp_path / "nas")))[0]["network"]


@pytest.mark.parametrize("call", ["/api/folders", "/api/folders/estimate"])
async def test_a_folder_that_may_not_be_looked_into_is_neither_counted_nor_watched(
    owner: httpx.AsyncClient, served: Served, monkeypatch: pytest.MonkeyPatch, call: str
) -> None:
    def refuse(folder: str) -> None:
        raise PermissionError

    monkeypatch.setattr(folder_routes, "_look_into", refuse)
    answer = await owner.post(call, json={"path": str(served.world.folder)})
    assert (answer.status_code, answer.json()["code"]) == (422, "source.no_access")
    assert not served.settings.snapshot.folders


async def test_a_drive_that_does_not_answer_is_not_waited_for_for_ever(
    owner: httpx.AsyncClient, served: Served, monkeypatch: pytest.MonkeyPatch, held: Callable[[str], None]
) -> None:
    monkeypatch.setattr(folder_routes, "_look_into", held)
    monkeypatch.setattr(folder_routes, "ANSWER_S", 0.01)
    answer = await owner.post("/api/folders/estimate", json={"path": str(served.world.folder)})
    assert (answer.status_code, answer.json()["code"]) == (422, "source.missing")


@pytest.fixture
def held() -> Iterator[Callable[[str], None]]:
    """Stands for a drive that answers only when the test is over."""
    end = threading.Event()

    def look(folder: str) -> None:
        end.wait(10)

    yield look
    end.set()


async def test_a_folder_that_is_watched_again_is_at_once_what_it_was(owner: httpx.AsyncClient, served: Served, tmp_path: Path) -> None:
    switches = {"path": str(tmp_path), "recursive": False, "faces": True, "recognition": False, "muted": True, "exclude": ["*.bak"]}
    assert (await owner.post("/api/folders", json=switches)).status_code == 204
    [folder] = served.settings.snapshot.folders
    assert (folder.recursive, folder.recognition, folder.muted, folder.exclude) == (False, False, True, ("*.bak",))


async def test_removing_a_folder_says_how_many_photos_leave_with_it(owner: httpx.AsyncClient, served: Served) -> None:
    world = served.world
    inner = world.folder / "inner"
    inner.mkdir()
    for folder in (world.folder, inner):
        served.settings.add_folder(folder)
    world.make(served.settings.snapshot)
    world.put("a", "inner/b", "inner/c")
    tried = await owner.delete("/api/folders", params={"path": str(inner), "dry_run": True})
    assert tried.json()["photos"] == 0 and len(served.settings.snapshot.folders) == 2, "a dry run changes nothing"
    removed = await owner.delete("/api/folders", params={"path": str(inner)})
    assert removed.json()["photos"] == 0, "the folder around it goes on holding them"
    served.settings.add_folder(inner)
    removed = await owner.delete("/api/folders", params={"path": str(world.folder)})
    assert removed.json()["photos"] == 1, "the folder inside it is still watched"
    assert (await owner.delete("/api/folders", params={"path": str(inner)})).json()["photos"] == 2

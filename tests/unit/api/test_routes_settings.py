"""Settings, watched folders and the recovery code by the API: what is shown, what is refused, and what is written."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from agent.api import routes_settings
from agent.app.setting_fields import setting_fields
from agent.domain.errors import KeyringLocked, NoDisplay
from agent.domain.face import StageTimes

if TYPE_CHECKING:
    from pathlib import Path

    import httpx

    from tests.unit.api.conftest import Served


async def test_every_setting_is_there_with_what_a_form_needs(owner: httpx.AsyncClient, served: Served) -> None:
    answer = (await owner.get("/api/settings")).json()
    shown = {setting["key"]: setting for group in answer["groups"] for setting in group["settings"]}
    assert shown.keys() == {key for key in setting_fields() if "[]" not in key}
    assert answer["path"] == str(served.settings.path)
    assert shown["popup.seconds"] == {
        "key": "popup.seconds",
        "title": "Hide after",
        "help": "Seconds. Pointing at it stops the time.",
        "kind": "number",
        "value": 12,
        "default": 12,
        "minimum": 2,
        "maximum": 3600,
        "step": 1,
        "unit": "s",
        "choices": [],
        "advanced": False,
        "overridden": False,
        "restart": False,
    }
    assert (shown["popup.burst"]["value"], shown["popup.burst"]["overridden"]) == (9, True)
    assert shown["recognition.enabled"]["kind"] == "switch"
    assert shown["general.theme"]["choices"][0] == {"value": "auto", "title": "Follow the system"}
    assert shown["api.port"]["restart"] and shown["api.port"]["advanced"]
    assert {group["name"] for group in answer["groups"] if group["advanced"]} == {"sources", "api", "logs"}


async def test_words_are_in_the_program_s_language(owner: httpx.AsyncClient, served: Served) -> None:
    served.language = "zh-CN"
    groups = (await owner.get("/api/settings")).json()["groups"]
    assert groups[0]["title"] == "通用"


async def test_a_setting_is_written_and_reset(owner: httpx.AsyncClient, served: Served) -> None:
    answer = await owner.put("/api/settings/popup.seconds", json={"value": 30})
    assert (answer.status_code, answer.json()["value"]) == (200, 30)
    assert served.settings.path.read_text() == "[popup]\nseconds = 30\n"
    answer = await owner.delete("/api/settings/popup.seconds")
    assert (answer.json()["value"], served.settings.snapshot.popup.seconds) == (12, 12)


@pytest.mark.parametrize(
    ("key", "value"),
    [
        ("popup.seconds", 1),
        ("popup.seconds", "soon"),
        ("recognition.enabled", 7),
        ("popup.corner", "middle"),
        ("popup.quiet_from", "25:00"),
    ],
)
async def test_what_is_refused_says_the_bounds_and_writes_nothing(
    owner: httpx.AsyncClient, served: Served, key: str, value: object
) -> None:
    for answer in (
        await owner.put(f"/api/settings/{key}", json={"value": value}),
        await owner.post(f"/api/settings/{key}/check", json={"value": value}),
    ):
        assert (answer.status_code, answer.json()["code"]) == (422, "settings.invalid")
        assert key in answer.json()["cause"]
    assert not served.settings.path.exists()


async def test_a_value_can_be_checked_as_it_is_typed(owner: httpx.AsyncClient, served: Served) -> None:
    assert (await owner.post("/api/settings/popup.quiet_from/check", json={"value": "22:30"})).status_code == 204
    assert not served.settings.path.exists()


@pytest.mark.parametrize("key", ["popup.secnds", "folders", "folders[].path", "popup"])
async def test_a_setting_that_is_not_there_is_not_found(owner: httpx.AsyncClient, key: str) -> None:
    assert (await owner.put(f"/api/settings/{key}", json={"value": 1})).status_code == 404


async def test_a_folder_is_added_changed_and_removed(owner: httpx.AsyncClient, served: Served, tmp_path: Path) -> None:
    folder = tmp_path / "my photos"
    folder.mkdir()
    assert (await owner.post("/api/folders", json={"path": str(folder)})).status_code == 204
    change = {"path": str(folder), "recursive": False, "include": ["*.jpg"]}
    assert (await owner.patch("/api/folders", json=change)).status_code == 204
    (known,) = (await owner.get("/api/settings")).json()["folders"]
    assert (known["path"], known["recursive"], known["include"]) == (str(folder), False, ["*.jpg"])
    assert known["exclude"] == [".*", "*.tmp", "*.part", "*.crdownload"]
    assert (await owner.delete("/api/folders", params={"path": str(folder)})).status_code == 204
    assert served.settings.snapshot.folders == ()


async def test_a_folder_that_is_not_there_is_not_watched(owner: httpx.AsyncClient, served: Served, tmp_path: Path) -> None:
    answer = await owner.post("/api/folders", json={"path": str(tmp_path / "nowhere")})
    assert (answer.status_code, answer.json()["code"]) == (422, "source.unreachable")
    assert (await owner.patch("/api/folders", json={"path": "/nowhere", "recursive": True})).status_code == 404
    assert (await owner.delete("/api/folders", params={"path": "/nowhere"})).status_code == 404
    assert not served.settings.snapshot.folders


async def test_a_folder_is_chosen_with_the_system_s_dialog(owner: httpx.AsyncClient, served: Served) -> None:
    assert (await owner.post("/api/folders/choose")).json() == {"path": None}
    served.desk.folder = "/photos"
    assert (await owner.post("/api/folders/choose")).json() == {"path": "/photos"}
    assert served.desk.asked == ["Choose a folder to watch"] * 2
    served.desk.error = NoDisplay()
    assert (await owner.post("/api/folders/choose")).status_code == 503


async def test_what_a_folder_holds_is_estimated(owner: httpx.AsyncClient, served: Served, monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("a.jpg", "b.png", "c.txt"):
        served.world.file(name)
    path = str(served.world.folder)
    assert (await owner.post("/api/folders/estimate", json={"path": path})).json() == {"images": 2, "seconds": 0.4, "more": False}
    served.world.app.tally.analysed(StageTimes(decode=50, detect=50))
    assert (await owner.post("/api/folders/estimate", json={"path": path})).json()["seconds"] == pytest.approx(0.2)
    monkeypatch.setattr(routes_settings, "COUNT_S", -1.0)
    assert (await owner.post("/api/folders/estimate", json={"path": path})).json()["more"]
    assert (await owner.post("/api/folders/estimate", json={"path": path + "x"})).status_code == 422


async def test_the_recovery_code_is_shown_when_the_key_can_be_had(owner: httpx.AsyncClient, served: Served) -> None:
    assert (await owner.get("/api/recovery-code")).json() == {"code": "AAAAA-BBBBB"}
    served.key_error = KeyringLocked()
    answer = await owner.get("/api/recovery-code")
    assert (answer.status_code, answer.json()["code"]) == (503, "keys.locked")


async def test_the_first_run_is_over_when_somebody_says_so_or_a_folder_is_watched(
    owner: httpx.AsyncClient, served: Served, tmp_path: Path
) -> None:
    first = (await owner.get("/api/first-run")).json()
    assert (first["needed"], first["recovery_code"]) == (True, "AAAAA-BBBBB")
    assert "Apache-2.0" in first["recognition_terms"]
    served.settings.add_folder(tmp_path)
    assert not (await owner.get("/api/first-run")).json()["needed"]
    served.settings.remove_folder(str(tmp_path))
    assert (await owner.post("/api/first-run/done")).status_code == 204
    assert (await owner.post("/api/first-run/done")).status_code == 204
    served.key_error = KeyringLocked()
    assert (await owner.get("/api/first-run")).json() == {**first, "needed": False, "recovery_code": None}

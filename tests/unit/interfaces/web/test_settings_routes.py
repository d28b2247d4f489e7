"""Settings and the recovery code by the API: what is shown, what is refused, and what is written."""

from __future__ import annotations

from typing import TYPE_CHECKING

import httpx
from fastapi import FastAPI

from agent.domain.errors import KeyringLocked, NoDisplay, leaves
from agent.infrastructure.core.i18n import Texts
from agent.infrastructure.core.setting_fields import DESKTOP_ONLY, SERVER_ONLY, setting_fields
from agent.infrastructure.core.settings import KeyHome
from agent.interfaces.web.settings_routes import settings_routes
from agent.interfaces.web.ui_port import HeadlessUi

if TYPE_CHECKING:
    from pathlib import Path

    from tests.unit.interfaces.web.conftest import Served


async def test_every_setting_is_there_with_what_a_form_needs(owner: httpx.AsyncClient, served: Served) -> None:
    answer = (await owner.get("/api/settings")).json()
    shown = {setting["key"]: setting for group in answer["groups"] for setting in group["settings"]}
    assert shown.keys() == {key for key in setting_fields() if "[]" not in key and not {key, key.partition(".")[0]} & SERVER_ONLY}
    assert answer["path"] == str(served.settings.path)
    assert shown["popup.seconds"] == {
        "key": "popup.seconds",
        "title": "Hide after",
        "help": "It stays while you point at it.",
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
        "variable": None,
        "also": "自动隐藏 指针停在上面时不会隐藏。",
        "restart": False,
    }
    assert (shown["popup.burst"]["value"], shown["popup.burst"]["overridden"]) == (9, True)
    assert shown["popup.burst"]["variable"] == "AI_POPUP__POPUP__BURST"
    assert shown["recognition.enabled"]["kind"] == "switch"
    assert shown["general.theme"]["choices"][0] == {"value": "auto", "title": "Follow the system"}
    assert not shown["backup.offsite"]["restart"], "the next daily backup goes there"
    assert shown["api.port"]["restart"] and shown["api.port"]["advanced"]
    assert {group["name"] for group in answer["groups"] if group["advanced"]} == {"sources", "api", "memory", "logs", "backup"}


async def test_the_team_servers_settings_can_neither_be_read_nor_changed(owner: httpx.AsyncClient, served: Served) -> None:
    answer = await owner.put("/api/settings/server.database", json={"value": "postgresql://elsewhere/photos"})
    assert (answer.status_code, answer.json()["code"]) == (404, "settings.unknown_key")
    assert (await owner.delete("/api/settings/server.port")).status_code == 404
    assert served.settings.load().server.database == ""


async def test_a_server_has_no_settings_of_the_desktop(served: Served) -> None:
    api = FastAPI()
    settings_routes(api, served.settings, HeadlessUi(), lambda _: None, Texts, SERVER_ONLY | DESKTOP_ONLY)
    async with httpx.AsyncClient(transport=httpx.ASGITransport(api), base_url="http://here") as member:
        answer = (await member.get("/api/settings")).json()
    shown = {setting["key"] for group in answer["groups"] for setting in group["settings"]}
    assert "general.language" in shown and "recognition.enabled" in shown
    assert not {"general.autostart", "popup.seconds", "tray.enabled", "server.port"} & shown


async def test_words_are_in_the_program_s_language(owner: httpx.AsyncClient, served: Served) -> None:
    served.language = "zh-CN"
    groups = (await owner.get("/api/settings")).json()["groups"]
    assert groups[0]["title"] == "通用"


async def test_all_settings_and_errors_can_be_read_up(owner: httpx.AsyncClient, served: Served) -> None:
    settings = (await owner.get("/api/help/settings")).json()
    assert [row["key"] for part in settings["parts"] for row in part["rows"]] == list(setting_fields())
    errors = (await owner.get("/api/help/errors")).json()
    assert {part["id"] for part in errors["parts"]} == set(leaves())
    assert all(part["text"][0] and part["text"][1] for part in errors["parts"])
    assert (await owner.get("/api/help/other")).status_code == 422


async def test_a_page_of_the_guide_is_read_in_the_program_s_language_and_nothing_beside_it(
    owner: httpx.AsyncClient, served: Served
) -> None:
    served.language = "zh-CN"
    assert (await owner.get("/api/help/guide/guide")).json() == {"html": "<h1>指南</h1>"}
    assert (await owner.get("/api/help/guide/other")).status_code == 404
    assert (await owner.get("/api/help/guide/..%2Fzh-CN%2Fguide")).status_code == 404
    assert (await owner.get("/api/help/guide/a.json")).status_code == 422
    picture = await owner.get("/api/help/pictures/popup-en.png")
    assert (picture.content, picture.headers["content-type"]) == (b"png", "image/png")
    assert (await owner.get("/api/help/pictures/other.png")).status_code == 404
    assert (await owner.get("/api/help/pictures/guide.json")).status_code == 422


async def test_a_setting_is_written_and_reset(owner: httpx.AsyncClient, served: Served) -> None:
    answer = await owner.put("/api/settings/popup.seconds", json={"value": 30})
    assert (answer.status_code, answer.json()["value"]) == (200, 30)
    assert served.settings.path.read_text() == "[popup]\nseconds = 30\n"
    answer = await owner.delete("/api/settings/popup.seconds")
    assert (answer.json()["value"], served.settings.snapshot.popup.seconds) == (12, 12)


async def test_what_is_refused_says_the_bounds_and_writes_nothing(owner: httpx.AsyncClient, served: Served) -> None:
    for key, value in [
        ("popup.seconds", 1),
        ("popup.seconds", "soon"),
        ("recognition.enabled", 7),
        ("popup.corner", "middle"),
        ("popup.quiet_from", "25:00"),
    ]:
        for answer in (
            await owner.put(f"/api/settings/{key}", json={"value": value}),
            await owner.post(f"/api/settings/{key}/check", json={"value": value}),
        ):
            assert (answer.status_code, answer.json()["code"]) == (422, "settings.invalid"), value
            assert key in answer.json()["cause"], value
    assert not served.settings.path.exists()


async def test_a_value_can_be_checked_as_it_is_typed(owner: httpx.AsyncClient, served: Served) -> None:
    assert (await owner.post("/api/settings/popup.quiet_from/check", json={"value": "22:30"})).status_code == 204
    assert not served.settings.path.exists()


async def test_the_file_is_opened_with_the_user_s_editor_and_made_if_there_is_none(owner: httpx.AsyncClient, served: Served) -> None:
    assert (await owner.post("/api/settings/file/open")).status_code == 204
    assert served.settings.path.read_bytes() == b""
    served.settings.path.write_text("not toml")
    assert (await owner.post("/api/settings/file/open")).status_code == 204
    assert served.settings.path.read_text() == "not toml"
    assert served.desk.asked == [f"edit {served.settings.path}"] * 2
    served.desk.error = NoDisplay()
    assert (await owner.post("/api/settings/file/open")).status_code == 503


async def test_the_library_s_key_moves_with_its_setting(owner: httpx.AsyncClient, served: Served) -> None:
    assert (await owner.put("/api/settings/library.key_home", json={"value": "file"})).json()["value"] == "file"
    assert (await owner.delete("/api/settings/library.key_home")).json()["value"] == "keyring"
    assert served.moved == [KeyHome.FILE, KeyHome.KEYRING]
    assert (await owner.put("/api/settings/library.key_home", json={"value": "cloud"})).status_code == 422
    assert len(served.moved) == 2


async def test_a_setting_that_is_not_there_is_not_found(owner: httpx.AsyncClient) -> None:
    for key in ["popup.secnds", "folders", "folders[].path", "popup"]:
        assert (await owner.put(f"/api/settings/{key}", json={"value": 1})).status_code == 404, key


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


async def test_a_welcome_that_was_left_is_taken_up_again_until_it_is_done(owner: httpx.AsyncClient, served: Served) -> None:
    first = (await owner.get("/api/first-run")).json()
    assert (first["suggested"], first["chosen"]) == (["/home/mei/Pictures"], None)
    chosen = {"folders": ["/photos"], "recognition": True, "step": 1}
    assert (await owner.put("/api/first-run", json=chosen)).status_code == 204
    assert (await owner.get("/api/first-run")).json()["chosen"] == chosen
    assert served.settings.snapshot.folders == ()

    assert (await owner.post("/api/first-run/done")).status_code == 204
    assert (await owner.put("/api/first-run", json=chosen)).status_code == 204
    after = (await owner.get("/api/first-run")).json()
    assert (after["suggested"], after["chosen"], served.choices) == (first["suggested"], None, None)


async def test_choices_of_another_version_are_none(owner: httpx.AsyncClient, served: Served) -> None:
    served.choices = '{"folders": 7}'
    assert (await owner.get("/api/first-run")).json()["chosen"] is None


async def test_about_tells_the_version_the_places_and_the_terms(owner: httpx.AsyncClient, served: Served) -> None:
    about = (await owner.get("/api/about")).json()
    assert about["license"] == "Apache-2.0"
    assert about["version"] == served.context.version
    assert (about["data"], about["settings"]) == (str(served.context.places.data), str(served.settings.path))
    assert [model["name"] for model in about["models"]][:2] == ["CenterFace", "YuNet"]

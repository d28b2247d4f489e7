"""Routes of the Settings page: every setting, and the settings file."""

import asyncio
from collections.abc import Callable

from fastapi import FastAPI

from agent.core.config_file import SettingsFile
from agent.core.i18n import Texts
from agent.core.setting_fields import nearest_key, setting_fields
from agent.core.settings import KeyHome, Library
from agent.domain.errors import SettingsUnknownKey
from agent.domain.path_text import printable
from agent.web import present_settings
from agent.web.desk import Desk
from agent.web.settings_schemas import SettingOut, SettingsOut, SettingValue

KEY_HOME = "library.key_home"


def settings_routes(api: FastAPI, file: SettingsFile, desk: Desk, move_key: Callable[[KeyHome], None], texts: Callable[[], Texts]) -> None:
    """Add the routes to `api`. `move_key` writes `library.key_home`; it blocks and raises KeyHomeError, StoreError or SettingsError."""

    def out(key: str) -> SettingOut:
        field = setting_fields().get(key)
        if field is None or "[]" in key:
            raise SettingsUnknownKey(key=key, nearest=nearest_key(key))
        return present_settings.setting(field, file.snapshot, file.overridden(), texts())

    @api.get("/api/settings")
    async def settings() -> SettingsOut:
        return SettingsOut(
            groups=present_settings.groups(file.snapshot, file.overridden(), texts()),
            folders=tuple(map(present_settings.watched_folder, file.snapshot.folders)),
            path=printable(str(file.path)),
        )

    @api.post("/api/settings/file/open", status_code=204)
    async def open_file() -> None:
        """Open the settings file in the user's editor."""
        await desk.edit_file(await asyncio.to_thread(file.ensure))

    @api.put("/api/settings/{key}")
    async def put(key: str, body: SettingValue) -> SettingOut:
        out(key)
        if key == KEY_HOME and body.value in set(KeyHome):
            await asyncio.to_thread(move_key, KeyHome(body.value))
        else:
            await asyncio.to_thread(file.put, key, body.value)
        return out(key)

    @api.delete("/api/settings/{key}")
    async def reset(key: str) -> SettingOut:
        out(key)
        if key == KEY_HOME:
            await asyncio.to_thread(move_key, Library().key_home)
        await asyncio.to_thread(file.unset, key)
        return out(key)

    @api.post("/api/settings/{key}/check", status_code=204)
    async def check(key: str, body: SettingValue) -> None:
        out(key)
        file.checked(key, body.value)

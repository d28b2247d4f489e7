"""Routes of the Settings page and the first run: every setting, and what a new user should know."""

import asyncio
from contextlib import suppress

from fastapi import FastAPI
from pydantic import ValidationError

from agent.core.setting_fields import nearest_key, setting_fields
from agent.core.settings import KeyHome, Library
from agent.domain.errors import AgentError, SettingsUnknownKey
from agent.domain.path_text import printable
from agent.web import present_settings
from agent.web.context import Context
from agent.web.settings_schemas import FirstRun, RecoveryCode, SettingOut, SettingsOut, SettingValue, WelcomeChoices

KEY_HOME = "library.key_home"


def settings_routes(api: FastAPI, context: Context) -> None:
    """Add them to `api`."""
    _setting_routes(api, context)
    _first_run_routes(api, context)


def _setting_routes(api: FastAPI, context: Context) -> None:
    file = context.settings

    def out(key: str) -> SettingOut:
        field = setting_fields().get(key)
        if field is None or "[]" in key:
            raise SettingsUnknownKey(key=key, nearest=nearest_key(key))
        return present_settings.setting(field, file.snapshot, file.overridden(), context.texts())

    @api.get("/api/settings")
    async def settings() -> SettingsOut:
        return SettingsOut(
            groups=present_settings.groups(file.snapshot, file.overridden(), context.texts()),
            folders=tuple(map(present_settings.watched_folder, file.snapshot.folders)),
            path=printable(str(file.path)),
        )

    @api.post("/api/settings/file/open", status_code=204)
    async def open_file() -> None:
        """With the user's editor."""
        await context.desk.edit_file(await asyncio.to_thread(file.ensure))

    @api.put("/api/settings/{key}")
    async def put(key: str, body: SettingValue) -> SettingOut:
        out(key)
        if key == KEY_HOME and body.value in set(KeyHome):
            await asyncio.to_thread(context.move_key, KeyHome(body.value))
        else:
            await asyncio.to_thread(file.put, key, body.value)
        return out(key)

    @api.delete("/api/settings/{key}")
    async def reset(key: str) -> SettingOut:
        out(key)
        if key == KEY_HOME:
            await asyncio.to_thread(context.move_key, Library().key_home)
        await asyncio.to_thread(file.unset, key)
        return out(key)

    @api.post("/api/settings/{key}/check", status_code=204)
    async def check(key: str, body: SettingValue) -> None:
        out(key)
        file.checked(key, body.value)


def _first_run_routes(api: FastAPI, context: Context) -> None:
    beginning = context.beginning

    @api.get("/api/first-run")
    async def first_run() -> FirstRun:
        code: str | None = None
        with suppress(AgentError):  # the keyring may be locked: the code can be shown later
            code = await asyncio.to_thread(context.recovery_code)
        return FirstRun(
            needed=await asyncio.to_thread(beginning.needed),
            recognition_terms=context.texts()("models.mobilefacenet.terms"),
            recovery_code=code,
            suggested=tuple(map(printable, await asyncio.to_thread(context.suggested))),
            chosen=_choices(await asyncio.to_thread(beginning.chosen)),
        )

    @api.put("/api/first-run", status_code=204)
    async def keep(body: WelcomeChoices) -> None:
        """What was chosen so far, for when somebody comes back to it."""
        await asyncio.to_thread(beginning.keep, body.model_dump_json())

    @api.post("/api/first-run/done", status_code=204)
    async def done() -> None:
        await asyncio.to_thread(beginning.done)

    @api.get("/api/recovery-code")
    async def recovery_code() -> RecoveryCode:
        return RecoveryCode(code=await asyncio.to_thread(context.recovery_code))


def _choices(kept: str | None) -> WelcomeChoices | None:
    """None if there are none, or another version wrote them."""
    if kept is None:
        return None
    try:
        return WelcomeChoices.model_validate_json(kept)
    except ValidationError:
        return None

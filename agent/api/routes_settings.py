"""Routes of the Settings page and the first run: every setting, the watched folders, and what a new user should know."""

import asyncio
import time
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

from fastapi import FastAPI

from agent.api import present_settings
from agent.api.context import Context
from agent.api.present import printable
from agent.api.schemas_settings import (
    ChosenFolder,
    Estimate,
    FirstRun,
    FolderChange,
    FolderPath,
    RecoveryCode,
    SettingOut,
    SettingsOut,
    SettingValue,
)
from agent.app.setting_fields import nearest_key, setting_fields
from agent.domain.errors import AgentError, SettingsUnknownKey, SourceUnreachable
from agent.domain.image import FileSeen
from agent.settings import root_of

COUNT_S = 2.0
# Before this machine has looked at anything: an ordinary one, two photos a second for each of a few engine processes.
USUAL_RATE = 5.0
FIRST_RUN_DONE = "first_run_done"


def settings_routes(api: FastAPI, context: Context) -> None:
    """Add them to `api`."""
    _setting_routes(api, context)
    _folder_routes(api, context)
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

    @api.put("/api/settings/{key}")
    async def put(key: str, body: SettingValue) -> SettingOut:
        out(key)
        await asyncio.to_thread(file.put, key, body.value)
        return out(key)

    @api.delete("/api/settings/{key}")
    async def reset(key: str) -> SettingOut:
        out(key)
        await asyncio.to_thread(file.unset, key)
        return out(key)

    @api.post("/api/settings/{key}/check", status_code=204)
    async def check(key: str, body: SettingValue) -> None:
        out(key)
        file.checked(key, body.value)


def _folder_routes(api: FastAPI, context: Context) -> None:
    file = context.settings

    def root(path: str) -> str:
        """The watched folder that a client means: it may have been told a path with question marks for what is no text."""
        known = (folder.root for folder in file.snapshot.folders)
        return next((each for each in known if printable(each) == path), root_of(path))

    def rate() -> float:
        """Photos per second, by those this machine looked at lately."""
        means, engines = context.app.tally.means(), context.app.monitor.engine.size
        return max(engines, 1) * 1000 / means.total if means is not None and means.total > 0 else USUAL_RATE

    @api.post("/api/folders", status_code=204)
    async def add(body: FolderPath) -> None:
        folder = root_of(body.path)
        if not await asyncio.to_thread(_is_folder, folder):
            raise SourceUnreachable
        await asyncio.to_thread(file.add_folder, Path(folder))

    @api.patch("/api/folders", status_code=204)
    async def change(body: FolderChange) -> None:
        changes = body.model_dump(mode="json", exclude={"path"}, exclude_none=True)
        await asyncio.to_thread(file.change_folder, root(body.path), changes)

    @api.delete("/api/folders", status_code=204)
    async def remove(path: str) -> None:
        await asyncio.to_thread(file.remove_folder, root(path))

    @api.post("/api/folders/choose")
    async def choose() -> ChosenFolder:
        return ChosenFolder(path=await context.desk.choose_folder(context.texts()("notify.choose_folder")))

    @api.post("/api/folders/estimate")
    async def estimate(body: FolderPath) -> Estimate:
        folder = root_of(body.path)
        if not await asyncio.to_thread(_is_folder, folder):
            raise SourceUnreachable
        images, more = await asyncio.to_thread(_count, context.walk((folder,)))
        return Estimate(images=images, seconds=images / rate(), more=more)


def _first_run_routes(api: FastAPI, context: Context) -> None:
    library = context.app.library

    @api.get("/api/first-run")
    async def first_run() -> FirstRun:
        code: str | None = None
        with suppress(AgentError):  # the keyring may be locked: the code can be shown later
            code = await asyncio.to_thread(context.recovery_code)
        return FirstRun(
            needed=not context.settings.snapshot.folders and not await asyncio.to_thread(library.noted, FIRST_RUN_DONE),
            recognition_terms=context.texts()("models.mobilefacenet.terms"),
            recovery_code=code,
        )

    @api.post("/api/first-run/done", status_code=204)
    async def done() -> None:
        await asyncio.to_thread(library.take_notes, {FIRST_RUN_DONE: 1})

    @api.get("/api/recovery-code")
    async def recovery_code() -> RecoveryCode:
        return RecoveryCode(code=await asyncio.to_thread(context.recovery_code))


def _is_folder(path: str) -> bool:
    try:
        return Path(path).is_dir()
    except (OSError, ValueError):
        return False


def _count(files: Iterator[FileSeen]) -> tuple[int, bool]:
    """How many images, and whether there was no time to count all."""
    images, deadline = 0, time.monotonic() + COUNT_S
    for images, _ in enumerate(files, 1):
        if time.monotonic() > deadline:
            return images, True
    return images, False

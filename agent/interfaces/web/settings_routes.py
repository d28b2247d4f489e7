"""Routes of the Settings page: every setting, and the settings file."""

import asyncio
from collections.abc import Callable, Collection, Mapping
from enum import Enum
from pathlib import PurePath
from typing import Literal

from fastapi import FastAPI

from agent.domain.errors import SettingsUnknownKey
from agent.domain.path_text import printable
from agent.infrastructure.core.config_file import SettingsFile
from agent.infrastructure.core.i18n import LANGUAGES, Texts
from agent.infrastructure.core.setting_fields import SERVER_ONLY, SettingField, nearest_key, setting_fields
from agent.infrastructure.core.settings import Folder, KeyHome, LibrarySettings, Settings
from agent.interfaces.web.access import Scope, needs
from agent.interfaces.web.settings_schemas import Choice, SettingGroup, SettingOut, SettingsOut, SettingValue, Value, WatchedFolder
from agent.interfaces.web.ui_port import UiPort

Kind = Literal["switch", "number", "choice", "text", "list"]
_KINDS: dict[str, Kind] = {"bool": "switch", "int": "number", "float": "number", "list": "list"}
KEY_HOME = "library.key_home"


def settings_routes(
    api: FastAPI,
    file: SettingsFile,
    desk: UiPort,
    move_key: Callable[[KeyHome], None],
    texts: Callable[[], Texts],
    hidden: Collection[str] = SERVER_ONLY,
    folder_name: Callable[[str], str | None] = lambda _: None,
) -> None:
    """Add the routes to `api`. `move_key` writes `library.key_home`; it blocks and raises KeyHomeError, StoreError or SettingsError.

    `folder_name` returns what a folder is to be called, if not by its own name.
    Sections, and single settings, that are `hidden` can neither be read nor written here.
    """

    def out(key: str) -> SettingOut:
        field = setting_fields().get(key)
        if field is None or "[]" in key or not {key, key.partition(".")[0]}.isdisjoint(hidden):
            raise SettingsUnknownKey(key=key, nearest=nearest_key(key))
        return _setting(field, file.snapshot, file.overridden(), texts())

    @api.get("/api/settings", openapi_extra=needs(Scope.SETTINGS_READ))
    async def settings() -> SettingsOut:
        return SettingsOut(
            groups=_groups(file.snapshot, file.overridden(), texts(), hidden),
            folders=tuple(_watched(each, folder_name(each.root)) for each in file.snapshot.folders),
            path=printable(str(file.path)),
        )

    @api.post("/api/settings/file/open", status_code=204, openapi_extra=needs(Scope.DESKTOP))
    async def open_file() -> None:
        """Open the settings file in the user's editor."""
        await desk.edit_file(await asyncio.to_thread(file.ensure))

    @api.put("/api/settings/{key}", openapi_extra=needs(Scope.SETTINGS_WRITE))
    async def put(key: str, body: SettingValue) -> SettingOut:
        out(key)
        if key == KEY_HOME and body.value in set(KeyHome):
            await asyncio.to_thread(move_key, KeyHome(body.value))
        else:
            await asyncio.to_thread(file.put, key, body.value)
        return out(key)

    @api.delete("/api/settings/{key}", openapi_extra=needs(Scope.SETTINGS_WRITE))
    async def reset(key: str) -> SettingOut:
        out(key)
        if key == KEY_HOME:
            await asyncio.to_thread(move_key, LibrarySettings().key_home)
        await asyncio.to_thread(file.unset, key)
        return out(key)

    @api.post("/api/settings/{key}/check", status_code=204, openapi_extra=needs(Scope.SETTINGS_WRITE))
    async def check(key: str, body: SettingValue) -> None:
        out(key)
        file.checked(key, body.value)


def _groups(settings: Settings, overridden: Mapping[str, str], texts: Texts, hidden: Collection[str]) -> tuple[SettingGroup, ...]:
    """All settings except those of watched folders and hidden ones, by section."""
    by_section: dict[str, list[SettingOut]] = {}
    for key, field in setting_fields().items():
        section = key.partition(".")[0]
        if "[]" not in key and {key, section}.isdisjoint(hidden):
            by_section.setdefault(section, []).append(_setting(field, settings, overridden, texts))
    return tuple(
        SettingGroup(
            name=name,
            title=texts(f"settings.{name}.title"),
            advanced=all(each.advanced for each in within),
            settings=tuple(within),
        )
        for name, within in by_section.items()
    )


def _setting(field: SettingField, settings: Settings, overridden: Mapping[str, str], texts: Texts) -> SettingOut:
    section, _, name = field.key.partition(".")
    words = f"settings.{field.key}"
    return SettingOut(
        key=field.key,
        title=texts(f"{words}.title"),
        help=texts(f"{words}.help"),
        kind="choice" if field.choices else _KINDS.get(field.kind, "text"),
        value=_plain(getattr(getattr(settings, section), name)),
        default=None if field.default is None else _plain(field.default),
        minimum=field.minimum,
        maximum=field.maximum,
        step={"int": 1.0, "float": 0.01}.get(field.kind),
        unit=texts(f"settings.unit.{field.unit}") if field.unit else None,
        choices=tuple(Choice(value=each, title=texts(f"{words}.choice_{each}")) for each in field.choices),
        advanced=field.advanced,
        overridden=field.key in overridden,
        variable=overridden.get(field.key),
        also=" ".join(other(f"{words}.{part}") for other in _others(texts) for part in ("title", "help")),
        restart=field.restart,
    )


def _watched(folder: Folder, name: str | None) -> WatchedFolder:
    path = printable(folder.root)
    return WatchedFolder(path=path, name=name or PurePath(path).name or path, **folder.model_dump(exclude={"path"}))


def _others(texts: Texts) -> tuple[Texts, ...]:
    return tuple(Texts(language) for language in LANGUAGES if language != texts.language)


def _plain(value: object) -> Value:
    match value:
        case Enum():
            return str(value.value)
        case bool() | int() | float() | str():
            return value
        case tuple() | list():
            return tuple(map(str, value))
    raise TypeError(type(value).__name__)

"""Prepares settings for a form: values, bounds, and texts in the program's language."""

from collections.abc import Collection
from enum import Enum
from typing import Literal

from agent.core.i18n import LANGUAGES, Texts
from agent.core.setting_fields import SettingField, setting_fields
from agent.core.settings import Folder, Settings
from agent.domain.path_text import printable
from agent.web.settings_schemas import Choice, SettingGroup, SettingOut, Value, WatchedFolder

Kind = Literal["switch", "number", "choice", "text", "list"]
_KINDS: dict[str, Kind] = {"bool": "switch", "int": "number", "float": "number", "list": "list"}


def groups(settings: Settings, overridden: Collection[str], texts: Texts) -> tuple[SettingGroup, ...]:
    """All settings except those of watched folders, by section."""
    by_section: dict[str, list[SettingOut]] = {}
    for key, field in setting_fields().items():
        if "[]" not in key:
            by_section.setdefault(key.partition(".")[0], []).append(setting(field, settings, overridden, texts))
    return tuple(
        SettingGroup(
            name=name,
            title=texts(f"settings.{name}.title"),
            advanced=all(each.advanced for each in within),
            settings=tuple(within),
        )
        for name, within in by_section.items()
    )


def setting(field: SettingField, settings: Settings, overridden: Collection[str], texts: Texts) -> SettingOut:
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
        also=" ".join(other(f"{words}.{part}") for other in _others(texts) for part in ("title", "help")),
        restart=field.restart,
    )


def watched_folder(folder: Folder) -> WatchedFolder:
    return WatchedFolder(path=printable(folder.root), **folder.model_dump(exclude={"path"}))


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

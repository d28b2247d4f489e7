"""The valid values of each setting, read from the model: for messages, the reference page and the settings page."""

import ast
import inspect
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from difflib import get_close_matches
from enum import Enum
from functools import cache
from itertools import pairwise
from typing import get_args, get_origin

from annotated_types import Ge, Gt, Le, Lt
from pydantic.fields import FieldInfo

from agent.domain.errors import SettingsUnknownKey
from agent.infrastructure.core.setting_section import Section
from agent.infrastructure.core.settings import Folder, Settings


@dataclass(frozen=True, slots=True)
class SettingField:
    """One setting. `key` is its dotted name; a watched folder's settings are under `folders[].`."""

    key: str
    kind: str  # "bool", "int", "float", "str" or "list"
    default: object  # None if it is required
    description: str
    minimum: float | int | None = None
    maximum: float | int | None = None
    open_interval: bool = False  # the bounds themselves are excluded
    choices: tuple[str, ...] = ()  # the only valid values, if limited
    examples: tuple[str, ...] = ()
    item_examples: tuple[str, ...] = ()  # of a list's items
    unit: str = ""  # "s", "MB", ...: its text is `settings.unit.<unit>`
    advanced: bool = True  # rarely needed
    restart: bool = False  # takes effect at the next start


# Settings that users look for; all others are advanced.
_BASIC = frozenset(
    {"general.language", "general.theme", "general.autostart", "general.letter_keys", "recognition.enabled"}
    | {"detection.min_score", "detection.min_face", "detection.detector", "popup.enabled", "popup.seconds", "popup.corner", "popup.burst"}
    | {"popup.quiet_from", "popup.quiet_until", "popup.quiet_fullscreen", "popup.quiet_presenting"}
    | {"engine.on_battery", "engine.max_memory_mb", "engine.max_cores", "library.grace_days", "library.backups", "tray.enabled"}
    | {"watch_screen.enabled", "watch_screen.interval_s", "watch_screen.new_faces", "watch_screen.people", "watch_screen.sharing"}
    | {"watch_screen.only_in", "watch_screen.not_in", "watch_screen.in_calls"}
    | {"capture.hotkey", "capture.style", "capture.copy_at_once"}
    | {"updates.enabled", "updates.channel", "consent.required", "consent.second_person"}
)
_AT_START = frozenset({"api.port", "tray.enabled"})  # of those that the page of the settings shows
# Sections, or single settings, that a team server reads at its start only.
_AT_SERVER_START = frozenset(
    {"server", "worker", "logs.target", "backup.enabled", "backup.folder", "backup.wal_seconds", "backup.wal_limit_mb"}
    | {f"backup.offsite{part}" for part in ("", "_key_id", "_region", "_authority", "_identity", "_known_hosts")}
)
# Sections, or single settings, that only the team server reads, and those that only the desktop does.
SERVER_ONLY = frozenset(
    {
        "alerts",
        "incidents",
        "oidc",
        "server",
        "uploads",
        "worker",
        "consent.second_person",
        "logs.target",
        "backup.enabled",
        "backup.folder",
        "backup.at",
    }
    | {"backup.full_days", "backup.keep_full", "backup.wal_seconds", "backup.wal_limit_mb", "backup.drill_days"}
    | {"memory.server_mb", "memory.worker_mb"}
)
DESKTOP_ONLY = frozenset(
    {"popup", "capture", "watch_screen", "tray", "api", "updates", "general.autostart"}
    | {f"memory.{kind}_mb" for kind in ("agent", "popup", "screen")}
)
_UNITS = {
    "s": "s",
    "seconds": "s",
    "ms": "ms",
    "minutes": "min",
    "mb": "MB",
    "megabytes": "MB",
    "megapixels": "MP",
    "days": "d",
    "gb": "GB",
}
_UNIT_OF = {"detection.min_face": "px", "watch_screen.min_face": "px", "popup.burst": "photos"}


@cache
def setting_fields() -> dict[str, SettingField]:
    """Return every setting by its key, in the order of the model."""
    return {field.key: field for field in _fields()}


def waits_for_start(key: str, *, server: bool) -> bool:
    """Whether a running program, a team server or a desktop, reads a setting at its next start only."""
    return not _AT_SERVER_START.isdisjoint({key, key.partition(".")[0]}) if server else key in _AT_START


def nearest_key(key: str) -> str:
    """Return the setting closest to a mistyped `key`; empty if none is similar."""
    known = [name.replace("[]", "") for name in setting_fields()]
    sections = list(Settings.model_fields)
    key = re.sub(r"\[\d+\]", "", key)
    last = key.rpartition(".")[2]
    if elsewhere := next((name for name in known if name.rpartition(".")[2] == last), None):
        return elsewhere  # the right name in the wrong section
    if near := get_close_matches(key, known if "." in key else known + sections, n=1, cutoff=0.75):
        return near[0]
    return next((name for name in known if len(last) > 3 and last in name.rpartition(".")[2]), "")  # a part of its name


def check_setting_place(at: str) -> None:
    """Check a place in the UI: `settings/` must be followed by a setting or a section. Raises SettingsUnknownKey."""
    page, _, key = at.partition("/")
    if page == "settings" and key and key not in {*setting_fields(), *Settings.model_fields} - SERVER_ONLY:
        raise SettingsUnknownKey(key=key, nearest=nearest_key(key))


def _fields() -> Iterator[SettingField]:
    for section, info in Settings.model_fields.items():
        model = info.annotation
        if isinstance(model, type) and issubclass(model, Section):
            yield from _fields_of(model, section)
        else:
            yield from _fields_of(Folder, f"{section}[]")


def _fields_of(model: type[Section], prefix: str) -> Iterator[SettingField]:
    described = _described(model)
    return (_field(f"{prefix}.{name}", field, described.get(name, "")) for name, field in model.model_fields.items())


def _described(model: type[Section]) -> Mapping[str, str]:
    """Return the docstring below each setting. Pydantic would read them whenever the model is imported: at each start of a command."""
    try:
        [section] = ast.parse(inspect.getsource(model)).body
    except OSError:  # packages have no sources
        return {}
    assert isinstance(section, ast.ClassDef)
    return {
        setting.target.id: inspect.cleandoc(text.value.value)
        for setting, text in pairwise(section.body)
        if isinstance(setting, ast.AnnAssign)
        and isinstance(setting.target, ast.Name)
        and isinstance(text, ast.Expr)
        and isinstance(text.value, ast.Constant)
        and isinstance(text.value.value, str)
    }


def _examples(info: FieldInfo) -> tuple[str, ...]:
    return tuple(str(example) for example in info.examples or ())


def _items(info: FieldInfo) -> Iterator[FieldInfo]:
    """Yield what is said of a list's items."""
    for items in get_args(info.annotation):
        yield from (said for said in getattr(items, "__metadata__", ()) if isinstance(said, FieldInfo))


def _field(key: str, info: FieldInfo, description: str) -> SettingField:
    minimum: float | int | None = None
    maximum: float | int | None = None
    open_interval = False
    pattern = ""
    for bound in info.metadata:
        match bound:
            case Ge(ge=int() | float() as low):
                minimum = low
            case Gt(gt=int() | float() as low):
                minimum, open_interval = low, True
            case Le(le=int() | float() as high):
                maximum = high
            case Lt(lt=int() | float() as high):
                maximum, open_interval = high, True
            case _:
                pattern = str(getattr(bound, "pattern", None) or pattern)
    return SettingField(
        key=key,
        kind=_kind(info),
        default=None if info.is_required() else info.default,
        description=description,
        minimum=minimum,
        maximum=maximum,
        open_interval=open_interval,
        choices=_choices(info, pattern),
        examples=_examples(info),
        item_examples=tuple(example for item in _items(info) for example in _examples(item)),
        unit=_UNIT_OF.get(key) or (_UNITS.get(key.rpartition(".")[2].rpartition("_")[2], "") if _kind(info) in ("int", "float") else ""),
        advanced=key not in _BASIC,
        restart=key in _AT_START,
    )


def _kind(info: FieldInfo) -> str:
    kind = info.annotation
    if get_origin(kind) is tuple:
        return "list"
    if isinstance(kind, type) and issubclass(kind, Enum):
        return "str"
    return kind.__name__ if isinstance(kind, type) else "str"


def _choices(info: FieldInfo, pattern: str) -> tuple[str, ...]:
    kind = info.annotation
    if isinstance(kind, type) and issubclass(kind, Enum):
        return tuple(str(member.value) for member in kind)
    words = re.fullmatch(r"\^\(([\w-]+(?:\|[\w-]+)*)\)\$", pattern)
    return tuple(words[1].split("|")) if words else ()

"""The reference of all errors and settings, from the code and the catalogue: for the program's help and for `docs/reference/`."""

import json
import re
from collections.abc import Callable
from dataclasses import dataclass
from enum import Enum

from agent.domain.errors import leaves
from agent.infrastructure.core.i18n import FALLBACK, Texts
from agent.infrastructure.core.setting_fields import SettingField, setting_fields
from agent.infrastructure.core.settings import Settings


@dataclass(frozen=True, slots=True)
class SettingFacts:
    key: str
    default: str
    allowed: str
    title: str
    help: str


@dataclass(frozen=True, slots=True)
class HelpPart:
    """A part with its own heading. `id` is the same in all languages, so that links work in all of them."""

    id: str
    title: str
    text: tuple[str, ...] = ()
    rows: tuple[SettingFacts, ...] = ()


@dataclass(frozen=True, slots=True)
class HelpReference:
    """A page. In its texts `code` stands between backticks."""

    title: str
    intro: tuple[str, ...]
    columns: tuple[str, ...]  # of the table of settings
    parts: tuple[HelpPart, ...]


def errors(texts: Texts) -> HelpReference:
    """All error codes."""
    parts = []
    for code in sorted(leaves()):
        told = (re.sub(r"\{(\w+)\}", r"‹\1›", texts(f"errors.{code}.{part}")) for part in ("cause", "remedy"))
        parts.append(HelpPart(code, f"`{code}`", text=tuple(told)))
    return HelpReference(texts("reference.errors"), (texts("reference.errors_intro"),), (), tuple(parts))


def settings(texts: Texts) -> HelpReference:
    """All settings, including those of watched folders."""
    english = Texts(FALLBACK)
    parts = []
    for section in Settings.model_fields:
        within = [field for field in setting_fields().values() if field.key.replace("[]", "").split(".")[0] == section]
        title = f"settings.{section}.title"
        parts.append(HelpPart(_slug(english(title)), texts(title), rows=tuple(_told(field, texts) for field in within)))
    intro = tuple(texts(f"reference.settings_{about}") for about in ("where", "order", "home"))
    columns = tuple(texts(f"reference.column_{name}") for name in ("setting", "default", "allowed", "help"))
    return HelpReference(texts("reference.settings"), intro, columns, tuple(parts))


PAGES: dict[str, Callable[[Texts], HelpReference]] = {"errors": errors, "settings": settings}


def _slug(title: str) -> str:
    """The id of a heading in rendered Markdown."""
    return re.sub(r"\s+", "-", re.sub(r"[^\w. -]", "", title.lower()).strip())


def _told(field: SettingField, texts: Texts) -> SettingFacts:
    words = f"settings.{field.key.replace('[]', '')}"
    return SettingFacts(field.key, _default(field, texts), _allowed(field, texts), texts(f"{words}.title"), texts(f"{words}.help"))


def _default(field: SettingField, texts: Texts) -> str:
    if field.default is None:
        return texts("reference.required")
    value = field.default.value if isinstance(field.default, Enum) else field.default
    return f"`{json.dumps(list(value) if isinstance(value, tuple) else value)}`"


def _allowed(field: SettingField, texts: Texts) -> str:
    if field.choices:
        titles = {choice: texts(f"settings.{field.key.replace('[]', '')}.choice_{choice}") for choice in field.choices}
        return ", ".join(
            f"`{choice}`" if choice == title else texts("reference.choice", choice=choice, title=title) for choice, title in titles.items()
        )
    if field.kind == "bool":
        return "`true`, `false`"
    if field.minimum is not None and field.maximum is not None:
        span = texts("reference.inside" if field.open_interval else "reference.range", low=field.minimum, high=field.maximum)
        return f"{span} {texts(f'settings.unit.{field.unit}')}" if field.unit else span
    if field.examples:
        return texts("reference.example", values=", ".join(f"`{example}`" for example in field.examples))
    return texts("reference.any")

"""Turns raw settings into a validated snapshot, or into errors that name the setting and its valid values."""

import re
import tomllib
from collections.abc import Iterator, Mapping, Sequence
from typing import TYPE_CHECKING

from pydantic import ValidationError

from agent.domain.errors import Param, SettingsError, SettingsInvalid, SettingsUnknownKey, SettingsUnreadable
from agent.infrastructure.core.setting_fields import nearest_key, setting_fields
from agent.infrastructure.core.settings import Settings

if TYPE_CHECKING:
    from pydantic_core import ErrorDetails

Raw = dict[str, object]
# Errors that the parser raises besides TOMLDecodeError (a ValueError): numbers with thousands of digits, thousands of brackets.
_NO_TOML = (ValueError, RecursionError)
# The parser's time grows with the square of a key's parts, of which settings have three: no more than these are parsed.
_MOST_PARTS = 50
_APART = re.compile(r'"(?:[^"\\\n]|\\.)*+"?|\'[^\'\n]*+\'?|#[^\n]*+')
_DEEP_KEY = re.compile(rf"(?:\.[ \t]*+[\w-]++[ \t]*+){{{_MOST_PARTS}}}")

# pydantic's error type -> the kind of reason; the texts are `settings.reason.<kind>` in the catalogues.
_REASONS = {
    "bool_parsing": "yes_no",
    "bool_type": "yes_no",
    "float_parsing": "number",
    "float_type": "number",
    "finite_number": "number",
    "inside_itself": "outside",
    "int_from_float": "whole_number",
    "int_parsing": "whole_number",
    "int_parsing_size": "whole_number",
    "int_type": "whole_number",
    "list_type": "list",
    "missing": "missing",
    "model_type": "table",
    "network": "network",
    "not_absolute": "absolute",
    "not_as_typed": "backslash",
    "string_too_long": "too_long",
    "string_too_short": "empty",
    "string_type": "text",
    "tuple_type": "list",
    "web_address": "web_address",
}


def validated(*layers: Mapping[str, object]) -> Settings:
    """Return the settings of these layers; later ones take precedence. Raises the first of their SettingsErrors."""
    try:
        return Settings.model_validate(merged(*layers))
    except ValidationError as error:
        # `from None`: pydantic's message contains the values, which may be paths.
        raise next(_translated(error)) from None


def problems(*layers: Mapping[str, object]) -> list[SettingsError]:
    """Return all errors of these layers together."""
    try:
        Settings.model_validate(merged(*layers))
    except ValidationError as error:
        return list(_translated(error))
    return []


def merged(*layers: Mapping[str, object]) -> Raw:
    """Merge into one tree; if two layers set the same value, the later one wins. Lists are replaced whole."""
    whole: Raw = {}
    for layer in layers:
        for key, value in layer.items():
            below = whole.get(key)
            if isinstance(value, Mapping):
                whole[key] = merged(below if isinstance(below, Mapping) else {}, value)
            else:
                whole[key] = value
    return whole


def parsed(text: bytes) -> Raw:
    """Parse a settings file. Raises SettingsUnreadable with the line."""
    try:
        return merged(_loads(text.decode("utf-8-sig")))
    except UnicodeDecodeError as error:
        raise SettingsUnreadable(line=text.count(b"\n", 0, error.start) + 1) from None
    except _NO_TOML as error:
        found = re.search(r"at line (\d+)", str(error))
        line = int(found[1]) if found else text.count(b"\n") + 1
        raise SettingsUnreadable(line=line, **_hint(text.splitlines()[line - 1 : line])) from None


def _loads(text: str) -> Raw:
    """Raises ValueError or RecursionError."""
    unquoted = _APART.sub("q", text)  # dots in quotes and comments part nothing
    if deep := _DEEP_KEY.search(unquoted):
        raise ValueError(f"key of too many parts (at line {unquoted.count(chr(10), 0, deep.start()) + 1})")
    return tomllib.loads(text)


def _hint(lines: Sequence[bytes]) -> dict[str, Param]:
    r"""Return what chooses the remedy for a Windows path in double quotes, where `\U` and `\p` are no characters."""
    return {"backslash": 1} if any(re.search(rb'=\s*\[?\s*"[^"]*\\', line) for line in lines) else {}


def parsed_value(text: str) -> object:
    """Parse a value from the command line or a variable: TOML if valid, otherwise the text itself."""
    try:
        found = _loads(f"value = {text}")
    except _NO_TOML:
        return text
    return found["value"] if len(found) == 1 else text


def nested(keys: Sequence[str], value: object) -> Raw:
    """Nest `value` below the keys: (["a", "b"], 1) -> {"a": {"b": 1}}."""
    for key in reversed(keys):
        value = {key: value}
    return value if isinstance(value, dict) else {}


def check_key(key: str) -> list[str]:
    """Return the parts of a setting's key. Raises SettingsUnknownKey."""
    section, _, name = key.partition(".")
    info = Settings.model_fields.get(section)
    model = info.annotation if info else None
    fields = getattr(model, "model_fields", None)
    if info is None or (name and (fields is None or name not in fields)) or (fields is not None and not name):
        if section.partition("[")[0] == "folders" and section != "folders":
            raise SettingsUnknownKey(key=key, folder=1)
        if info is not None and not name:
            raise SettingsUnknownKey(key=key, section=key)
        raise SettingsUnknownKey(key=key, nearest=nearest_key(key))
    return key.split(".")


def dotted(layer: Mapping[str, object], above: str = "") -> Iterator[str]:
    """Yield the keys of a layer: {"a": {"b": 1}} -> "a.b"."""
    for key, value in layer.items():
        if isinstance(value, Mapping):
            yield from dotted(value, f"{above}{key}.")
        else:
            yield above + key


def _translated(error: ValidationError) -> Iterator[SettingsError]:
    for detail in error.errors(include_url=False, include_context=True, include_input=False):
        key = _dotted(detail["loc"])
        if detail["type"] == "extra_forbidden":
            yield SettingsUnknownKey(key=key, nearest=nearest_key(key))
        else:
            yield SettingsInvalid(key=key, **_reason(key, detail))


def _dotted(location: Sequence[int | str]) -> str:
    return "".join(f"[{part}]" if isinstance(part, int) else f".{part}" for part in location).removeprefix(".")


def _reason(key: str, detail: "ErrorDetails") -> dict[str, Param]:
    """Return what the value must be, as a reason kind and the parameters of its text."""
    name = re.sub(r"\[\d+\]", "[]", key)
    field = setting_fields().get(name)
    item_of = setting_fields().get(name.removesuffix("[]")) if field is None else None
    if field is not None and field.minimum is not None and field.maximum is not None and field.kind in ("int", "float"):
        kind = "inside" if field.open_interval else "between_whole" if field.kind == "int" else "between"
        return {"reason": kind, "minimum": field.minimum, "maximum": field.maximum}
    if field is not None and field.choices:
        return {"reason": "one_of", "choices": ", ".join(field.choices)}
    if field is not None and field.examples:
        return {"reason": "like", "choices": ", ".join(field.examples)}
    if item_of is not None and item_of.item_examples:
        return {"reason": "like", "choices": ", ".join(item_of.item_examples)}
    limit = detail.get("ctx", {}).get("max_length")
    return {"reason": _REASONS.get(detail["type"], "other"), **({"maximum": limit} if isinstance(limit, int) else {})}

"""The settings that come from variables: `AI_POPUP__SECTION__NAME`, or `AI_POPUP__SECTION__NAME_FILE` for a file that holds the value."""

import os
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from agent.domain.errors import SettingsGivenTwice, SettingsSecretUnreadable
from agent.infrastructure.core.config_check import Raw, dotted, merged, nested, parsed_value
from agent.infrastructure.core.files import FileTooLarge, read_regular
from agent.infrastructure.core.setting_section import Section
from agent.infrastructure.core.settings import Settings

PREFIX: Final = "AI_POPUP__"
_SUFFIX: Final = "_file"
_MOST_BYTES: Final = 65_536


@dataclass(frozen=True, slots=True)
class _Given:
    """One variable. `text` is its value, or the path of the file that holds the value."""

    keys: tuple[str, ...]
    text: str
    in_file: bool

    @property
    def key(self) -> str:
        return ".".join(self.keys)

    @property
    def variable(self) -> str:
        return _variable(self.keys) + (_SUFFIX.upper() if self.in_file else "")


def from_environment(environ: Mapping[str, str] = os.environ) -> Raw:
    """Return the layer of the variables; files are read anew. Raises SettingsGivenTwice, SettingsSecretUnreadable."""
    given = list(_given(environ))
    in_files = {each.keys for each in given if each.in_file}
    layer: Raw = {}
    for each in given:
        if not each.in_file and each.keys in in_files:
            raise SettingsGivenTwice(key=each.key, variable=_variable(each.keys))
        layer = merged(layer, nested(each.keys, _content(each) if each.in_file else parsed_value(each.text)))
    return layer


def of_section(section: str, environ: Mapping[str, str]) -> Mapping[str, str]:
    """Return the variables of one section."""
    return {name: text for name, text in environ.items() if name.upper().startswith(f"{PREFIX}{section.upper()}__")}


def overridden_in(environ: Mapping[str, str]) -> dict[str, str]:
    """Return the settings that variables override, `section.name` and "folders", each with its variable. No file is read."""
    return {
        key: each.variable for each in _given(environ) for key in dotted(nested(each.keys, "" if each.in_file else parsed_value(each.text)))
    }


def _given(environ: Mapping[str, str]) -> Iterator[_Given]:
    for name, text in environ.items():
        if not name.upper().startswith(PREFIX):
            continue
        keys = tuple(name[len(PREFIX) :].lower().split("__"))
        held = (*keys[:-1], keys[-1].removesuffix(_SUFFIX))
        # A setting may itself end in `_file`; then the variable holds its value.
        in_file = held != keys and not _is_setting(keys) and _is_setting(held)
        yield _Given(held if in_file else keys, text, in_file)


def _is_setting(keys: tuple[str, ...]) -> bool:
    info = Settings.model_fields.get(keys[0])
    fields = _fields(info.annotation) if info else None
    return info is not None and (len(keys) == 1 if fields is None else len(keys) == 2 and keys[1] in fields)


def _fields(kind: object) -> Mapping[str, object] | None:
    """Return the settings of a section; None if it is a list, as `folders` is."""
    return kind.model_fields if isinstance(kind, type) and issubclass(kind, Section) else None


def _content(given: _Given) -> object:
    """Return the value in the file, without the line break at its end. A text setting takes it as it is, others as TOML."""
    try:
        text = read_regular(Path(given.text), _MOST_BYTES)[0].decode("utf-8-sig").rstrip("\r\n")
    except (OSError, ValueError, FileTooLarge):
        # `from None`: the system's message contains the path.
        raise SettingsSecretUnreadable(key=given.key, variable=given.variable) from None
    if not text.strip():  # left by a script that failed: as a value, it would start a server with another database
        raise SettingsSecretUnreadable(key=given.key, variable=given.variable, empty=1)
    return text if _is_text(given.keys) else parsed_value(text)


def _is_text(keys: tuple[str, ...]) -> bool:
    section = Settings.model_fields[keys[0]].annotation
    return isinstance(section, type) and issubclass(section, Section) and section.model_fields[keys[1]].annotation is str


def _variable(keys: tuple[str, ...]) -> str:
    return PREFIX + "__".join(keys).upper()

"""`ai-popup config`: shows, changes and checks the settings."""

import json
from typing import Any

import click

from agent.domain.errors import SettingsError, SettingsUnknownKey
from agent.infrastructure.core.config_check import check_key, parsed_value
from agent.infrastructure.core.setting_fields import nearest_key, setting_fields, waits_for_start
from agent.infrastructure.core.settings import KeyHome
from agent.interfaces.cli.command import CommandGroup, json_option
from agent.interfaces.cli.confirm import confirm, yes_option
from agent.interfaces.cli.language import TEXTS
from agent.interfaces.cli.output import note, say, tell
from agent.interfaces.cli.session import CommandSession


def _keys(_: click.Context, __: click.Parameter, begun: str) -> list[str]:
    return [key for key in setting_fields() if key.startswith(begun) and "[" not in key]


def _sections_and_keys(context: click.Context, parameter: click.Parameter, begun: str) -> list[str]:
    keys = _keys(context, parameter, "")
    found = dict.fromkeys([*(key.partition(".")[0] for key in keys), *keys])
    # All keys of a section would hide that the section itself can be shown.
    return [name for name in found if name.startswith(begun) and ("." in begun or "." not in name)]


@click.group(cls=CommandGroup, help=TEXTS("cli.help.config"))
def config() -> None: ...


@config.command(help=TEXTS("cli.help.config_show"))
@click.argument("key", required=False, shell_complete=_sections_and_keys)
@json_option()
@click.pass_obj
def show(session: CommandSession, key: str | None, as_json: bool) -> None:
    import tomlkit

    value: Any = session.settings.model_dump(mode="json")
    for part in key.split(".") if key is not None else ():
        value = _part(session, value, part, key or "")
    if as_json:
        say(json.dumps(value, ensure_ascii=False))
        return
    lists = {"folders": value} if isinstance(value, list) and all(isinstance(each, dict) for each in value) else value
    text = tomlkit.dumps(lists) if isinstance(lists, dict) else tomlkit.item(lists).as_string()
    say(*text.rstrip().split("\n"))


def _part(session: CommandSession, value: Any, part: str, key: str) -> Any:
    """A section, a setting, or a watched folder by its number: `folders[0]`. Raises SettingsUnknownKey."""
    name, _, number = part.partition("[")
    if isinstance(value, dict) and name in value:
        value = value[name]
        if not number:
            return value
        digits = number.removesuffix("]")
        if isinstance(value, list) and digits.isdecimal() and int(digits) < len(value):
            return value[int(digits)]
    check_key(key)
    raise SettingsUnknownKey(key=key, nearest=nearest_key(key))


@config.command(name="set", help=TEXTS("cli.help.config_set"))
@click.argument("key", shell_complete=_keys)
@click.argument("value")
@yes_option
@json_option()
@click.pass_obj
def set_value(session: CommandSession, key: str, value: str, yes: bool, as_json: bool) -> None:
    if not yes and _ends_recognition(session, key, value):
        confirm(session.texts, session.texts("cli.config.sure_recognition"), yes=False)
    meant = parsed_value(value)  # with or without quotes
    if key == "library.key_home" and isinstance(meant, str) and meant in set(KeyHome):
        from agent.app.library_home import move_key

        move_key(session.file, session.paths, KeyHome(meant))
    else:
        session.file.set(key, value)
    if as_json:
        section, _, name = key.partition(".")
        whole = session.file.snapshot.model_dump(mode="json")[section]
        say(json.dumps({"key": key, "value": whole[name] if name else whole}, ensure_ascii=False))
    else:
        note(session.texts("cli.config.saved", key=key))
        if waits_for_start(key, server=session.has_server):
            note(session.texts("ui.settings.restart"))


def _ends_recognition(session: CommandSession, key: str, value: str) -> bool:
    """Whether face embeddings would be deleted, all or those of a folder. Raises SettingsError for an invalid value."""
    try:
        before = session.settings
    except SettingsError:
        return False  # no valid settings in force, so recognition can't end
    from agent.features.library.recipes import recognition_ends  # loads the database library, which no other command here needs

    return recognition_ends(before, session.file.preview(key, value))


@config.command(help=TEXTS("cli.help.config_validate"))
@json_option()
@click.pass_obj
def validate(session: CommandSession, as_json: bool) -> int:
    problems = session.file.problems()
    if as_json:
        told = [{"code": each.code, **each.params, "cause": session.texts.cause(each)} for each in problems]
        say(json.dumps({"valid": not problems, "problems": told}, ensure_ascii=False))
        return 1 if problems else 0
    for problem in problems:
        session.explain(problem)
    if not problems:
        say(session.texts("cli.config.valid"))
    return 1 if problems else 0


@config.command(help=TEXTS("cli.help.config_path"))
@json_option()
@click.pass_obj
def path(session: CommandSession, as_json: bool) -> None:
    tell({"path": str(session.paths.settings)}, str(session.paths.settings), as_json=as_json)

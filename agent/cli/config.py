"""`ai-popup config`: look at, change and check the settings."""

import click

from agent.adapters.config_check import parsed_value
from agent.app.rules import recognition_ends
from agent.cli.confirm import confirm, yes_option
from agent.cli.output import note, say
from agent.cli.session import Session
from agent.domain.errors import SettingsError
from agent.i18n import Texts
from agent.settings import KeyHome

TEXTS = Texts()


@click.group(help=TEXTS("cli.help.config"))
def config() -> None: ...


@config.command(help=TEXTS("cli.help.config_show"))
@click.argument("key", required=False)
@click.pass_obj
def show(session: Session, key: str | None) -> None:
    import tomlkit

    whole = session.settings.model_dump(mode="json")
    if key is None:
        say(*tomlkit.dumps(whole).rstrip().split("\n"))
        return
    value: object = whole
    for part in session.file.check_key(key):
        value = value[part] if isinstance(value, dict) else value
    say(*(tomlkit.dumps(value) if isinstance(value, dict) else tomlkit.item(value).as_string()).rstrip().split("\n"))


@config.command(name="set", help=TEXTS("cli.help.config_set"))
@click.argument("key")
@click.argument("value")
@yes_option
@click.pass_obj
def set_value(session: Session, key: str, value: str, yes: bool) -> None:
    if not yes and _ends_recognition(session, key, value):
        confirm(session.texts, session.texts("cli.config.sure_recognition"), yes=False)
    meant = parsed_value(value)  # with quotes or without
    if key == "library.key_home" and isinstance(meant, str) and meant in set(KeyHome):
        from agent.bootstrap import move_key

        move_key(session.file, session.paths, KeyHome(meant))
    else:
        session.file.set(key, value)
    note(session.texts("cli.config.saved", key=key))


def _ends_recognition(session: Session, key: str, value: str) -> bool:
    """Whether face prints would be deleted, everywhere or of a folder. Raises SettingsError for a value that is refused."""
    try:
        before = session.settings
    except SettingsError:
        return False  # nothing is in force that could end
    return recognition_ends(before, session.file.preview(key, value))


@config.command(help=TEXTS("cli.help.config_validate"))
@click.pass_obj
def validate(session: Session) -> int:
    problems = session.file.problems()
    for problem in problems:
        session.explain(problem)
    if not problems:
        say(session.texts("cli.config.valid"))
    return 1 if problems else 0


@config.command(help=TEXTS("cli.help.config_path"))
@click.pass_obj
def path(session: Session) -> None:
    say(str(session.paths.settings))

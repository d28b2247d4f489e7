"""`ai-popup sessions`: lists the browsers signed in to the running agent, and signs them out."""

from typing import TYPE_CHECKING

import click

from agent.domain.errors import NotFound
from agent.interfaces.cli.command import CommandGroup, json_option
from agent.interfaces.cli.language import TEXTS
from agent.interfaces.cli.output import say, tell
from agent.interfaces.cli.session import CommandSession

if TYPE_CHECKING:
    from agent.interfaces.web.client import Client


@click.group(cls=CommandGroup, help=TEXTS("cli.help.sessions"))
def sessions() -> None: ...


@sessions.command("list", help=TEXTS("cli.help.sessions_list"))
@json_option()
@click.pass_obj
def list_sessions(session: CommandSession, as_json: bool) -> None:
    found, texts = _of_this_computer(session).sessions(), session.texts
    if as_json:
        say(found.model_dump_json())
        return
    for each in found.items:
        opened, seen = (f"{at.astimezone():%Y-%m-%d %H:%M}" for at in (each.opened_at, each.seen_at))
        browser = each.browser or texts("cli.sessions.unknown")
        say(texts("cli.sessions.line", number=each.number, browser=browser, opened=opened, seen=seen))
    if not found.items:
        say(texts("cli.sessions.none"))


@sessions.command(help=TEXTS("cli.help.sessions_end"))
@click.argument("number", type=click.IntRange(min=1), required=False)
@click.option("--all", "every", is_flag=True, help=TEXTS("cli.help.sessions_all"))
@json_option()
@click.pass_obj
def end(session: CommandSession, number: int | None, every: bool, as_json: bool) -> None:
    if (number is not None) == every:
        raise click.UsageError(session.texts("cli.sessions.one_way"))
    try:
        count = _of_this_computer(session).end_sessions(number).count
    except NotFound as error:
        raise click.ClickException(session.texts("cli.sessions.unknown_number", number=number or 0)) from error
    tell({"ended": count}, session.texts("cli.sessions.ended", count=count), as_json=as_json)


def _of_this_computer(session: CommandSession) -> "Client":
    """Raises NotRunning; ClickException on a team server, whose browsers are signed in as members."""
    if session.is_served:
        raise click.ClickException(session.texts("cli.sessions.of_members"))
    return session.client()

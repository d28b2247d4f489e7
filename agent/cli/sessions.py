"""`ai-popup sessions`: the browsers that are signed in to the running agent, and signing them out."""

import click

from agent.cli.output import say
from agent.cli.session import Session
from agent.i18n import Texts

TEXTS = Texts()


@click.group(help=TEXTS("cli.help.sessions"))
def sessions() -> None: ...


@sessions.command("list", help=TEXTS("cli.help.sessions_list"))
@click.option("--json", "as_json", is_flag=True, help=TEXTS("cli.help.json_one"))
@click.pass_obj
def list_sessions(session: Session, as_json: bool) -> None:
    found, texts = session.client().sessions(), session.texts
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
@click.pass_obj
def end(session: Session, number: int | None, every: bool) -> None:
    if (number is not None) == every:
        raise click.UsageError(session.texts("cli.sessions.one_way"))
    say(session.texts("cli.sessions.ended", count=session.client().end_sessions(number).count))

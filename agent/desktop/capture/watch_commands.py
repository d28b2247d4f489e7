"""`ai-popup watch`: switches screen watching on or off, pauses it, and manages who may be named."""

from datetime import UTC, datetime

import click

from agent.domain.errors import NotRunning
from agent.interfaces.cli.command import Command, CommandGroup, json_option
from agent.interfaces.cli.language import TEXTS
from agent.interfaces.cli.output import say, tell
from agent.interfaces.cli.session import CommandSession


@click.group(cls=CommandGroup, help=TEXTS("cli.help.watch"))
def watch() -> None: ...


@watch.command(help=TEXTS("cli.help.watch_on"))
@json_option()
@click.pass_obj
def on(session: CommandSession, as_json: bool) -> None:
    _switch(session, on=True, as_json=as_json)


@watch.command(help=TEXTS("cli.help.watch_off"))
@json_option()
@click.pass_obj
def off(session: CommandSession, as_json: bool) -> None:
    _switch(session, on=False, as_json=as_json)


def _switch(session: CommandSession, *, on: bool, as_json: bool) -> None:
    from agent.desktop.capture.schemas import WatchSwitch
    from agent.desktop.capture.watch import SWITCH

    texts = session.texts
    try:
        session.client().tell("PUT", "/api/watch", WatchSwitch(on=on))
    except NotRunning:
        if on:
            session.program.check_screen()
        session.file.put(SWITCH, on)
        tell({"on": on, "running": False}, texts("cli.watch.later" if on else "cli.watch.off"), as_json=as_json)
    else:
        tell({"on": on, "running": True}, texts("cli.watch.on" if on else "cli.watch.off"), as_json=as_json)


@watch.command(help=TEXTS("cli.help.watch_pause"))
@click.argument("minutes", type=click.IntRange(1, 10_080), required=False)
@click.option("--until-tomorrow", is_flag=True, help=TEXTS("cli.help.watch_tomorrow"))
@click.option("--end", is_flag=True, help=TEXTS("cli.help.watch_end"))
@json_option()
@click.pass_obj
def pause(session: CommandSession, minutes: int | None, until_tomorrow: bool, end: bool, as_json: bool) -> None:
    if (minutes is not None) + until_tomorrow + end != 1:
        raise click.UsageError(session.texts("cli.watch.one_way"))
    client = session.client()
    client.post("/api/watch/snooze", {"minutes": minutes, "until_tomorrow": until_tomorrow})
    tell({"paused": not end}, session.texts("cli.watch.again" if end else "cli.watch.paused"), as_json=as_json)


# Its former name, for scripts.
watch.add_command(Command("snooze", params=pause.params, callback=pause.callback, help=pause.help, hidden=True))


@watch.command(help=TEXTS("cli.help.watch_status"))
@click.option("--json", "as_json", is_flag=True, help=TEXTS("cli.help.json_one"))
@click.pass_obj
def status(session: CommandSession, as_json: bool) -> None:
    from agent.desktop.capture.schemas import WatchOut

    now, texts = session.client().call("GET", "/api/watch", WatchOut), session.texts
    if as_json:
        say(now.model_dump_json())
        return
    until = texts.moment(now.until, datetime.now(UTC)) if now.until else ""
    say(texts(f"ui.watch.state.{now.state}", time=until))
    if now.problem:
        say(f"{session.sentences(now.problem.cause, now.problem.remedy)} [{now.problem.code}]")
    for said in now.said:
        say(f"{said.at.astimezone():%H:%M}  {said.text}")


@watch.command(help=TEXTS("cli.help.watch_allow"))
@click.argument("name")
@json_option()
@click.pass_obj
def allow(session: CommandSession, name: str, as_json: bool) -> None:
    _agree(session, name, agreed=True, as_json=as_json)


@watch.command(help=TEXTS("cli.help.watch_forbid"))
@click.argument("name")
@json_option()
@click.pass_obj
def forbid(session: CommandSession, name: str, as_json: bool) -> None:
    _agree(session, name, agreed=False, as_json=as_json)


def _agree(session: CommandSession, name: str, *, agreed: bool, as_json: bool) -> None:
    from agent.features.people.edit_schemas import DescribePerson
    from agent.features.people.find_commands import person_of
    from agent.features.people.queries.people_queries import PeopleQueries
    from agent.features.people.schemas import Edited
    from agent.interfaces.cli.in_process_app import backend

    with session.library(PeopleQueries, checked=True) as library:
        person_id = person_of(library, name).id
    with backend(session) as able:
        able.post_long("/api/people/edits", Edited, DescribePerson(kind="describe", person_id=person_id, watch=agreed))
    told = session.texts("cli.watch.allowed" if agreed else "cli.watch.forbidden", name=name)
    tell({"name": name, "agreed": agreed}, told, as_json=as_json)

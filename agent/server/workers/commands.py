"""`ai-popup workers`: what works for the team server on this machine, and what waits."""

from typing import TYPE_CHECKING
from urllib.parse import quote

import click

from agent.domain.errors import NotFound
from agent.interfaces.cli.command import CommandGroup, json_option
from agent.interfaces.cli.language import TEXTS
from agent.interfaces.cli.output import note, tell
from agent.interfaces.cli.session import CommandSession, of_server

if TYPE_CHECKING:
    from collections.abc import Iterator

    from agent.server.workers.schemas import WorkerOut


@click.group(cls=CommandGroup, help=TEXTS("cli.help.workers"))
def workers() -> None: ...


@workers.command("list", help=TEXTS("cli.help.workers_list"))
@json_option("json_each")
@click.pass_obj
def list_workers(session: CommandSession, as_json: bool) -> None:
    from agent.server.workers.schemas import Queue, Workers

    client = session.server()
    found = of_server(session, client, "/api/workers", Workers).items
    for each in found:
        tell(each.model_dump(mode="json"), *_lines(session, each), as_json=as_json)
    if as_json:
        return
    if all(each.state == "gone" for each in found):
        note(session.texts("team_page.workers.nobody"))
    parts = client.call("GET", "/api/queue", Queue).items
    waiting, running, failed = (sum(getattr(part, name) for part in parts) for name in ("waiting", "running", "failed"))
    note(session.texts("cli.workers.queue", waiting=waiting, running=running, failed=failed))


@workers.command(help=TEXTS("cli.help.workers_drain"))
@click.argument("name")
@json_option()
@click.pass_obj
def drain(session: CommandSession, name: str, as_json: bool) -> None:
    from agent.server.workers.schemas import Workers

    client = session.server()
    of_server(session, client, "/api/workers", Workers)
    try:
        client.post(f"/api/workers/{quote(name, safe='')}/drain")
    except NotFound as error:
        raise click.BadParameter(session.texts("cli.workers.unknown", name=name), param_hint="NAME") from error
    tell({"name": name, "draining": True}, session.texts("cli.workers.draining", name=name), as_json=as_json)


def _lines(session: CommandSession, each: "WorkerOut") -> "Iterator[str]":
    texts = session.texts
    state = texts("team_page.workers.drains" if each.state == "draining" else f"team_page.workers.{each.state}")
    done, rate = texts("team_page.workers.done", count=each.done), texts("team_page.workers.rate", rate=round(each.rate))
    failed = (texts("team_page.workers.errors", count=each.errors),) if each.errors else ()
    yield "  ".join((each.name, state, done, rate, *failed, each.host))
    if each.problem is not None:
        yield f"    {session.sentences(each.problem.cause, each.problem.remedy)} [{each.problem.code}]"

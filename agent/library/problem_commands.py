"""`ai-popup problems`: lists files that could not be scanned, with reasons."""

import json
from collections.abc import Iterator
from typing import TYPE_CHECKING

import click

from agent.cli.command import CommandGroup, json_option
from agent.cli.output import note, say, tell
from agent.cli.own_texts import TEXTS
from agent.cli.session import CommandSession

if TYPE_CHECKING:
    from agent.library.queries.library_queries import LibraryQueries
    from agent.library.schemas import PlaceProblem

PAGE = 500


@click.group(cls=CommandGroup, help=TEXTS("cli.help.problems"))
def problems() -> None: ...


@problems.command(name="list", help=TEXTS("cli.help.problems_list"))
@click.option("--folder", type=click.Path(), help=TEXTS("cli.help.problems_folder"))
@click.option("--online-only", is_flag=True, help=TEXTS("cli.help.problems_online_only"))
@json_option("json_each")
@click.pass_obj
def list_problems(session: CommandSession, folder: str | None, online_only: bool, as_json: bool) -> None:
    """Read from the library, also while the agent runs, because a list changes nothing."""
    from agent.cli.backend import absolute
    from agent.library.queries.library_queries import LibraryQueries

    root, count = None if folder is None else absolute((folder,))[0], 0
    with session.library(LibraryQueries) as library:
        for each in _found(session, library, root, online_only=online_only):
            count += 1
            if as_json:
                facts = {"path": each.path, "code": each.problem.code, "cause": each.problem.cause, "remedy": each.problem.remedy}
                say(json.dumps(facts | {"quarantined": each.quarantined, "at": each.at.isoformat()}, ensure_ascii=False))
            elif online_only:
                say(each.path)
            else:
                say(f"{each.path}: {session.sentences(each.problem.cause, each.problem.remedy)} [{each.problem.code}]")
    if not as_json:
        note(session.texts("cli.problems.online_only" if online_only else "cli.problems.count", count=count))


def _found(session: CommandSession, library: "LibraryQueries", folder: str | None, *, online_only: bool) -> "Iterator[PlaceProblem]":
    from agent.library.schemas import PlaceProblem

    read, offset = library.deferred if online_only else library.problems, 0
    while items := read(limit=PAGE, offset=offset, folder=folder).items:
        yield from (PlaceProblem.of(each, session.texts) for each in items)
        offset += len(items)


@problems.command(help=TEXTS("cli.help.problems_retry"))
@json_option()
@click.pass_obj
def retry(session: CommandSession, as_json: bool) -> None:
    """Retry with the running agent; without one the files are retried at its next start."""
    from agent.domain.errors import NotRunning
    from agent.library.queries.library_queries import LibraryQueries

    try:
        session.client().post("/api/problems/retry")
    except NotRunning:
        with session.alone(), session.library(LibraryQueries) as library:
            library.retry(None)
        tell({"at_once": False}, session.texts("cli.problems.retry_later"), as_json=as_json)
    else:
        tell({"at_once": True}, session.texts("cli.problems.retried"), as_json=as_json)

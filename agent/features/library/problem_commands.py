"""`ai-popup problems`: lists files that could not be scanned, with reasons."""

import json
from collections.abc import Callable, Iterator, Sequence
from contextlib import closing, contextmanager
from typing import TYPE_CHECKING, TypeAlias
from urllib.parse import urlencode

import click

from agent.interfaces.cli.command import CommandGroup, json_option
from agent.interfaces.cli.language import TEXTS
from agent.interfaces.cli.output import note, say, tell
from agent.interfaces.cli.session import CommandSession

if TYPE_CHECKING:
    from agent.features.library.schemas import PlaceProblem

    Reader: TypeAlias = Callable[[int], Sequence[PlaceProblem]]

PAGE = 500
SERVED_PAGE = 200  # the most that the API gives at once


@click.group(cls=CommandGroup, help=TEXTS("cli.help.problems"))
def problems() -> None: ...


@problems.command(name="list", help=TEXTS("cli.help.problems_list"))
@click.option("--folder", type=click.Path(), help=TEXTS("cli.help.problems_folder"))
@click.option("--online-only", is_flag=True, help=TEXTS("cli.help.problems_online_only"))
@json_option("json_each")
@click.pass_obj
def list_problems(session: CommandSession, folder: str | None, online_only: bool, as_json: bool) -> None:
    """Read from the library, also while the agent runs, because a list changes nothing; a team server is asked."""
    from agent.interfaces.cli.in_process_app import absolute

    root, count = None if folder is None else absolute((folder,))[0], 0
    with _reader(session, root, online_only=online_only) as read:
        for each in _all(read):
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


@contextmanager
def _reader(session: CommandSession, folder: str | None, *, online_only: bool) -> "Iterator[Reader]":
    """Yield what returns the files of a page from an offset on."""
    from agent.features.library.queries.library_queries import LibraryQueries
    from agent.features.library.schemas import PlaceProblem, PlaceProblems

    if session.is_served:
        path, wanted = ("/api/online-only" if online_only else "/api/problems"), {"limit": SERVED_PAGE}
        with closing(session.server()) as client:

            def asked(offset: int) -> "Sequence[PlaceProblem]":
                query = urlencode(wanted | {"offset": offset} | ({} if folder is None else {"folder": folder}))
                return client.call("GET", f"{path}?{query}", PlaceProblems).items

            yield asked
        return
    with session.library(LibraryQueries) as library:
        read = library.deferred if online_only else library.problems
        yield lambda offset: [PlaceProblem.of(each, session.texts) for each in read(limit=PAGE, offset=offset, folder=folder).items]


def _all(read: "Reader") -> "Iterator[PlaceProblem]":
    offset = 0
    while items := read(offset):
        yield from items
        offset += len(items)


@problems.command(help=TEXTS("cli.help.problems_retry"))
@json_option()
@click.pass_obj
def retry(session: CommandSession, as_json: bool) -> None:
    """Retry with the running agent; without one the files are retried at its next start."""
    from agent.domain.errors import NotRunning
    from agent.features.library.queries.library_queries import LibraryQueries

    try:
        session.client().post("/api/problems/retry")
    except NotRunning:
        with session.alone(), session.library(LibraryQueries) as library:
            library.retry(None)
        tell({"at_once": False}, session.texts("cli.problems.retry_later"), as_json=as_json)
    else:
        tell({"at_once": True}, session.texts("cli.problems.retried"), as_json=as_json)

"""`ai-popup libraries add-source` and its neighbours: buckets as sources of the team server that runs on this machine."""

from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final, TypeVar

import click

from agent.interfaces.cli.command import json_option
from agent.interfaces.cli.confirm import confirm, yes_option
from agent.interfaces.cli.language import TEXTS
from agent.interfaces.cli.output import note, print_results, tell
from agent.interfaces.cli.secret_input import ask
from agent.interfaces.cli.session import CommandSession, of_server
from agent.server.libraries.commands import libraries, library_named

if TYPE_CHECKING:
    from agent.interfaces.web.client import Client
    from agent.server.libraries.bucket_schemas import BucketChecked, BucketKeysIn, BucketOut

__all__ = ["libraries"]  # with these commands

F = TypeVar("F", bound=Callable[..., Any])
_ACCESS: Final = ("keys", "anonymous", "role")
_PLACE: Final[tuple[Callable[[Any], Any], ...]] = (
    click.option("--endpoint", default=None, metavar="URL", help=TEXTS("cli.help.libraries_endpoint")),
    click.option("--region", default=None, help=TEXTS("cli.help.libraries_region")),
    click.option("--path-style/--host-style", "path_style", default=None, help=TEXTS("cli.help.libraries_path_style")),
    click.option("--access", type=click.Choice(_ACCESS), default=None, help=TEXTS("cli.help.libraries_access")),
    click.option("--minutes", type=click.IntRange(1, 10_080), default=None, help=TEXTS("cli.help.libraries_minutes")),
    click.option(
        "--certificate",
        type=click.Path(exists=True, dir_okay=False, path_type=Path),
        default=None,
        metavar="FILE",
        help=TEXTS("cli.help.libraries_certificate"),
    ),
)


def _place_options(command: F) -> F:
    for option in reversed(_PLACE):
        command = option(command)
    return command


@libraries.command("add-source", help=TEXTS("cli.help.libraries_add_source"))
@click.argument("library")
@click.argument("address")
@click.option("--name", default="", help=TEXTS("cli.help.libraries_source_name"))
@_place_options
@click.option("--ask-keys/--no-keys", "ask", default=True, help=TEXTS("cli.help.libraries_ask_keys"))
@json_option()
@click.pass_obj
def add_source(session: CommandSession, /, library: str, address: str, name: str, ask: bool, as_json: bool, **place: Any) -> None:
    from agent.server.libraries.bucket_schemas import BucketAdd, BucketOut

    client = session.server()
    found = library_named(session, client, library)
    said = _said(place)
    keys = _keys(session) if ask and said.get("access", "keys") == "keys" else None
    wanted = BucketAdd.model_validate({"library_id": found.id, "address": address, "name": name, "keys": keys, **said})
    made = client.call("POST", "/api/buckets", BucketOut, wanted)
    tell(made.model_dump(mode="json"), session.texts("cli.libraries.source_added", name=made.name, library=found.name), as_json=as_json)
    if not as_json:
        _tell_checked(session, _checked(client, made.name))


@libraries.command("sources", help=TEXTS("cli.help.libraries_sources"))
@json_option("json_each")
@click.pass_obj
def list_sources(session: CommandSession, as_json: bool) -> None:
    found = _all(session, session.server())
    print_results(found, partial(_line, session), session.texts("cli.libraries.no_sources"), as_json=as_json)


@libraries.command("change-source", help=TEXTS("cli.help.libraries_change_source"))
@click.argument("name")
@click.option("--address", default=None, help=TEXTS("cli.help.libraries_address"))
@_place_options
@json_option()
@click.pass_obj
def change_source(session: CommandSession, /, name: str, address: str | None, as_json: bool, **place: Any) -> None:
    from agent.server.libraries.bucket_schemas import BucketChange, BucketOut

    client = session.server()
    said = _said(place) if address is None else {"address": address, **_said(place)}
    if {"address", "endpoint", "region"} & said.keys():
        known = next((each for each in _all(session, client) if each.name == name), None)
        if known is not None and said.get("access", known.access) == "keys":
            said["keys"] = _keys(session)  # those that are kept are good for the place where it was
    changed = client.call("PATCH", f"/api/buckets/{name}", BucketOut, BucketChange.model_validate(said))
    tell(changed.model_dump(mode="json"), session.texts("cli.libraries.source_changed", name=name), as_json=as_json)


@libraries.command("source-keys", help=TEXTS("cli.help.libraries_source_keys"))
@click.argument("name")
@click.option("--here", is_flag=True, help=TEXTS("cli.help.libraries_here"))
@json_option()
@click.pass_obj
def source_keys(session: CommandSession, name: str, here: bool, as_json: bool) -> None:
    from agent.infrastructure.sources.bucket.bucket import Keys, is_name
    from agent.infrastructure.store.secret_stores import key_home
    from agent.server.libraries.bucket_keys import BucketKeys
    from agent.server.libraries.bucket_schemas import BucketChange, BucketOut

    keys = _keys(session)
    if here:
        if not is_name(name):
            raise click.BadParameter(session.texts("cli.libraries.bad_source_name"), param_hint="NAME")
        home = key_home(session.settings.library.key_home, session.paths.keys)
        BucketKeys(home).keep_for(name, Keys(keys.key_id, keys.secret))
    else:
        session.server().call("PATCH", f"/api/buckets/{name}", BucketOut, BucketChange(keys=keys))
    tell({"name": name}, session.texts("cli.libraries.keys_kept"), as_json=as_json)


@libraries.command("check-source", help=TEXTS("cli.help.libraries_check_source"))
@click.argument("name")
@json_option()
@click.pass_obj
def check_source(session: CommandSession, name: str, as_json: bool) -> int:
    result = _checked(session.server(), name)
    if as_json:
        tell(result.model_dump(mode="json"), "", as_json=True)
    else:
        _tell_checked(session, result)
    return 0 if result.problem is None else 1


@libraries.command("remove-source", help=TEXTS("cli.help.libraries_remove_source"))
@click.argument("name")
@yes_option
@json_option()
@click.pass_obj
def remove_source(session: CommandSession, name: str, yes: bool, as_json: bool) -> None:
    client = session.server()
    confirm(session.texts, session.texts("cli.libraries.remove_source", name=name), yes=yes)
    client.tell("DELETE", f"/api/buckets/{name}")
    tell({"removed": name}, session.texts("cli.libraries.source_removed", name=name), as_json=as_json)


def _said(place: dict[str, Any]) -> dict[str, Any]:
    """The options that were given."""
    said = {name: value for name, value in place.items() if value is not None}
    if "certificate" in said:
        said["certificate"] = said["certificate"].read_text(encoding="ascii", errors="replace")
    return said


def _keys(session: CommandSession) -> "BucketKeysIn":
    """Ask for them: as arguments they would be seen in the list of processes."""
    from agent.server.libraries.bucket_schemas import BucketKeysIn

    key_id = ask(session.texts, session.texts("cli.libraries.ask_key"), hidden=False)
    secret = ask(session.texts, session.texts("cli.libraries.ask_secret"))
    return BucketKeysIn(key_id=key_id, secret=secret)


def _all(session: CommandSession, client: "Client") -> "tuple[BucketOut, ...]":
    from agent.server.libraries.bucket_schemas import BucketsOut

    return of_server(session, client, "/api/buckets", BucketsOut).items


def _checked(client: "Client", name: str) -> "BucketChecked":
    from agent.server.libraries.bucket_schemas import BucketChecked

    return client.call("POST", f"/api/buckets/{name}/check", BucketChecked)


def _tell_checked(session: CommandSession, result: "BucketChecked") -> None:
    problem = result.problem
    if problem is not None:
        note(f"[{problem.code}] {problem.cause}\n{problem.remedy}")
    else:
        note(session.texts("cli.libraries.source_answers" if result.holds_objects else "cli.libraries.source_empty"))


def _line(session: CommandSession, each: "BucketOut") -> str:
    line = session.texts("cli.libraries.source_line", name=each.name, address=each.address, photos=each.photos)
    if each.failing_since is not None and each.problem is not None:
        at = f"{each.failing_since.astimezone():%Y-%m-%d %H:%M}"
        line += "\n  " + session.texts("cli.libraries.source_failing", at=at, code=each.problem.code, cause=each.problem.cause)
    elif each.problem is not None:
        line += f"\n  [{each.problem.code}] {each.problem.cause}"
    return line

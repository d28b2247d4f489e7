"""`ai-popup libraries`: the libraries of the team server that runs on this machine."""

from functools import partial
from typing import TYPE_CHECKING
from urllib.parse import quote

import click

from agent.interfaces.cli.command import CommandGroup, json_option
from agent.interfaces.cli.confirm import confirm, yes_option
from agent.interfaces.cli.language import TEXTS
from agent.interfaces.cli.output import print_results, tell
from agent.interfaces.cli.session import CommandSession, of_server
from agent.server.accounts.commands import member_named

if TYPE_CHECKING:
    from agent.interfaces.web.client import Client
    from agent.server.libraries.schemas import LibraryOut

ROLES = ("curator", "editor", "viewer", "auditor")
folders_option = click.option("--folder", "folders", multiple=True, metavar="PATH", help=TEXTS("cli.help.libraries_folder"))


@click.group(cls=CommandGroup, help=TEXTS("cli.help.libraries"))
def libraries() -> None: ...


@libraries.command("list", help=TEXTS("cli.help.libraries_list"))
@json_option("json_each")
@click.pass_obj
def list_libraries(session: CommandSession, as_json: bool) -> None:
    found = _all(session, session.server())
    print_results(found, partial(_line, session), session.texts("cli.libraries.none"), as_json=as_json)


@libraries.command(help=TEXTS("cli.help.libraries_add"))
@click.argument("name")
@folders_option
@click.option("--for-all", is_flag=True, help=TEXTS("cli.help.libraries_for_all"))
@json_option()
@click.pass_obj
def add(session: CommandSession, name: str, folders: tuple[str, ...], for_all: bool, as_json: bool) -> None:
    from agent.server.libraries.schemas import LibraryAdd, LibraryOut

    client = session.server()
    _all(session, client)
    made = client.call("POST", "/api/libraries", LibraryOut, LibraryAdd(name=name, for_all=for_all, sources=folders))
    tell(made.model_dump(mode="json"), session.texts("cli.libraries.added", name=made.name), as_json=as_json)


@libraries.command(help=TEXTS("cli.help.libraries_rename"))
@click.argument("name")
@click.argument("new_name")
@json_option()
@click.pass_obj
def rename(session: CommandSession, name: str, new_name: str, as_json: bool) -> None:
    from agent.server.libraries.schemas import LibraryChange

    client = session.server()
    found = library_named(session, client, name)
    client.tell("PATCH", f"/api/libraries/{found.id}", LibraryChange(name=new_name))
    tell({"id": found.id, "name": new_name}, session.texts("cli.libraries.renamed", name=new_name), as_json=as_json)


@libraries.command(help=TEXTS("cli.help.libraries_remove"))
@click.argument("name")
@yes_option
@json_option()
@click.pass_obj
def remove(session: CommandSession, name: str, yes: bool, as_json: bool) -> None:
    client = session.server()
    found = library_named(session, client, name)
    confirm(session.texts, session.texts("cli.libraries.remove", name=found.name), yes=yes)
    client.tell("DELETE", f"/api/libraries/{found.id}")
    tell({"removed": found.id}, session.texts("cli.libraries.removed", name=found.name), as_json=as_json)


@libraries.command(help=TEXTS("cli.help.libraries_grant"))
@click.argument("name")
@click.argument("member")
@click.argument("role", type=click.Choice(ROLES))
@json_option()
@click.pass_obj
def grant(session: CommandSession, name: str, member: str, role: str, as_json: bool) -> None:
    from agent.server.libraries.schemas import LibraryGrant

    client = session.server()
    found, who = library_named(session, client, name), member_named(session, client, member).id
    client.tell("PUT", f"/api/libraries/{found.id}/members/{who}", LibraryGrant.model_validate({"role": role}))
    said = session.texts("cli.libraries.granted", name=found.name, member=member, role=session.texts(f"roles.{role}"))
    tell({"id": found.id, "member": who, "role": role}, said, as_json=as_json)


@libraries.command(help=TEXTS("cli.help.libraries_revoke"))
@click.argument("name")
@click.argument("member")
@json_option()
@click.pass_obj
def revoke(session: CommandSession, name: str, member: str, as_json: bool) -> None:
    client = session.server()
    found, who = library_named(session, client, name), member_named(session, client, member).id
    client.tell("DELETE", f"/api/libraries/{found.id}/members/{who}")
    tell({"id": found.id, "member": who}, session.texts("cli.libraries.revoked", name=found.name, member=member), as_json=as_json)


@libraries.command("put", help=TEXTS("cli.help.libraries_put"))
@click.argument("name")
@click.argument("path")
@json_option()
@click.pass_obj
def put(session: CommandSession, name: str, path: str, as_json: bool) -> None:
    from agent.server.libraries.schemas import LibraryFolder

    client = session.server()
    found = library_named(session, client, name)
    client.tell("PUT", f"/api/libraries/{found.id}/sources", LibraryFolder(path=path))
    tell({"id": found.id, "folder": path}, session.texts("cli.libraries.folder_put", name=found.name), as_json=as_json)


@libraries.command("drop", help=TEXTS("cli.help.libraries_drop"))
@click.argument("name")
@click.argument("path")
@json_option()
@click.pass_obj
def drop(session: CommandSession, name: str, path: str, as_json: bool) -> None:
    client = session.server()
    found = library_named(session, client, name)
    client.tell("DELETE", f"/api/libraries/{found.id}/sources?path={quote(path, safe='')}")
    tell({"id": found.id, "folder": path}, session.texts("cli.libraries.folder_dropped", name=found.name), as_json=as_json)


def library_named(session: CommandSession, client: "Client", name: str) -> "LibraryOut":
    found = next((each for each in _all(session, client) if each.name.casefold() == name.strip().casefold()), None)
    if found is None:
        raise click.ClickException(session.texts("cli.libraries.unknown", name=name))
    return found


def _all(session: CommandSession, client: "Client") -> "tuple[LibraryOut, ...]":
    from agent.server.libraries.schemas import LibrariesOut

    return of_server(session, client, "/api/libraries", LibrariesOut).items


def _line(session: CommandSession, each: "LibraryOut") -> str:
    text = "cli.libraries.line_for_all" if each.for_all else "cli.libraries.line"
    return session.texts(text, name=each.name, photos=each.photos, members=len(each.members), folders=len(each.sources))

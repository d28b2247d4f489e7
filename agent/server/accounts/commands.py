"""`ai-popup members`: the members of the team server that runs on this machine."""

import socket
from functools import partial
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

import click

from agent.interfaces.cli.command import CommandGroup, json_option
from agent.interfaces.cli.confirm import confirm, yes_option
from agent.interfaces.cli.language import TEXTS
from agent.interfaces.cli.output import note, print_results, tell
from agent.interfaces.cli.session import CommandSession, of_server

if TYPE_CHECKING:
    from agent.interfaces.web.client import Client
    from agent.server.accounts.schemas import MemberOut

ROLES = ("administrator", "curator", "editor", "viewer", "auditor")


@click.group(cls=CommandGroup, help=TEXTS("cli.help.members"))
def members() -> None: ...


@members.command("list", help=TEXTS("cli.help.members_list"))
@json_option("json_each")
@click.pass_obj
def list_members(session: CommandSession, as_json: bool) -> None:
    found = _all(session, session.server())
    print_results(found, partial(_line, session), session.texts("cli.members.none"), as_json=as_json)


@members.command(help=TEXTS("cli.help.members_add"))
@click.argument("name")
@click.option("--role", type=click.Choice(ROLES), default="viewer", show_default=True, help=TEXTS("cli.help.members_role_option"))
@click.option("--display-name", metavar="NAME", help=TEXTS("cli.help.members_display_name"))
@json_option()
@click.pass_obj
def add(session: CommandSession, name: str, role: str, display_name: str | None, as_json: bool) -> None:
    from agent.interfaces.web.access import Role
    from agent.server.accounts.schemas import MemberAdd, MemberOut

    client = session.server()
    _all(session, client)
    made = client.call("POST", "/api/members", MemberOut, MemberAdd(name=name, display_name=display_name, role=Role(role)))
    _invite(session, client, made, as_json=as_json)


@members.command(help=TEXTS("cli.help.members_invite"))
@click.argument("name")
@json_option()
@click.pass_obj
def invite(session: CommandSession, name: str, as_json: bool) -> None:
    client = session.server()
    _invite(session, client, member_named(session, client, name), as_json=as_json)


@members.command(help=TEXTS("cli.help.members_lock"))
@click.argument("name")
@json_option()
@click.pass_obj
def lock(session: CommandSession, name: str, as_json: bool) -> None:
    _change(session, name, "cli.members.locked", as_json=as_json, locked=True)


@members.command(help=TEXTS("cli.help.members_unlock"))
@click.argument("name")
@json_option()
@click.pass_obj
def unlock(session: CommandSession, name: str, as_json: bool) -> None:
    _change(session, name, "cli.members.unlocked", as_json=as_json, locked=False)


@members.command(help=TEXTS("cli.help.members_role"))
@click.argument("name")
@click.argument("role", type=click.Choice(ROLES))
@json_option()
@click.pass_obj
def role(session: CommandSession, name: str, role: str, as_json: bool) -> None:
    _change(session, name, "cli.members.has_role", as_json=as_json, role=role)


@members.command(help=TEXTS("cli.help.members_remove"))
@click.argument("name")
@yes_option
@json_option()
@click.pass_obj
def remove(session: CommandSession, name: str, yes: bool, as_json: bool) -> None:
    client = session.server()
    found = member_named(session, client, name)
    confirm(session.texts, session.texts("cli.members.remove", name=found.name), yes=yes)
    client.tell("DELETE", f"/api/members/{found.id}")
    tell({"removed": found.id}, session.texts("cli.members.removed", name=found.name), as_json=as_json)


def _change(session: CommandSession, name: str, text: str, *, as_json: bool, **values: object) -> None:
    from agent.server.accounts.schemas import MemberChange, MemberOut

    client = session.server()
    found = member_named(session, client, name)
    changed = client.call("PATCH", f"/api/members/{found.id}", MemberOut, MemberChange.model_validate(values))
    said = session.texts(text, name=changed.name, role=session.texts(f"roles.{changed.role}"))
    tell(changed.model_dump(mode="json"), said, as_json=as_json)


def _invite(session: CommandSession, client: "Client", member: "MemberOut", *, as_json: bool) -> None:
    """Print the link, which works for everyone who has it."""
    from agent.interfaces.web.certificates import origins_of
    from agent.server.accounts.schemas import InvitationMade

    made = client.call("POST", f"/api/members/{member.id}/invitation", InvitationMade)
    host = next(iter(session.settings.server.names), socket.gethostname()).lower()
    [address] = origins_of([host], urlsplit(client.address).port or 443)
    address = session.settings.server.address or address
    facts = {"id": member.id, "name": member.name, "link": f"{address}{made.path}", "expires_at": made.expires_at.isoformat()}
    until = f"{made.expires_at.astimezone():%Y-%m-%d %H:%M}"
    if not as_json:
        note(session.texts("cli.members.invited", name=member.name, until=until))
    tell(facts, f"{address}{made.path}", as_json=as_json)


def member_named(session: CommandSession, client: "Client", name: str) -> "MemberOut":
    from agent.server.accounts.sign_in_names import folded

    wanted = folded(name)
    found = next((each for each in _all(session, client) if each.name == wanted), None)
    if found is None:
        raise click.ClickException(session.texts("cli.members.unknown", name=name))
    return found


def member_names(session: CommandSession, client: "Client") -> dict[str, str]:
    """Return the sign-in names by id; none where no team is served."""
    return {each.id: each.name for each in _all(session, client)} if session.is_served else {}


def _all(session: CommandSession, client: "Client") -> "tuple[MemberOut, ...]":
    from agent.server.accounts.schemas import MembersOut

    return of_server(session, client, "/api/members", MembersOut).items


def _line(session: CommandSession, each: "MemberOut") -> str:
    texts = session.texts
    return texts("cli.members.line", name=each.name, role=texts(f"roles.{each.role}"), state=texts(f"cli.members.state.{each.state}"))

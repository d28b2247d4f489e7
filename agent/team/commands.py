"""`ai-popup team`: the team server that this computer joined."""

import time
from typing import TYPE_CHECKING

import click

from agent.cli.command import CommandGroup, json_option
from agent.cli.confirm import confirm, yes_option
from agent.cli.output import note, say, tell
from agent.cli.own_texts import TEXTS
from agent.cli.session import CommandSession
from agent.domain.errors import TeamNotJoined, from_code

if TYPE_CHECKING:
    from agent.team.schemas import FoundServerOut, TeamOut

_LOOK_S = 1.0


@click.group(cls=CommandGroup, help=TEXTS("cli.help.team"))
def team() -> None: ...


@team.command(help=TEXTS("cli.help.team_find"))
@json_option("json_each")
@click.pass_obj
def find(session: CommandSession, as_json: bool) -> None:
    from agent.team.schemas import FoundServersOut

    found = session.client().call("GET", "/api/team/servers", FoundServersOut).servers
    for each in found:
        tell(each.model_dump(mode="json"), *_server(session, each).split("\n"), as_json=as_json)
    if not found and not as_json:
        note(session.texts("cli.team.found_none"))


@team.command(help=TEXTS("cli.help.team_join"))
@click.argument("address")
@json_option()
@click.pass_obj
def join(session: CommandSession, address: str, as_json: bool) -> None:
    from agent.team.schemas import JoiningOut, TeamJoin, TeamOut

    client = session.client()
    asked = client.call("POST", "/api/team/join", JoiningOut, TeamJoin(address=address))
    note(session.texts("cli.team.code", name=asked.name, code=asked.code))
    note(asked.page)
    note(session.texts("cli.team.fingerprint", fingerprint=asked.fingerprint))
    while (now := client.call("GET", "/api/team", TeamOut)).state == "joining":
        time.sleep(_LOOK_S)
    if now.state != "joined":
        raise from_code(now.problem.code, dict(now.problem.params)) if now.problem else TeamNotJoined()
    tell(now.model_dump(mode="json"), session.texts("cli.team.joined", name=now.name, member=now.member), as_json=as_json)


@team.command(help=TEXTS("cli.help.team_status"))
@json_option()
@click.pass_obj
def status(session: CommandSession, as_json: bool) -> None:
    from agent.team.schemas import TeamOut

    now = session.client().call("GET", "/api/team", TeamOut)
    tell(now.model_dump(mode="json"), _told(session, now), as_json=as_json)
    if as_json:
        return
    for each in now.conflicts:
        key = "cli.team.conflict_face" if each.reason in ("face", "rejection") else "cli.team.conflict"
        nobody = session.texts("cli.team.nobody")
        say(session.texts(key, uid=each.uid, mine=each.mine or nobody, theirs=each.theirs or nobody, image=each.image_id or "-"))
    if now.sharing is not None and (now.sharing.sent or now.sharing.waiting):
        say(session.texts("cli.team.shared", sent=now.sharing.sent, waiting=now.sharing.waiting, stays=now.sharing.stays))
    if now.sharing is not None and now.sharing.problem:
        problem = now.sharing.problem
        say(f"{session.sentences(problem.cause, problem.remedy)} [{problem.code}]")
    if now.problem:
        say(f"{session.sentences(now.problem.cause, now.problem.remedy)} [{now.problem.code}]")


@team.command(help=TEXTS("cli.help.team_settle"))
@click.argument("conflict")
@click.option("--keep", type=click.Choice(("mine", "theirs")), required=True, help=TEXTS("cli.help.team_keep"))
@json_option()
@click.pass_obj
def settle(session: CommandSession, conflict: str, keep: str, as_json: bool) -> None:
    session.client().post(f"/api/team/conflicts/{conflict}", {"keep": keep})
    tell({"settled": conflict, "keep": keep}, session.texts("cli.team.settled"), as_json=as_json)


@team.command(help=TEXTS("cli.help.team_take_back"))
@yes_option
@json_option()
@click.pass_obj
def take_back(session: CommandSession, yes: bool, as_json: bool) -> None:
    from agent.team.schemas import TakenBack, TeamOut

    client = session.client()
    now = client.call("GET", "/api/team", TeamOut)
    if now.sharing is None:
        raise TeamNotJoined
    if now.sharing.stays:
        confirm(session.texts, session.texts("cli.team.take_back_question", count=now.sharing.stays, name=now.name), yes=yes)
    taken = client.call("POST", "/api/team/take-back", TakenBack)
    tell(taken.model_dump(mode="json"), session.texts("cli.team.taken_back", count=taken.photos), as_json=as_json)


@team.command(help=TEXTS("cli.help.team_leave"))
@yes_option
@json_option()
@click.pass_obj
def leave(session: CommandSession, yes: bool, as_json: bool) -> None:
    from agent.team.schemas import TeamOut, TeamReceipt

    client = session.client()
    now = client.call("GET", "/api/team", TeamOut)
    if now.state != "joined":
        raise TeamNotJoined
    confirm(session.texts, session.texts("cli.team.leave_question", name=now.name), yes=yes)
    receipt = client.call("POST", "/api/team/leave", TeamReceipt)
    lines = [session.texts("cli.team.left", name=receipt.server, people=receipt.people, prints=receipt.prints, names=receipt.names)]
    if not receipt.revoked:
        lines.append(session.texts("cli.team.not_revoked"))
    tell(receipt.model_dump(mode="json"), "\n".join(lines), as_json=as_json)


def _server(session: CommandSession, each: "FoundServerOut") -> str:
    said = session.texts("cli.team.found", name=each.name, version=each.version, address=each.address, fingerprint=each.fingerprint)
    return f"{said}\n  {session.texts('cli.team.found_joined')}" if each.joined else said


def _told(session: CommandSession, now: "TeamOut") -> str:
    if now.state != "joined":
        return session.texts(f"cli.team.state_{now.state}")
    return session.texts("cli.team.status", name=now.name, address=now.address, member=now.member, people=now.people, waiting=now.waiting)

"""`ai-popup team`: the team server that this computer joined."""

import time
from typing import TYPE_CHECKING

import click

from agent.domain.errors import TeamNotJoined, from_code
from agent.interfaces.cli.command import CommandGroup, json_option
from agent.interfaces.cli.confirm import confirm, yes_option
from agent.interfaces.cli.language import TEXTS
from agent.interfaces.cli.output import note, say, tell
from agent.interfaces.cli.session import CommandSession

if TYPE_CHECKING:
    from agent.desktop.team_client.schemas import FoundServerOut, TeamOut

_LOOK_S = 1.0


@click.group(cls=CommandGroup, help=TEXTS("cli.help.team"))
def team() -> None: ...


@team.command(help=TEXTS("cli.help.team_find"))
@json_option("json_each")
@click.pass_obj
def find(session: CommandSession, as_json: bool) -> None:
    from agent.desktop.team_client.schemas import FoundServersOut

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
    from agent.desktop.team_client.schemas import JoiningOut, TeamJoin, TeamOut

    client = session.client()
    asked = client.call("POST", "/api/team/join", JoiningOut, TeamJoin(address=address))
    note(session.texts("cli.team.code", name=asked.name, code=asked.code))
    note(asked.page)
    if asked.system_trusts:
        note(session.texts("team_card.system_trusts"))
    else:
        note(*session.texts("cli.team.fingerprint", fingerprint=asked.fingerprint).split("\n"))
    while (now := client.call("GET", "/api/team", TeamOut)).state == "joining":
        time.sleep(_LOOK_S)
    if now.state != "joined":
        raise from_code(now.problem.code, dict(now.problem.params)) if now.problem else TeamNotJoined()
    tell(now.model_dump(mode="json"), session.texts("cli.team.joined", name=now.name, member=now.member), as_json=as_json)


@team.command(help=TEXTS("cli.help.team_status"))
@json_option()
@click.pass_obj
def status(session: CommandSession, as_json: bool) -> None:
    from agent.desktop.team_client.schemas import TeamOut

    now = session.client().call("GET", "/api/team", TeamOut)
    tell(now.model_dump(mode="json"), _told(session, now), as_json=as_json)
    if as_json:
        return
    for conflict in now.conflicts:
        key = "cli.team.conflict_face" if conflict.reason in ("face", "rejection") else "cli.team.conflict"
        nobody = session.texts("cli.team.nobody")
        mine, theirs = conflict.mine or nobody, conflict.theirs or nobody
        say(session.texts(key, uid=conflict.uid, mine=mine, theirs=theirs, image=conflict.image_id or "-"))
    if now.sharing is not None and (now.sharing.sent or now.sharing.waiting):
        say(session.texts("cli.team.shared", sent=now.sharing.sent, waiting=now.sharing.waiting, stays=now.sharing.stays))
    up = now.uploads
    if up is not None and (up.sent or up.there or up.waiting or up.failed or up.online_only):
        say(session.texts("cli.team.uploaded", sent=up.sent, there=up.there, waiting=up.waiting, failed=up.failed, cloud=up.online_only))
    for failure in up.failures if up is not None else ():
        problem = failure.problem
        say(f"{failure.image_id or '-'}: {session.sentences(problem.cause, problem.remedy)} [{problem.code}]")
    for each in (now.sharing and now.sharing.problem, up and up.problem, now.problem):
        if each:
            say(f"{session.sentences(each.cause, each.remedy)} [{each.code}]")


@team.command(help=TEXTS("cli.help.team_address"))
@click.argument("address")
@json_option()
@click.pass_obj
def address(session: CommandSession, address: str, as_json: bool) -> None:
    from agent.desktop.team_client.schemas import TeamOut

    client = session.client()
    client.post("/api/team/address", {"address": address})
    now = client.call("GET", "/api/team", TeamOut)
    tell(now.model_dump(mode="json"), session.texts("cli.team.moved", name=now.name, address=now.address), as_json=as_json)


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
    from agent.desktop.team_client.schemas import TakenBack, TeamOut

    client = session.client()
    now = client.call("GET", "/api/team", TeamOut)
    if now.sharing is None:
        raise TeamNotJoined
    uploads = now.uploads.removable if now.uploads else 0
    questions = [
        session.texts(key, count=count, name=now.name)
        for key, count in (("cli.team.take_back_question", now.sharing.stays), ("cli.team.remove_question", uploads))
        if count
    ]
    if questions:
        confirm(session.texts, "\n".join(questions), yes=yes)
    taken = client.call("POST", "/api/team/take-back", TakenBack)
    lines = session.texts("cli.team.taken_back", count=taken.photos), session.texts("cli.team.removed", count=taken.uploads)
    tell(taken.model_dump(mode="json"), *lines, as_json=as_json)


@team.command(help=TEXTS("cli.help.team_retry"))
@json_option()
@click.pass_obj
def retry(session: CommandSession, as_json: bool) -> None:
    from agent.desktop.team_client.schemas import UploadsRetried

    retried = session.client().call("POST", "/api/team/uploads/retry", UploadsRetried)
    tell(retried.model_dump(mode="json"), session.texts("cli.team.retried", count=retried.photos), as_json=as_json)


@team.command(help=TEXTS("cli.help.team_leave"))
@click.option("--remove", is_flag=True, help=TEXTS("cli.help.team_remove"))
@yes_option
@json_option()
@click.pass_obj
def leave(session: CommandSession, remove: bool, yes: bool, as_json: bool) -> None:
    from agent.desktop.team_client.schemas import TeamLeave, TeamOut, TeamReceipt

    client = session.client()
    now = client.call("GET", "/api/team", TeamOut)
    if now.state != "joined":
        raise TeamNotJoined
    questions = [session.texts("cli.team.leave_question", name=now.name)]
    if now.unsent:
        questions.append(session.texts("team_card.leave_unsent", count=now.unsent, name=now.name))
    if remove and now.uploads is not None and now.uploads.last_copies:
        questions.append(session.texts("cli.team.last_copies", count=now.uploads.last_copies))
    confirm(session.texts, "\n".join(questions), yes=yes)
    receipt = client.call("POST", "/api/team/leave", TeamReceipt, TeamLeave(remove=remove))
    lines = [session.texts("cli.team.left", name=receipt.server, people=receipt.people, prints=receipt.prints, names=receipt.names)]
    if receipt.removed_photos or receipt.removed_results:
        removed = {"photos": receipt.removed_photos, "results": receipt.removed_results}
        lines.append(session.texts("cli.team.left_removed", **removed))
    if receipt.stays_photos or receipt.stays_results:
        stays = {"photos": receipt.stays_photos, "results": receipt.stays_results}
        lines.append(session.texts("cli.team.left_removing" if remove and not receipt.revoked else "cli.team.left_stays", **stays))
    if not receipt.revoked:
        lines.append(session.texts("cli.team.not_revoked"))
    tell(receipt.model_dump(mode="json"), *lines, as_json=as_json)


def _server(session: CommandSession, each: "FoundServerOut") -> str:
    said = session.texts("cli.team.found", name=each.name, version=each.version, address=each.address, fingerprint=each.fingerprint)
    if each.followed_at:
        return f"{said}\n  {session.texts('cli.team.found_elsewhere', followed=each.followed_at, address=each.address)}"
    return f"{said}\n  {session.texts('cli.team.found_joined')}" if each.joined else said


def _told(session: CommandSession, now: "TeamOut") -> str:
    if now.state != "joined":
        return session.texts(f"cli.team.state_{now.state}")
    return session.texts("cli.team.status", name=now.name, address=now.address, member=now.member, people=now.people, waiting=now.waiting)

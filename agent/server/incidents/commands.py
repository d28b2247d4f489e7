"""`ai-popup incidents`: what the team server on this machine found in its record."""

from functools import partial
from typing import TYPE_CHECKING

import click

from agent.interfaces.cli.command import CommandGroup, json_option
from agent.interfaces.cli.language import TEXTS
from agent.interfaces.cli.output import print_results, tell
from agent.interfaces.cli.record_line import record_line
from agent.interfaces.cli.session import CommandSession, of_server
from agent.server.messages.commands import add_message_commands

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from agent.interfaces.web.client import Client
    from agent.server.incidents.schemas import IncidentOut

REASONS = ("handled", "expected", "false_alarm")
WAYS = ("email", "webhook")


@click.group(cls=CommandGroup, help=TEXTS("cli.help.incidents"))
def incidents() -> None: ...


@incidents.command("list", help=TEXTS("cli.help.incidents_list"))
@click.option("--all", "closed", is_flag=True, help=TEXTS("cli.help.incidents_all"))
@click.option("--limit", type=click.IntRange(1, 200), default=50, show_default=True, help=TEXTS("cli.help.incidents_limit"))
@json_option("json_each")
@click.pass_obj
def list_incidents(session: CommandSession, closed: bool, limit: int, as_json: bool) -> None:
    from agent.server.incidents.schemas import IncidentsOut

    client = incident_server(session)
    found = client.call("GET", f"/api/incidents?closed={str(closed).lower()}&limit={limit}", IncidentsOut)
    print_results(found.items, partial(_line, session), session.texts("cli.incidents.none"), as_json=as_json)


@incidents.command(help=TEXTS("cli.help.incidents_show"))
@click.argument("number", type=click.IntRange(min=1))
@json_option()
@click.pass_obj
def show(session: CommandSession, number: int, as_json: bool) -> None:
    from agent.server.accounts.commands import member_names
    from agent.server.incidents.schemas import IncidentDetails

    client = incident_server(session)
    found = client.call("GET", f"/api/incidents/{number}", IncidentDetails)
    texts, each = session.texts, found.incident
    lines = [_line(session, each), texts(f"incidents.texts.{each.kind}", number=each.number)]
    names = {} if as_json else member_names(session, client)
    if each.subject:
        name = names.get(each.subject)
        lines.append(texts("cli.incidents.member", name=name, id=each.subject) if name else texts("cli.incidents.subject", id=each.subject))
    lines += [record_line(texts, entry, names) for entry in found.evidence]
    lines.append(texts("cli.incidents.runbook", page=each.page))
    tell(found.model_dump(mode="json"), *lines, as_json=as_json)


@incidents.command(help=TEXTS("cli.help.incidents_close"))
@click.argument("number", type=click.IntRange(min=1))
@click.option("--reason", type=click.Choice(REASONS), required=True, help=TEXTS("cli.help.incidents_reason"))
@json_option()
@click.pass_obj
def close(session: CommandSession, number: int, reason: str, as_json: bool) -> None:
    from agent.server.incidents.incident_kinds import CloseReason
    from agent.server.incidents.schemas import IncidentClose, IncidentOut

    closed = incident_server(session).call("POST", f"/api/incidents/{number}/close", IncidentOut, IncidentClose(reason=CloseReason(reason)))
    tell(closed.model_dump(mode="json"), session.texts("cli.incidents.closed", number=number), as_json=as_json)


@incidents.command(help=TEXTS("cli.help.incidents_reopen"))
@click.argument("number", type=click.IntRange(min=1))
@json_option()
@click.pass_obj
def reopen(session: CommandSession, number: int, as_json: bool) -> None:
    from agent.server.incidents.schemas import IncidentOut

    opened = incident_server(session).call("POST", f"/api/incidents/{number}/reopen", IncidentOut)
    tell(opened.model_dump(mode="json"), session.texts("cli.incidents.reopened", number=number), as_json=as_json)


def incident_server(session: CommandSession) -> "Client":
    """Raises ClickException if what runs here is no team server."""
    from agent.server.incidents.schemas import IncidentCount

    client = session.server()
    of_server(session, client, "/api/incidents/count", IncidentCount)
    return client


def _secrets() -> "Mapping[str, str]":
    from agent.server.messages.channels import INCIDENT_SECRETS

    return INCIDENT_SECRETS


def _send_test(session: CommandSession) -> "Sequence[str]":
    from agent.server.incidents.schemas import MessagesSent

    return incident_server(session).call("POST", "/api/incidents/test-message", MessagesSent).ways


add_message_commands(incidents, "incidents", WAYS, _secrets, _send_test)


def _line(session: CommandSession, each: "IncidentOut") -> str:
    texts = session.texts
    kind, severity, state = (
        texts(f"incidents.kinds.{each.kind}"),
        texts(f"incidents.severity.{each.severity}"),
        texts(f"incidents.states.{each.state}"),
    )
    return texts("cli.incidents.line", id=each.id, at=f"{each.at.astimezone():%Y-%m-%d %H:%M}", kind=kind, severity=severity, state=state)

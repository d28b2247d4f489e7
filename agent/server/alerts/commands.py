"""`ai-popup alerts`: what the team server on this machine finds wrong with itself."""

import re
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

import click

from agent.infrastructure.core.i18n import Texts
from agent.interfaces.cli.command import CommandGroup, json_option
from agent.interfaces.cli.language import TEXTS
from agent.interfaces.cli.output import note, tell
from agent.interfaces.cli.session import CommandSession, of_server
from agent.server.messages.commands import add_message_commands

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from agent.interfaces.web.client import Client
    from agent.server.alerts.schemas import AlertOut, SilenceOut

REASONS = ("maintenance", "known", "being_fixed", "false_alarm")
WAYS = ("webhook", "ntfy")
MOST_HOURS = 720


class AlertNameParam(click.ParamType[str]):
    name = "name"

    def convert(self, value: str, param: click.Parameter | None, ctx: click.Context | None) -> str:
        from agent.interfaces.web.desk_exchange import ALERT_NAME

        if re.fullmatch(ALERT_NAME, value) is None or len(value) > 100:
            self.fail(repr(value), param, ctx)
        return value


@click.group(cls=CommandGroup, help=TEXTS("cli.help.alerts"))
def alerts() -> None: ...


@alerts.command("list", help=TEXTS("cli.help.alerts_list"))
@json_option("json_each")
@click.pass_obj
def list_alerts(session: CommandSession, as_json: bool) -> None:
    from agent.server.alerts.schemas import AlertsOut

    found = _server(session).call("GET", "/api/alerts", AlertsOut)
    for each in found.firing:
        tell(each.model_dump(mode="json"), *_lines(session.texts, each), as_json=as_json)
    if as_json:
        return
    if not found.firing:
        note(session.texts("cli.alerts.none"))
    for silence in found.silences:
        note(_silence_line(session, silence))


@alerts.command(help=TEXTS("cli.help.alerts_silence"))
@click.argument("name", type=AlertNameParam())
@click.option("--hours", type=click.IntRange(1, MOST_HOURS), default=8, show_default=True, help=TEXTS("cli.help.alerts_hours"))
@click.option("--reason", type=click.Choice(REASONS), default="known", show_default=True, help=TEXTS("cli.help.alerts_reason"))
@json_option()
@click.pass_obj
def silence(session: CommandSession, name: str, hours: int, reason: str, as_json: bool) -> None:
    from agent.server.alerts.records import SilenceReason
    from agent.server.alerts.schemas import SilenceOut, SilenceWanted

    wanted = SilenceWanted(name=name, reason=SilenceReason(reason), until=datetime.now(UTC) + timedelta(hours=hours))
    made = _server(session).call("POST", "/api/alerts/silences", SilenceOut, wanted)
    text = session.texts("cli.alerts.silenced", id=made.id, name=made.name, until=_moment(made.until))
    tell(made.model_dump(mode="json"), text, as_json=as_json)


@alerts.command(help=TEXTS("cli.help.alerts_unsilence"))
@click.argument("number", type=click.IntRange(min=1))
@json_option()
@click.pass_obj
def unsilence(session: CommandSession, number: int, as_json: bool) -> None:
    from agent.server.alerts.schemas import SilenceOut

    ended = _server(session).call("DELETE", f"/api/alerts/silences/{number}", SilenceOut)
    tell(ended.model_dump(mode="json"), session.texts("cli.alerts.unsilenced", id=ended.id), as_json=as_json)


def _server(session: CommandSession) -> "Client":
    """Raises ClickException if what runs here is no team server."""
    from agent.server.alerts.schemas import AlertCount

    client = session.server()
    of_server(session, client, "/api/alerts/count", AlertCount)
    return client


def _secrets() -> "Mapping[str, str]":
    from agent.server.alerts.alert_text import ALERT_SECRETS

    return ALERT_SECRETS


def _send_test(session: CommandSession) -> "Sequence[str]":
    from agent.server.alerts.schemas import AlertTestSent

    return _server(session).call("POST", "/api/alerts/test-message", AlertTestSent).ways


add_message_commands(alerts, "alerts", WAYS, _secrets, _send_test)


def _lines(texts: Texts, each: "AlertOut") -> list[str]:
    began = _moment(each.began_at)
    severity = texts(f"incidents.severity.{each.severity}")
    if each.source != "server":
        return [texts("cli.alerts.foreign", began=began, severity=severity, name=each.name)]
    kind, what = texts(f"alerts.kinds.{each.name}"), texts(f"alerts.texts.{each.name}", number=each.number)
    line = texts("cli.alerts.line", began=began, severity=severity, kind=kind, what=what)
    return [line, texts("cli.alerts.page", name=each.name)]


def _silence_line(session: CommandSession, each: "SilenceOut") -> str:
    reason = session.texts(f"alerts.reasons.{each.reason}")
    return session.texts("cli.alerts.silence", id=each.id, name=each.name, until=_moment(each.until), reason=reason)


def _moment(at: datetime) -> str:
    return f"{at.astimezone():%Y-%m-%d %H:%M}"

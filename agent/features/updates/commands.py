"""`ai-popup update`: shows whether a newer version exists, and installs it."""

import json
from contextlib import suppress
from datetime import UTC, datetime
from typing import TYPE_CHECKING

import click

from agent.domain.errors import AlreadyRunning, NotRunning, UpdatesOff
from agent.infrastructure.core.i18n import Texts
from agent.interfaces.cli.command import CommandGroup, json_option
from agent.interfaces.cli.language import TEXTS
from agent.interfaces.cli.output import say, tell
from agent.interfaces.cli.session import CommandSession

if TYPE_CHECKING:
    from agent.features.updates.releases import UpdateState
    from agent.features.updates.updater import Updater


@click.group(cls=CommandGroup, help=TEXTS("cli.help.update"))
def update() -> None: ...


@update.command(help=TEXTS("cli.help.update_status"))
@json_option()
@click.pass_obj
def status(session: CommandSession, as_json: bool) -> None:
    _show(session, as_json=as_json)


@update.command(help=TEXTS("cli.help.update_check"))
@json_option()
@click.pass_obj
def check(session: CommandSession, as_json: bool) -> None:
    if not _agent_did(session, "check"):
        updater, channel = _updater(session)
        updater.check(channel)
    _show(session, as_json=as_json)


@update.command(help=TEXTS("cli.help.update_download"))
@json_option()
@click.pass_obj
def download(session: CommandSession, as_json: bool) -> None:
    if not _agent_did(session, "download"):
        updater, channel = _updater(session)
        if not updater.build.updates:
            raise UpdatesOff
        updater.download(channel)
    _show(session, as_json=as_json)


@update.command(help=TEXTS("cli.help.update_install"))
@click.option("--again", is_flag=True, help=TEXTS("cli.help.update_again"))
@json_option()
@click.pass_obj
def install(session: CommandSession, again: bool, as_json: bool) -> None:
    """A running agent ends and restarts as the new version."""
    if again:
        with suppress(NotRunning):
            session.client().status()
            raise AlreadyRunning
    elif _agent_did(session, "install"):
        tell({"installed": False, "under_way": True}, session.texts("cli.update.goes_on"), as_json=as_json)
        return
    session.program.install_update(session, again)
    tell({"installed": True, "under_way": False}, session.texts("cli.update.installed"), as_json=as_json)


@update.command(help=TEXTS("cli.help.update_channel"))
@click.argument("name", required=False, type=click.Choice(["auto", "stable", "beta"]))
@json_option()
@click.pass_obj
def channel(session: CommandSession, name: str | None, as_json: bool) -> None:
    if name is not None:
        session.file.set("updates.channel", name)
    chosen = session.settings.updates.channel.value if name is None else name
    tell({"channel": chosen}, chosen, as_json=as_json)


def _agent_did(session: CommandSession, what: str) -> bool:
    """Whether an agent is running, which then owns the downloads and the update memory. Raises UpdateError."""
    with suppress(NotRunning):
        client = session.client()
        client.send_long(f"/api/update/{what}")
        return True
    return False


def _updater(session: CommandSession) -> "tuple[Updater, str]":
    from agent.features.updates.updater import channel_of, updater_of
    from agent.infrastructure.core.package_info import read_build

    session.paths.create()
    build = read_build()
    return updater_of(session.paths, build), channel_of(session.settings, build)


def _show(session: CommandSession, *, as_json: bool) -> None:
    updater, channel = _updater(session)
    state = updater.state(channel)
    if as_json:
        facts = {"state": state.step.value, "version": state.version, "channel": channel, "command": state.command}
        checked = state.checked_at.isoformat() if state.checked_at else None
        problem = state.outcome or state.problem
        say(json.dumps({**facts, "checked_at": checked, "problem": problem and problem.code}, ensure_ascii=False))
        return
    for line in told(session, state, channel):
        say(line)


def told(session: CommandSession, state: "UpdateState", channel: str) -> list[str]:
    """The update state as text lines."""
    texts = session.texts
    lines = [texts(f"cli.update.{state.step.value}", version=state.version or "", channel=texts(f"cli.update.{channel}"))]
    if not session.settings.updates.enabled:
        lines.append(texts("cli.update.unwanted"))
    if news := state.news.get(texts.language) or state.news.get("en"):
        lines += [f"    {line}" for line in news.splitlines()]
    if state.command:
        lines.append(texts("cli.update.command", command=state.command))
    if state.checked_at:
        lines.append(texts("cli.update.checked", time=_ago(texts, state.checked_at)))
    lines += [
        f"{session.sentences(texts.cause(error), texts.remedy(error))} [{error.code}]" for error in (state.problem, state.outcome) if error
    ]
    return lines


def _ago(texts: Texts, at: datetime) -> str:
    local = at.astimezone()
    return f"{local:%H:%M}" if local.date() == datetime.now(UTC).astimezone().date() else f"{local:%Y-%m-%d %H:%M}"

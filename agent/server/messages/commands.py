"""The commands that every feature with messages has: keep a secret for a way, and send a test message."""

from collections.abc import Callable, Mapping, Sequence

import click

from agent.interfaces.cli.command import json_option
from agent.interfaces.cli.language import TEXTS
from agent.interfaces.cli.output import tell
from agent.interfaces.cli.secret_input import ask
from agent.interfaces.cli.session import CommandSession


def add_message_commands(
    group: click.Group,
    room: str,
    ways: Sequence[str],
    secrets: Callable[[], Mapping[str, str]],
    send_test: Callable[[CommandSession], Sequence[str]],
) -> None:
    """Add `secret` and `test` to a feature's commands; its texts are named after `room`.

    `secrets` names the accounts under which secrets are kept, by way; `send_test` returns the ways in which a message was sent.
    """

    @group.command(help=TEXTS(f"cli.help.{room}_secret"))
    @click.argument("way", type=click.Choice(ways))
    @json_option()
    @click.pass_obj
    def secret(session: CommandSession, way: str, as_json: bool) -> None:
        from agent.infrastructure.store.secret_stores import key_home

        asked = ask(session.texts, session.texts(f"cli.{room}.ask", way=session.texts(f"{room}.ways.{way}")))
        key_home(session.settings.library.key_home, session.paths.keys).write(secrets()[way], asked.encode())
        tell({"way": way}, session.texts(f"cli.{room}.kept"), as_json=as_json)

    @group.command(help=TEXTS(f"cli.help.{room}_test"))
    @json_option()
    @click.pass_obj
    def test(session: CommandSession, as_json: bool) -> None:
        sent = send_test(session)
        told = ", ".join(session.texts(f"{room}.ways.{way}") for way in sent)
        tell({"ways": list(sent)}, session.texts(f"cli.{room}.tested", ways=told), as_json=as_json)

"""`ai-popup undo` and `redo`: the last step about people."""

from typing import TYPE_CHECKING

import click

from agent.cli.command import Command, json_option
from agent.cli.output import tell
from agent.cli.own_texts import TEXTS
from agent.cli.session import CommandSession
from agent.core.i18n import Texts

if TYPE_CHECKING:
    from agent.people.schemas import Step


@click.command(cls=Command, help=TEXTS("cli.help.undo"))
@json_option()
@click.pass_obj
def undo(session: CommandSession, as_json: bool) -> None:
    from agent.cli.backend import backend
    from agent.people.edit_schemas import Undo
    from agent.people.schemas import Step

    with backend(session) as able:
        step = able.call_patiently("/api/undo", Step, Undo())
    tell(step.model_dump(), _of_step(session.texts, "undone_partly" if step.partly else "undone", step), as_json=as_json)


@click.command(cls=Command, help=TEXTS("cli.help.redo"))
@json_option()
@click.pass_obj
def redo(session: CommandSession, as_json: bool) -> None:
    from agent.cli.backend import backend
    from agent.people.schemas import Step

    with backend(session) as able:
        step = able.call_patiently("/api/redo", Step)
    tell(step.model_dump(), _of_step(session.texts, "redone", step), as_json=as_json)


def _of_step(texts: Texts, what: str, step: "Step") -> str:
    """Return what was undone or redone: "Undone: naming 3 faces"."""
    return texts(f"cli.{what}", step=texts(f"cli.step.{step.action}", count=step.count))

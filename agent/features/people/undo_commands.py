"""`ai-popup undo` and `redo`: the last step about people."""

from typing import TYPE_CHECKING

import click

from agent.infrastructure.core.i18n import Texts
from agent.interfaces.cli.command import Command, json_option
from agent.interfaces.cli.language import TEXTS
from agent.interfaces.cli.output import tell
from agent.interfaces.cli.session import CommandSession

if TYPE_CHECKING:
    from agent.features.people.schemas import Step


@click.command(cls=Command, help=TEXTS("cli.help.undo"))
@json_option()
@click.pass_obj
def undo(session: CommandSession, as_json: bool) -> None:
    from agent.features.people.edit_schemas import Undo
    from agent.features.people.schemas import Step
    from agent.interfaces.cli.in_process_app import backend

    with backend(session) as able:
        step = able.post_long("/api/undo", Step, Undo())
    tell(step.model_dump(), _of_step(session.texts, "undone_partly" if step.partly else "undone", step), as_json=as_json)


@click.command(cls=Command, help=TEXTS("cli.help.redo"))
@json_option()
@click.pass_obj
def redo(session: CommandSession, as_json: bool) -> None:
    from agent.features.people.schemas import Step
    from agent.interfaces.cli.in_process_app import backend

    with backend(session) as able:
        step = able.post_long("/api/redo", Step)
    tell(step.model_dump(), _of_step(session.texts, "redone", step), as_json=as_json)


def _of_step(texts: Texts, what: str, step: "Step") -> str:
    """Return what was undone or redone: "Undone: naming 3 faces"."""
    return texts(f"cli.{what}", step=texts(f"cli.step.{step.action}", count=step.count))

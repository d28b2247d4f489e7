"""The confirmation before a destructive command, and `--yes`, which answers it in advance."""

import sys
from collections.abc import Callable
from typing import Any, TypeVar

import click

from agent.infrastructure.core.i18n import Texts
from agent.interfaces.cli.language import TEXTS
from agent.interfaces.cli.output import note

F = TypeVar("F", bound=Callable[..., Any])


def yes_option(command: F) -> F:
    """Add `--yes` to a command that asks."""
    return click.option("--yes", is_flag=True, help=TEXTS("cli.help.yes"))(command)


def confirm(texts: Texts, question: str, *, yes: bool) -> None:
    """Return if the user agrees, or agreed in advance with `--yes`; otherwise end the command with exit code 1.

    Raises click.UsageError without a terminal to ask on: a script must pass `--yes`.
    """
    if yes:
        return
    if not can_ask():
        raise click.UsageError(texts("cli.confirm.needs_yes", question=question))
    if not click.confirm(question, err=True):
        note(texts("cli.confirm.declined"))
        raise click.exceptions.Exit(1)


def can_ask() -> bool:
    """Whether a user can read the question and answer it."""
    return sys.stdin.isatty() and sys.stderr.isatty()

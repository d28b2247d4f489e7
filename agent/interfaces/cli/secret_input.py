"""Asks for a secret: hidden at a terminal, and from the next line of standard input for scripts."""

import sys

import click

from agent.infrastructure.core.i18n import Texts


def ask(texts: Texts, question: str, *, hidden: bool = True, twice: bool = False) -> str:
    """Return the answer; as an argument other programs could read it.

    Raises click.UsageError if there is no terminal, and standard input has no such line.
    """
    if sys.stdin.isatty():
        answer: str = click.prompt(question, hide_input=hidden, confirmation_prompt=twice, err=True)
        return answer
    line = sys.stdin.readline().rstrip("\r\n")
    if not line:
        raise click.UsageError(texts("cli.ask.nothing", question=question))
    return line

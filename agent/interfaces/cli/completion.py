"""`ai-popup completion`: the script that lets a shell complete the program's commands and options."""

import click
from click.shell_completion import ShellComplete, get_completion_class

from agent.interfaces.cli.command import Command
from agent.interfaces.cli.language import TEXTS
from agent.interfaces.cli.output import say

PROGRAM = "ai-popup"
SHELLS = ("bash", "zsh", "fish", "powershell")


@click.command(cls=Command, help=TEXTS("cli.help.completion"))
@click.argument("shell", type=click.Choice(SHELLS), metavar="|".join(SHELLS))
def completion(shell: str) -> None:
    say(*script(shell).rstrip("\n").split("\n"))


def script(shell: str) -> str:
    """The script for one of SHELLS. It calls the program each time, so it stays up to date."""
    made = get_completion_class(shell)
    assert made is not None, shell
    asking = made(click.Command(PROGRAM), {}, PROGRAM, f"_{PROGRAM.replace('-', '_')}_COMPLETE".upper())
    source = ShellComplete.source(asking)  # bash's own also checks the version of the installed bash
    # Fish's splits "type,value<tab>description" at the commas of the description too.
    return source.replace('string split "," $', 'string split -m 1 "," $')

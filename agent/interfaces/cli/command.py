"""The class of all commands: help in the user's language, with examples, and the common options."""

from collections.abc import Callable, Iterable, Sequence
from typing import Any, TypeVar

import click

from agent.interfaces.cli.language import TEXTS
from agent.interfaces.cli.output import set_quiet
from agent.interfaces.cli.wrapping import cells, padded, wrapped

F = TypeVar("F", bound=Callable[..., Any])
_LEAST_TEXT = 20  # columns of a description beside its option


class _Formatter(click.HelpFormatter):
    """Help wrapped by columns, for wide characters too."""

    def write_usage(self, prog: str, args: str = "", prefix: str | None = None) -> None:
        start = f"{prefix or TEXTS('cli.click.usage_start')}{prog} "
        first, *rest = wrapped(args, max(self.width - cells(start), _LEAST_TEXT)) or [""]
        self.write(f"{start}{first}\n", *(f"{' ' * cells(start)}{line}\n" for line in rest))

    def write_heading(self, heading: str) -> None:
        self.write(f"{'':>{self.current_indent}}{TEXTS('cli.click.heading', heading=heading)}\n")

    def write_text(self, text: str) -> None:
        for line in wrapped(text, max(self.width - self.current_indent, _LEAST_TEXT)):
            self.write(f"{'':>{self.current_indent}}{line}".rstrip() + "\n")

    def write_dl(self, rows: Iterable[tuple[str, str]], col_max: int = 30, col_spacing: int = 2) -> None:
        rows = list(rows)
        indent = " " * self.current_indent
        column = min(max(cells(term) for term, _ in rows), col_max, self.width // 2 - col_spacing) + col_spacing
        beside = indent + " " * column
        for term, meaning in rows:
            lines = wrapped(meaning, max(self.width - len(beside), _LEAST_TEXT))
            if cells(term) + col_spacing > column:
                self.write(f"{indent}{term}\n")
                term = ""
            first, *rest = lines or [""]
            self.write(f"{indent}{padded(term, column)}{first}".rstrip() + "\n", *(f"{beside}{line}\n" for line in rest))

    def write(self, *strings: str) -> None:
        self.buffer.extend(strings)


class _Context(click.Context):
    formatter_class = _Formatter


class _Ours(click.Command):
    """The common base of commands and groups."""

    context_class = _Context

    def __init__(self, *args: Any, **named: Any) -> None:
        named.setdefault("options_metavar", TEXTS("cli.click.options_metavar"))
        super().__init__(*args, **named)

    def get_params(self, ctx: click.Context) -> list[click.Parameter]:
        """Its own parameters, then those of every command, then `--help`."""
        found = super().get_params(ctx)
        has_help = self.get_help_option(ctx) is not None
        return [*found[:-1], *_EVERYWHERE, found[-1]] if has_help else [*found, *_EVERYWHERE]

    def get_short_help_str(self, limit: int = 45) -> str:
        """The whole first sentence: it is wrapped."""
        return (self.short_help or first_sentence(self.help or "")).strip()

    def format_epilog(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        examples = examples_of(ctx)
        if examples:
            with formatter.section(TEXTS("cli.click.examples")):
                for line in examples:
                    formatter.write(f"{'':>{formatter.current_indent}}{line}\n")


class Command(_Ours):
    """A command of `ai-popup`."""


class CommandGroup(_Ours, click.Group):
    """A command with subcommands."""

    command_class = Command
    group_class = type

    def __init__(self, *args: Any, **named: Any) -> None:
        named.setdefault("subcommand_metavar", TEXTS("cli.click.commands_metavar"))
        super().__init__(*args, **named)
        self._sections: dict[str, Sequence[str]] = {}

    def add_section(self, title: str, commands: Iterable[click.Command]) -> None:
        """Add commands that the help lists together, in this order, under a title."""
        added = list(commands)
        for command in added:
            self.add_command(command)
        self._sections[title] = [str(command.name) for command in added]

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        if not self._sections:
            return super().format_commands(ctx, formatter)
        for title, names in self._sections.items():
            with formatter.section(title):
                formatter.write_dl([(name, self.commands[name].get_short_help_str()) for name in names if not self.commands[name].hidden])


def examples_of(ctx: click.Context) -> tuple[str, ...]:
    """Example lines from the catalogue: `cli.examples.<words of the command>`."""
    words = ctx.command_path.split()[1:]
    key = f"cli.examples.{'_'.join(words).replace('-', '_') or 'ai_popup'}"
    told = TEXTS(key)
    return () if told == key else tuple(told.split("\n"))


def first_sentence(text: str) -> str:
    text = text.split("\n\n", 1)[0]
    ends = [at + len(end) for end in (". ", "。") if (at := text.find(end)) >= 0]
    return text[: min(ends)].strip() if ends else text


def json_option(each: str = "json_one") -> Callable[[F], F]:
    """Add `--json` to a command, which prints one object, or (`json`, `json_each`) one line per item."""
    return click.option("--json", "as_json", is_flag=True, help=TEXTS(f"cli.help.{each}"))


def _quiet(ctx: click.Context, _: click.Parameter, wanted: bool) -> None:
    if wanted:
        set_quiet(ctx)


def _verbose(ctx: click.Context, _: click.Parameter, wanted: bool) -> None:
    if wanted:
        ctx.find_root().obj.verbose = True


_EVERYWHERE = (
    click.Option(["-q", "--quiet"], is_flag=True, expose_value=False, callback=_quiet, help=TEXTS("cli.help.quiet")),
    click.Option(["-v", "--verbose"], is_flag=True, expose_value=False, callback=_verbose, help=TEXTS("cli.help.verbose")),
)

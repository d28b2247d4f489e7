"""Where all that commands print passes."""

import sys
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import click

# A file's name may hold what a terminal obeys: moves of the cursor, other titles, lines that look like ours. As JSON writes it.
_ESCAPED = {code: f"\\u{code:04x}" for code in (*range(0x20), *range(0x7F, 0xA0))}

_CLEARED = "\r\x1b[K"  # the line that the cursor is on


def say(*lines: str, err: bool = False) -> None:
    """Print each on a line of its own, with its control characters escaped, so that JSON stays the JSON it is."""
    for line in lines:
        click.echo(line.translate(_ESCAPED), err=err)


class Progress:
    """A bar on standard error, where that is a terminal. What is said meanwhile stands above it."""

    def __init__(self) -> None:
        self._bar: Any = None  # click names no public type for it

    @contextmanager
    def showing(self) -> Iterator[None]:
        try:
            yield
        finally:
            if self._bar is not None:
                self._bar.render_finish()
                self._bar = None

    def begin(self, total: int, *, steps: int = 1) -> None:
        """`total` files, of so many `steps` each."""
        if sys.stderr.isatty():
            told = lambda done: f"{done or 0:,}/{total:,}"  # noqa: E731
            self._bar = click.progressbar(length=steps * total, file=sys.stderr, item_show_func=told)
            self._bar.render_progress()

    def move(self, steps: int, done: int) -> None:
        """By so many steps; `done` files are."""
        if self._bar is not None:
            self._bar.update(steps, done)
            self._bar.render_progress()  # also where only `done` is new

    def say(self, line: str, *, err: bool = False) -> None:
        """As `say`, with the bar out of the way."""
        if self._bar is None:
            say(line, err=err)
            return
        click.echo(_CLEARED, file=sys.stderr, nl=False)
        say(line, err=err)
        self._bar._last_line = None  # what stands there no more
        self._bar.render_progress()

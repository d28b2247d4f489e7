"""The single place for everything that commands print, and for files that they write for the user."""

import errno
import json
import os
import shutil
import stat
import sys
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager, nullcontext, suppress
from pathlib import Path
from typing import TYPE_CHECKING, Any, TextIO, TypeVar

import click

if TYPE_CHECKING:
    from pydantic import BaseModel

T = TypeVar("T", bound="BaseModel")

# A file's name may hold terminal control sequences: cursor moves, titles, lines that look like ours. Escaped as in JSON.
_ESCAPED = {code: f"\\u{code:04x}" for code in (*range(0x20), *range(0x7F, 0xA0))}

_CLEARED = "\r\x1b[K"  # the line with the cursor
_OUTPUT_ERRORS = {errno.ENOSPC, getattr(errno, "EDQUOT", 0), errno.EFBIG, errno.EIO}  # Windows has no quotas
_QUIET = "agent.interfaces.cli.quiet"
_WIDEST_BAR = 36  # cells
_BESIDE_BAR = 25  # cells beside the bar and the two counts: brackets, percentage, time left, spaces


def say(*lines: str, err: bool = False) -> None:
    """Print each on its own line, with control characters escaped; JSON stays unchanged.

    Raises OSError if standard output cannot be written; an unwritable standard error is ignored.
    """
    for line in lines:
        with _lost(sys.stderr) if err else nullcontext():
            click.echo(line.translate(_ESCAPED), err=err)


def tell(facts: Mapping[str, object], *lines: str, as_json: bool) -> None:
    """Print a command's result: the facts as one line of JSON, or the lines."""
    if as_json:
        say(json.dumps(facts, ensure_ascii=False))
    else:
        say(*lines)


def print_results(found: Sequence[T], line: Callable[[T], str], none: str, *, as_json: bool) -> None:
    """Print each result like `tell`, with its line; without any, the hint `none`."""
    for each in found:
        tell(each.model_dump(mode="json"), line(each), as_json=as_json)
    if not found and not as_json:
        note(none)


def print_path0(path: str) -> None:
    """Print a path unchanged, followed by a zero byte: for programs, which don't interpret its characters."""
    click.echo(os.fsencode(path) + b"\0", nl=False)


def note(*lines: str) -> None:
    """Print hints, summaries and progress on standard error, unless `--quiet` was given."""
    if not is_quiet():
        say(*lines, err=True)


def set_quiet(context: click.Context) -> None:
    """Print only results and errors from now on."""
    context.meta[_QUIET] = True


def is_quiet() -> bool:
    context = click.get_current_context(silent=True)
    return bool(context is not None and context.meta.get(_QUIET))


def is_of_output(error: OSError) -> bool:
    """Whether the error means that standard output could not be written. Its buffered content is then dropped.

    Errors of files are translated where they arise, so the remaining errors of these kinds are standard output's.
    """
    if error.errno not in _OUTPUT_ERRORS:
        return False
    _give_up(sys.stdout)
    return True


@contextmanager
def _lost(stream: TextIO) -> Iterator[None]:
    """Ignore errors of a stream for hints, such as a closed one."""
    try:
        yield
    except OSError:
        _give_up(stream)


def _give_up(stream: TextIO) -> None:
    """Drop the stream's buffer: the interpreter would otherwise write it at exit, and complain."""
    with suppress(OSError, ValueError):  # a stream without a descriptor
        nowhere = os.open(os.devnull, os.O_WRONLY)
        try:
            os.dup2(nowhere, stream.fileno())
        finally:
            os.close(nowhere)


class ProgressBar:
    """A progress bar on standard error, if that is a terminal. Lines printed meanwhile appear above it."""

    def __init__(self) -> None:
        self._bar: Any = None  # click has no public type for it

    @contextmanager
    def showing(self) -> Iterator[None]:
        try:
            yield
        finally:
            if self._bar is not None:
                with _lost(sys.stderr):
                    self._bar.render_finish()
                self._bar = None

    def begin(self, total: int, *, steps: int = 1) -> None:
        """`total` files, with this many `steps` each."""
        if sys.stderr.isatty() and not is_quiet():

            def told(done: int | None) -> str:
                return f"{done or 0:,}/{total:,}"

            width = shutil.get_terminal_size().columns - _BESIDE_BAR - 2 * len(f"{total:,}")
            width = max(1, min(_WIDEST_BAR, width))  # 0 would mean the terminal's full width
            self._bar = click.progressbar(length=steps * total, file=sys.stderr, item_show_func=told, width=width)
            with _lost(sys.stderr):
                self._bar.render_progress()

    def move(self, steps: int, done: int) -> None:
        """Advance by this many steps; `done` files are finished."""
        if self._bar is not None:
            with _lost(sys.stderr):
                self._bar.update(steps, done)
                self._bar.render_progress()  # also if only `done` has changed

    def say(self, line: str, *, err: bool = False) -> None:
        """Like the function `say`, with the bar cleared first."""
        if self._bar is None:
            say(line, err=err)
            return
        with _lost(sys.stderr):
            click.echo(_CLEARED, file=sys.stderr, nl=False)
        say(line, err=err)
        self._bar._last_line = None  # that line is no longer on the screen
        with _lost(sys.stderr):
            self._bar.render_progress()


@contextmanager
def output_to(file: Path | None) -> Iterator[TextIO]:
    """Write the whole file or nothing; without a file, write to standard output. Raises click.FileError."""
    if file is None:
        yield sys.stdout
        sys.stdout.flush()  # now, while a closed pipe is no failure
        return
    try:
        with file.open("w", encoding="utf-8", newline="") if is_device(file) else _replacing(Path(os.path.realpath(file))) as out:
            yield out
    except OSError as error:
        raise click.FileError(str(file), error.strerror) from error


@contextmanager
def _replacing(file: Path) -> Iterator[TextIO]:
    """Raises OSError."""
    aside = file.with_name(f".{file.name}.part")
    try:
        aside.unlink(missing_ok=True)
        with aside.open("x", encoding="utf-8", newline="") as out:  # follows no link
            yield out
        aside.replace(file)
    finally:
        with suppress(OSError):  # even its folder is missing
            aside.unlink(missing_ok=True)


def is_device(file: Path) -> bool:
    """Whether it is a pipe or a device, which takes the content and must not be replaced."""
    try:
        mode = file.stat().st_mode
    except OSError:  # also for a name that is too long
        return False
    return not stat.S_ISREG(mode) and not stat.S_ISDIR(mode)

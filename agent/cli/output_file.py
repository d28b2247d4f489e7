"""Files that commands write for the user: the whole content or nothing."""

import os
import stat
import sys
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import TextIO

import click


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

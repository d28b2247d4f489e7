"""Paths on the command line that must be there: asked within a time limit, because a drive may be gone."""

import errno
import os
import threading
from collections.abc import Callable
from typing import Any

import click

from agent.domain.errors import SourceNoAnswer

ANSWER_S = 30.0  # as long as a command waits for the agent
_ABSENT = (errno.ENOENT, errno.ENOTDIR, errno.ELOOP, errno.ENAMETOOLONG, errno.EACCES, errno.EPERM, errno.EINVAL)


class There(click.Path):
    """As `click.Path(exists=True)`. A drive that doesn't answer, or only with errors, is named; click would say that nothing is there."""

    def __init__(self, **kind: Any) -> None:
        super().__init__(exists=True, **kind)

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> Any:
        """Raises SourceNoAnswer, and what click raises."""
        answered(lambda: os.stat(value))  # noqa: PTH116 - paths may be bytes here
        return super().convert(value, param, ctx)


def answered(question: Callable[[], object]) -> None:
    """Ask the disk. Raises SourceNoAnswer if it gives an error that says nothing of the path, or no answer in time."""
    failed: list[OSError | ValueError] = []

    def ask() -> None:
        try:
            question()
        except (OSError, ValueError) as error:
            failed.append(error)

    asking = threading.Thread(target=ask, name="there", daemon=True)  # it can't be ended, and must not keep the command
    asking.start()
    asking.join(ANSWER_S)
    if asking.is_alive():
        raise SourceNoAnswer
    if failed and isinstance(failed[0], OSError) and failed[0].errno not in _ABSENT:
        raise SourceNoAnswer from failed[0]

"""Command-line paths that must exist, checked within a time limit because a drive may be gone."""

import os
from typing import Any

import click

from agent.core.answering import answered


class There(click.Path):
    """Like `click.Path(exists=True)`, but names a drive that fails or does not answer; click would report a missing path."""

    def __init__(self, **kind: Any) -> None:
        super().__init__(exists=True, **kind)

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> Any:
        """Raises SourceNoAnswer, and click's errors."""
        answered(lambda: os.stat(value))  # noqa: PTH116 - paths may be bytes here
        return super().convert(value, param, ctx)

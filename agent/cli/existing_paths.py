"""Paths on the command line that must be there: asked within a time limit, because a drive may be gone."""

import os
from typing import Any

import click

from agent.core.answering import answered


class There(click.Path):
    """As `click.Path(exists=True)`. A drive that doesn't answer, or only with errors, is named; click would say that nothing is there."""

    def __init__(self, **kind: Any) -> None:
        super().__init__(exists=True, **kind)

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> Any:
        """Raises SourceNoAnswer, and what click raises."""
        answered(lambda: os.stat(value))  # noqa: PTH116 - paths may be bytes here
        return super().convert(value, param, ctx)

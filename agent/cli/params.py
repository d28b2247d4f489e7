"""Parameter types that several commands use: names, and paths that must exist."""

import os
from typing import Any

import click

from agent.cli.own_texts import TEXTS
from agent.core.hanging_calls import answered
from agent.core.i18n import Texts
from agent.domain.names import tidy
from agent.domain.visible_text import is_visible

LONGEST_NAME = 200


class _PersonName(click.ParamType[str]):
    """A valid name for a person: not empty, not too long, without characters that cannot be stored."""

    name = "NAME"

    def convert(self, value: str, param: click.Parameter | None, ctx: click.Context | None) -> str:
        session = None if ctx is None else ctx.find_root().obj
        texts: Texts = TEXTS if session is None else session.texts
        name = tidy(value)
        if not name:
            self.fail(texts("cli.name.empty"), param, ctx)
        if len(name) > LONGEST_NAME:
            self.fail(texts("cli.name.long", most=LONGEST_NAME), param, ctx)
        if not is_visible(name):  # surrogates of undecodable bytes and control characters
            self.fail(texts("cli.name.unprintable"), param, ctx)
        return name


PERSON_NAME = _PersonName()


class There(click.Path):
    """Like `click.Path(exists=True)`, but names a drive that fails or does not answer; click would report a missing path."""

    def __init__(self, **kind: Any) -> None:
        super().__init__(exists=True, **kind)

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> Any:
        """Raises SourceNoAnswer, and click's errors."""
        answered(lambda: os.stat(value))  # noqa: PTH116 - paths may be bytes here
        return super().convert(value, param, ctx)

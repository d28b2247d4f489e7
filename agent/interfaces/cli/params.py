"""Parameter types that several commands use: names, and paths that must exist."""

import os
import sys
from glob import glob
from typing import Any

import click

from agent.domain.confusables import is_visible
from agent.domain.names import tidy
from agent.infrastructure.core.abandonable_calls import answered
from agent.infrastructure.core.i18n import Texts
from agent.interfaces.cli.language import TEXTS

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
        value = _at_home(value)
        answered(lambda: os.stat(value))  # noqa: PTH116 - paths may be bytes here
        return super().convert(value, param, ctx)


class Paths(click.Argument):
    """Any number of paths. Windows' shells leave it to the program which files a name with wildcards means."""

    def type_cast_value(self, ctx: click.Context, value: Any) -> Any:
        several = isinstance(value, tuple | list)
        return super().type_cast_value(ctx, tuple(found for each in value for found in _matching(each)) if several else value)


def _matching(path: str) -> list[str]:
    """Return the files with such a name, or the name itself if there is none: it is said to be missing."""
    if sys.platform != "win32" or not any(wildcard in path for wildcard in "*?"):
        return [path]
    return sorted(glob(_at_home(path).replace("[", "[[]"))) or [path]  # noqa: PTH207 - brackets are ordinary in names


def _at_home(path: Any) -> Any:
    """Return the path with the user's home in place of `~`, which Windows' shells leave alone."""
    return os.path.expanduser(path) if sys.platform == "win32" and str(path).startswith(("~/", "~\\")) else path  # noqa: PTH111

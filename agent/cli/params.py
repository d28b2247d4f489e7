"""Parameter types that several commands use."""

import click

from agent.core.i18n import Texts

LONGEST_NAME = 200


class _PersonName(click.ParamType[str]):
    """A valid name for a person: not empty, not too long, without characters that cannot be stored."""

    name = "NAME"

    def convert(self, value: str, param: click.Parameter | None, ctx: click.Context | None) -> str:
        session = None if ctx is None else ctx.find_root().obj
        texts: Texts = Texts() if session is None else session.texts
        tidy = value.strip()
        if not tidy:
            self.fail(texts("cli.name.empty"), param, ctx)
        if len(tidy) > LONGEST_NAME:
            self.fail(texts("cli.name.long", most=LONGEST_NAME), param, ctx)
        if not tidy.isprintable():  # surrogates of undecodable bytes and control characters
            self.fail(texts("cli.name.unprintable"), param, ctx)
        return tidy


PERSON_NAME = _PersonName()

"""The API schemas of desktop requests: the place in the UI to open in the browser."""

from typing import Annotated, TypeAlias

from pydantic import StringConstraints

from agent.interfaces.web.schema_base import Schema

PAGES = ("photos", "albums", "people", "problems", "online-only", "covers", "status", "settings", "help")
At: TypeAlias = Annotated[str, StringConstraints(pattern=rf"^(photo-[0-9]{{1,15}}|({'|'.join(PAGES)})(/[A-Za-z0-9_.-]{{1,80}}){{0,2}})$")]
"""A place in the UI, as its fragments name them (`ui/src/lib/route.ts`): `photo-12`, `problems/7`, `settings/engine.max_cores`."""


class OpenRequest(Schema):
    at: At = "photos"

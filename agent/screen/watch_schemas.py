"""The API schemas of screen watching."""

from datetime import datetime
from typing import Annotated, Literal

from pydantic import Field

from agent.web.schemas import Problem, Schema


class WatchSaid(Schema):
    """An alert, in the program's language. It is kept until the program ends."""

    number: int
    at: datetime
    kind: Literal["new_face", "person", "shared"]
    text: str
    person_id: int | None


class WatchOut(Schema):
    state: Literal["off", "on", "paused", "snoozed", "battery", "locked", "call", "failed"]
    until: datetime | None
    """snoozed until then"""
    problem: Problem | None
    said: tuple[WatchSaid, ...]
    """the newest last"""


class WatchSwitch(Schema):
    on: bool


class WatchSnooze(Schema):
    minutes: Annotated[int, Field(ge=1, le=10_080)] | None = None
    """null, and not until tomorrow: watch again"""
    until_tomorrow: bool = False

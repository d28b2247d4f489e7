"""The API schema of the update state."""

from datetime import datetime
from typing import Literal

from agent.web.schemas import Problem, Schema


class UpdateOut(Schema):
    step: Literal["off", "current", "available", "ready", "managed"]
    """off: this build has no update server; ready: it is installed at the next quit; managed: `command` installs it"""
    wanted: bool
    """checked automatically"""
    channel: Literal["stable", "beta"]
    version: str | None
    """the newer one"""
    news: str | None
    """the changes, in the program's language"""
    command: str | None
    checked_at: datetime | None
    problem: Problem | None
    """why the check or download failed"""
    outcome: Problem | None
    """of the last installation, if it was rolled back"""

"""Settings of the program itself: its log and its updates."""

from enum import StrEnum
from typing import Annotated

from pydantic import Field

from agent.core.setting_section import Section


class LogTarget(StrEnum):
    FILE = "file"
    STDOUT = "stdout"


class LogSettings(Section):
    target: LogTarget = LogTarget.FILE
    """Where the log goes: rotating files, or standard output, for containers. Commands and the desktop always write files."""
    level: Annotated[str, Field(pattern="^(debug|info|warning|error)$")] = "info"
    """What is written at least."""
    max_mb: Annotated[int, Field(ge=1, le=1_024)] = 10
    """Size of one log file."""
    files: Annotated[int, Field(ge=1, le=100)] = 5
    """How many are kept."""


class UpdateChannel(StrEnum):
    AUTO = "auto"
    STABLE = "stable"
    BETA = "beta"


class UpdateSettings(Section):
    enabled: bool = True
    """Check once a day for a newer version and download it, if this build has an update server."""
    channel: UpdateChannel = UpdateChannel.AUTO
    """Which versions: `auto` is the channel this build is of, `beta` also brings those that are still being tried out."""

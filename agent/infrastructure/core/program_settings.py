"""Settings of the program itself: its log, the memory of its processes, and its updates."""

from enum import StrEnum
from typing import Annotated

from pydantic import Field

from agent.infrastructure.core.setting_section import Section


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


class MemorySettings(Section):
    """Thresholds for the memory of each kind of process. The engine's processes have `engine.max_memory_mb`."""

    agent_mb: Annotated[int, Field(ge=0, le=1_048_576)] = 800
    """The agent; beyond, it frees what it only caches, and says so. 0 is none, as in all of this section."""
    popup_mb: Annotated[int, Field(ge=0, le=1_048_576)] = 1_500
    """The popup's window; beyond, it is started anew when it is hidden."""
    screen_mb: Annotated[int, Field(ge=0, le=1_048_576)] = 1_500
    """The engine for captures and watching the screen; beyond, it is started anew once no capture is under review."""
    matcher_mb: Annotated[int, Field(ge=0, le=1_048_576)] = 500
    """The process that compares faces, besides 4 kB for each face it holds; beyond, it is started anew after its question."""
    server_mb: Annotated[int, Field(ge=0, le=1_048_576)] = 1_500
    """The team server's own process; beyond, it warns, and drains and ends if something starts it again."""
    worker_mb: Annotated[int, Field(ge=0, le=1_048_576)] = 1_000
    """A worker; beyond, it warns, and finishes its photos and ends if the server or something else starts it again."""
    again_minutes: Annotated[int, Field(ge=0, le=1_440)] = 10
    """Time between two restarts of the same process for its memory."""


class UpdateChannel(StrEnum):
    AUTO = "auto"
    STABLE = "stable"
    BETA = "beta"


class UpdateSettings(Section):
    enabled: bool = True
    """Check once a day for a newer version and download it, if this build has an update server."""
    channel: UpdateChannel = UpdateChannel.AUTO
    """Which versions: `auto` is the channel this build is of, `beta` also brings those that are still being tried out."""

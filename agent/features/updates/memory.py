"""Stores which releases were seen, offered and tried, in one file: above all the newest, so that no older one is accepted again."""

from pathlib import Path
from typing import TypeAlias

import structlog
from pydantic import AwareDatetime, BaseModel, ConfigDict, ValidationError

from agent.domain.errors import AgentError, Param, from_code
from agent.features.updates.manifest import FileEntry
from agent.infrastructure.core.files import write_private
from agent.infrastructure.core.paths import make_private

log = structlog.get_logger()

MEMORY_FILE = "memory.json"
Params: TypeAlias = dict[str, Param]


class _Part(BaseModel):
    model_config = ConfigDict(frozen=True)


class ToldError(_Part):
    """An error, as shown by a later process."""

    code: str
    params: Params = {}

    @classmethod
    def of(cls, error: AgentError) -> "ToldError":
        return cls(code=error.code, params=error.params)

    def error(self) -> AgentError:
        return from_code(self.code, self.params)


class SeenRelease(_Part):
    version: str
    published: AwareDatetime


class Offer(_Part):
    """The newest release of a channel; `file` is the one for this computer, None if there is none."""

    version: str
    channel: str
    news: dict[str, str] = {}
    file: FileEntry | None = None


class Memory(_Part):
    seen: dict[str, SeenRelease] = {}  # by channel
    checked_at: AwareDatetime | None = None
    failures: int = 0  # since the last successful check
    problem: ToldError | None = None
    offer: Offer | None = None
    given_up: dict[str, int] = {}  # versions that did not start, and their number of attempts
    outcome: ToldError | None = None  # of the last installation, if it was rolled back


class MemoryFile:
    """The file in `folder`. One process writes at a time: the agent's worker, or the holder of the instance's lock."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._path = folder / MEMORY_FILE

    def read(self) -> Memory:
        """The stored state; an unreadable file counts as empty."""
        try:
            return Memory.model_validate_json(self._path.read_bytes())
        except FileNotFoundError:
            return Memory()
        except (OSError, ValidationError):
            log.warning("updates.memory_unreadable")
            return Memory()

    def write(self, memory: Memory) -> None:
        """Save the state. Raises OSError, StoreError."""
        make_private(self._folder)
        write_private(self._path, memory.model_dump_json(indent=1).encode())

    def change(self, **facts: object) -> Memory:
        """Update some fields. Raises OSError, StoreError."""
        memory = self.read().model_copy(update=facts)
        self.write(memory)
        return memory

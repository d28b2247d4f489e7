"""How much memory each kind of process may take, by the settings."""

from collections.abc import Iterable, Mapping
from typing import Final

from agent.inference.engine.monitor import limit_of
from agent.inference.engine.process_meter import total_memory
from agent.inference.engine.worker_slot import most_processes
from agent.infrastructure.core.memory_guard import FACE_BYTES, MB, ProcessKind
from agent.infrastructure.core.settings import Settings

ENGINE: Final = "engine"  # all engine processes of one agent or worker together
OF_SERVER: Final = (ProcessKind.SERVER, ProcessKind.WORKER, ProcessKind.MATCHER)
OF_WORKER: Final = (ProcessKind.WORKER, ProcessKind.MATCHER)
OF_AGENT: Final = (ProcessKind.AGENT, ProcessKind.MATCHER, ProcessKind.SCREEN, ProcessKind.POPUP)


def thresholds(settings: Settings, kinds: Iterable[ProcessKind], faces: int) -> Mapping[str, int]:
    """Bytes by kind, without kinds that have none; `faces` are those that the matcher holds."""
    found = {str(kind): int(getattr(settings.memory, f"{kind}_mb")) * MB for kind in kinds}
    if found.get(ProcessKind.MATCHER):
        found[ProcessKind.MATCHER] += faces * FACE_BYTES
    found[ENGINE] = limit_of(settings.engine, most_processes(settings.engine), total_memory())
    return {kind: limit for kind, limit in found.items() if limit}

"""Memory and processor time of the agent, of its engine, and of all else that runs here."""

from collections.abc import Sequence

import psutil

from agent.app.monitor import Usage


class ProcessMeter:
    """Reads figures since the reading before; not for several threads at a time."""

    def __init__(self) -> None:
        self._cores = psutil.cpu_count() or 1
        self._own = psutil.Process()
        self._engine: dict[int, psutil.Process] = {}
        self.read([])  # shares are counted from here on

    def read(self, engine: Sequence[int]) -> Usage:
        """`engine` are the process ids of the engine. A process that is gone counts as nothing, and so does what the system won't tell."""
        try:
            return self._read(engine)
        except (psutil.Error, OSError):  # a sandbox without /proc, for example
            return Usage()

    def _read(self, engine: Sequence[int]) -> Usage:
        memory, cpu = 0, 0.0
        self._engine = {pid: process for pid, process in self._engine.items() if pid in engine}
        for pid in engine:
            try:
                process = self._engine.get(pid) or psutil.Process(pid)
                self._engine[pid] = process
                memory += process.memory_info().rss
                cpu += process.cpu_percent()
            except psutil.Error:
                self._engine.pop(pid, None)
        own = self._own.cpu_percent() / self._cores / 100
        share = cpu / self._cores / 100
        return Usage(
            agent_memory=self._own.memory_info().rss,
            engine_memory=memory,
            agent_cpu=own,
            engine_cpu=share,
            others_cpu=max(0.0, psutil.cpu_percent() / 100 - own - share),
        )


def total_memory() -> int:
    """Bytes of memory this computer has."""
    return int(psutil.virtual_memory().total)

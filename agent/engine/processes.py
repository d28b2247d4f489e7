"""Memory and processor time of the agent, of its engine, and of all else that runs here."""

import os
import sys
from collections.abc import Sequence

import psutil

from agent.engine.monitor import Usage


class ProcessMeter:
    """Reads figures since the reading before, whichever thread made it; not for several threads at a time."""

    def __init__(self) -> None:
        self._own = psutil.Process()
        self._engine: dict[psutil.Process, float] = {}  # what each had taken; equal only if started at the same moment
        self._busy = self._total = self._agent = self._family = 0.0
        self.read([])  # shares are counted from here on

    def read(self, engine: Sequence[int]) -> Usage:
        """`engine` are the process ids of the engine. A process that is gone counts as nothing, and so does what the system won't tell."""
        try:
            return self._read(engine)
        except (psutil.Error, OSError):  # a sandbox without /proc, for example
            return Usage()

    def _read(self, engine: Sequence[int]) -> Usage:
        memory, worked = 0, 0.0
        before, self._engine = self._engine, {}
        for pid in engine:
            try:
                process = psutil.Process(pid)
                memory += process.memory_info().rss
                taken = _seconds(process)
            except psutil.Error:
                continue
            worked += taken - before.get(process, 0.0)
            self._engine[process] = taken
        busy, total = _system()
        agent, family = _seconds(self._own), self._family_seconds()
        passed = total - self._total

        def share(seconds: float) -> float:
            return min(1.0, max(0.0, seconds / passed)) if passed > 0 else 0.0

        usage = Usage(
            agent_memory=self._own.memory_info().rss,
            engine_memory=memory,
            agent_cpu=share(agent - self._agent),
            engine_cpu=share(worked),
            others_cpu=share((busy - self._busy) - max(0.0, family - self._family)),
        )
        self._busy, self._total, self._agent, self._family = busy, total, agent, family
        return usage

    def _family_seconds(self) -> float:
        """What the agent and all that it started have taken: engine, popup and the popup's own processes.

        Those that ended are in their parent's figure, so that nothing is lost or counted twice.
        """
        taken = _seconds(self._own, ended=True)
        for child in self._own.children(recursive=True) if _has_children() else ():
            try:
                taken += _seconds(child, ended=True)
            except psutil.Error:
                continue
        return taken


def _has_children() -> bool:
    """False if this process has none for sure. To list them each process of the system is asked: most of what an idle agent did."""
    if sys.platform == "win32" or not hasattr(os, "waitid"):
        return True
    try:
        os.waitid(os.P_ALL, 0, os.WEXITED | os.WNOHANG | os.WNOWAIT)  # reaps nothing
    except ChildProcessError:
        return False
    return True


def _seconds(process: psutil.Process, *, ended: bool = False) -> float:
    """Processor time it has taken so far; with `ended`, its children that ended too (no system but Unix tells them)."""
    times = process.cpu_times()
    return float(times.user + times.system + (times.children_user + times.children_system if ended else 0.0))


def _system() -> tuple[float, float]:
    """Seconds of all cores: those used by programs here, and all that passed. What another virtual machine took is not used here.

    Not `psutil.cpu_percent`, which counts from the last call in the same thread: in a pool's threads that may be a busy hour ago.
    """
    times = psutil.cpu_times()
    busy = times.user + times.system + getattr(times, "nice", 0.0)
    return busy, busy + sum(getattr(times, name, 0.0) for name in ("idle", "iowait", "steal"))


def total_memory() -> int:
    """Bytes of memory this computer has."""
    return int(psutil.virtual_memory().total)

"""Measures memory and processor time of the agent, its engine, and all other programs."""

import os
import sys
from collections.abc import Sequence

import psutil

from agent.inference.engine.monitor import EngineUsage


class ProcessMeter:
    """Measures since the previous reading, from any thread; not concurrently."""

    def __init__(self) -> None:
        self._own = psutil.Process()
        self._engine: dict[psutil.Process, float] = {}  # their earlier values; equal only for the same start time
        self._busy = self._total = self._agent = self._family = 0.0
        self.read([])  # shares are counted from here on

    def read(self, engine: Sequence[int]) -> EngineUsage:
        """Read the figures; `engine` are the process ids of the engine. Missing processes and unavailable values count as nothing."""
        try:
            return self._read(engine)
        except (psutil.Error, OSError):  # a sandbox without /proc, for example
            return EngineUsage()

    def _read(self, engine: Sequence[int]) -> EngineUsage:
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

        usage = EngineUsage(
            agent_memory=self._own.memory_info().rss,
            engine_memory=memory,
            agent_cpu=share(agent - self._agent),
            engine_cpu=share(worked),
            others_cpu=share((busy - self._busy) - max(0.0, family - self._family)),
        )
        self._busy, self._total, self._agent, self._family = busy, total, agent, family
        return usage

    def _family_seconds(self) -> float:
        """Return the processor time of the agent and all its descendants: engine, popup and the popup's own processes.

        Ended processes are included in their parent's value, so nothing is lost or counted twice.
        """
        taken = _seconds(self._own, ended=True)
        for child in self._own.children(recursive=True) if _has_children() else ():
            try:
                taken += _seconds(child, ended=True)
            except psutil.Error:
                continue
        return taken


def _has_children() -> bool:
    """Return False if this process certainly has no children. Listing them queries each process of the system, which is slow when idle."""
    if sys.platform == "win32" or not hasattr(os, "waitid"):
        return True
    try:
        os.waitid(os.P_ALL, 0, os.WEXITED | os.WNOHANG | os.WNOWAIT)  # reaps nothing
    except ChildProcessError:
        return False
    return True


def _seconds(process: psutil.Process, *, ended: bool = False) -> float:
    """Return a process's processor time; with `ended`, including its ended children (only Unix reports them)."""
    times = process.cpu_times()
    return float(times.user + times.system + (times.children_user + times.children_system if ended else 0.0))


def _system() -> tuple[float, float]:
    """Return seconds of all cores: used by programs here, and elapsed. Time taken by other virtual machines is not used here.

    Not `psutil.cpu_percent`, which counts from the last call in the same thread, which in a thread pool may be long ago.
    """
    times = psutil.cpu_times()
    busy = times.user + times.system + getattr(times, "nice", 0.0)
    return busy, busy + sum(getattr(times, name, 0.0) for name in ("idle", "iowait", "steal"))


def total_memory() -> int:
    """Return this computer's memory in bytes."""
    return int(psutil.virtual_memory().total)

"""Memory and processor time of this process and its descendants, by what they are."""

import threading
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Final

import psutil

# The first of these words in a command line says what the process is.
_KINDS: Final = {
    "engine-worker": "engine",
    "match-worker": "matcher",
    "screen-worker": "screen",
    "popup-window": "popup",
    "worker": "worker",
}


@dataclass(frozen=True, slots=True)
class ProcessFigures:
    """By kind. Processor time is of ended processes too, as far as it was seen."""

    memory: Counter[str] = field(default_factory=Counter)  # resident bytes
    cpu: Counter[str] = field(default_factory=Counter)  # seconds
    count: Counter[str] = field(default_factory=Counter)


class Processes:
    """`own` names this process."""

    def __init__(self, own: str, root: Callable[[], psutil.Process] = psutil.Process) -> None:
        self._own = own
        self._root = root
        self._seen: dict[tuple[int, float], float] = {}  # seconds, by process id and start
        self._cpu: Counter[str] = Counter()
        self._turn = threading.Lock()

    def read(self) -> ProcessFigures:
        """Blocks for some milliseconds. Processes that end meanwhile count as nothing."""
        with self._turn:
            return self._read()

    def _read(self) -> ProcessFigures:
        memory, count, seen = Counter[str](), Counter[str](), dict[tuple[int, float], float]()
        try:
            root = self._root()
            family = [(self._own, root), *((None, each) for each in root.children(recursive=True))]
        except psutil.Error:
            return ProcessFigures()
        for known, process in family:
            try:
                with process.oneshot():
                    kind = known or kind_of(process.name(), process.cmdline())
                    times, key = process.cpu_times(), (process.pid, process.create_time())
                    memory[kind] += process.memory_info().rss
            except psutil.Error:
                continue
            taken = float(times.user + times.system)
            count[kind] += 1
            self._cpu[kind] += max(0.0, taken - self._seen.get(key, 0.0))  # type: ignore[assignment]  # a Counter adds floats too
            seen[key] = taken
        self._seen = seen
        return ProcessFigures(memory, self._cpu.copy(), count)


def kind_of(name: str, words: Sequence[str]) -> str:
    """What a descendant is: `engine`, `matcher`, `screen`, `popup`, `worker`, `postgres` or `other`."""
    if name.startswith("postgres"):
        return "postgres"
    return next((kind for word, kind in _KINDS.items() if word in words), "other")

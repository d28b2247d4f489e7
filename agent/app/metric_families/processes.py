"""Memory and processor time of this process and its descendants, by what they are."""

import threading
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Final, NamedTuple

import psutil

# The first of these words in a command line says what the process is.
_KINDS: Final = {
    "engine-worker": "engine",
    "match-worker": "matcher",
    "screen-worker": "screen",
    "popup-window": "popup",
    "worker": "worker",
}
_OTHER: Final = "other"


@dataclass(frozen=True, slots=True)
class ProcessFigures:
    """By kind. Processor time is of ended processes too, as far as it was seen."""

    memory: Counter[str] = field(default_factory=Counter)  # resident bytes
    cpu: Counter[str] = field(default_factory=Counter)  # seconds
    count: Counter[str] = field(default_factory=Counter)
    largest: Mapping[str, int] = field(default_factory=dict)  # resident bytes of the largest that has a threshold of its own


class _Measured(NamedTuple):
    pid: int
    parent: int
    kind: str
    memory: int


def _largest(measured: Sequence[_Measured]) -> dict[str, int]:
    """By kind. The engines of one parent have one threshold, and so has a popup with its web view; otherwise it is each process."""
    known = {each.pid: each for each in measured}
    together: Counter[tuple[str, int]] = Counter()
    for each in measured:
        above = known.get(each.parent)
        while each.kind == _OTHER and above is not None and above.kind == _OTHER:
            above = known.get(above.parent)
        if each.kind == "engine":
            together["engine", each.parent] += each.memory
        elif each.kind == _OTHER and above is not None and above.kind == "popup":
            together["popup", above.pid] += each.memory
        else:
            together[each.kind, each.pid] += each.memory
    largest: dict[str, int] = {}
    for (kind, _), size in together.items():
        largest[kind] = max(size, largest.get(kind, 0))
    return largest


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
        measured = list[_Measured]()
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
                    each = _Measured(process.pid, process.ppid(), kind, process.memory_info().rss)
            except psutil.Error:
                continue
            taken = float(times.user + times.system)
            measured.append(each)
            memory[kind] += each.memory
            count[kind] += 1
            self._cpu[kind] += max(0.0, taken - self._seen.get(key, 0.0))  # type: ignore[assignment]  # a Counter adds floats too
            seen[key] = taken
        self._seen = seen
        return ProcessFigures(memory, self._cpu.copy(), count, _largest(measured))


def kind_of(name: str, words: Sequence[str]) -> str:
    """What a descendant is: `engine`, `matcher`, `screen`, `popup`, `worker`, `postgres` or `other`."""
    if name.startswith("postgres"):
        return "postgres"
    return next((kind for word, kind in _KINDS.items() if word in words), _OTHER)

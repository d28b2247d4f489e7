"""Sorts a watched folder's system events: which files may have changed, disappeared or moved."""

import os
import time
from collections.abc import Callable
from dataclasses import dataclass, field

from watchdog.events import (
    DirCreatedEvent,
    DirDeletedEvent,
    DirMovedEvent,
    FileClosedEvent,
    FileDeletedEvent,
    FileMovedEvent,
    FileSystemEvent,
)

from agent.domain.image import is_image, is_sidecar
from agent.infrastructure.sources.folder.debounce import Debouncer
from agent.infrastructure.sources.folder.folder_rules import Matcher
from agent.infrastructure.sources.folder.folder_scan import ancestors, is_below

Clock = Callable[[], float]


@dataclass(frozen=True, slots=True)
class FolderMove:
    """A file, or a folder with everything below it, moved to another path inside the same watched folder."""

    old: str
    new: str
    tree: bool


@dataclass(slots=True)
class Hints:
    """The pending checks, bounded by `limit`: beyond it all are dropped and `overflow` requests a scan of the whole folder."""

    root: str  # as in the settings
    real: str  # as the system names it
    matcher: Matcher
    settling: Debouncer
    limit: int
    gone_delay_s: float  # a deletion may be half of a move
    mine: Callable[[str], bool]  # False for paths of an inner folder that is watched separately
    clock: Clock = time.monotonic
    vague_deletions: bool = os.name == "nt"  # Windows does not say whether it was a file or a folder
    gone: dict[str, float] = field(default_factory=dict)  # path -> when to treat it as deleted
    trees: dict[str, float] = field(default_factory=dict)  # new folders -> when to scan them
    moves: list[FolderMove] = field(default_factory=list)
    moved_at: float = 0.0
    overflow: bool = False
    root_in_doubt: bool = False

    def take(self, event: FileSystemEvent) -> None:
        """Sort one event. A move from or to outside has an empty path there."""
        old, new = self._path(event.src_path), self._path(event.dest_path)
        match event:
            case DirMovedEvent():
                self._tree_moved(old, new)
            case DirCreatedEvent():
                self._tree_appeared(old)
            case DirDeletedEvent():
                self._tree_gone(old)
            case FileMovedEvent():
                self._file_moved(old, new)
            case FileDeletedEvent() if self._takes(old):
                self._file_gone(old)
            case FileDeletedEvent() if self.matcher.sidecars and is_sidecar(old):
                self.settling.forget(old)  # data recorded for its content stays
            case FileDeletedEvent() if self.vague_deletions and not is_image(old):
                self._tree_gone(old)
            case _ if self._takes(old) or self._takes_sidecar(old):
                self._file_hinted(old, closed=isinstance(event, FileClosedEvent))
        if max(len(self.gone), len(self.trees), len(self.moves)) > self.limit:
            self.forget_all()

    def forget_all(self) -> None:
        """Drop everything: events were lost or are too many."""
        self.gone.clear()
        self.trees.clear()
        self.moves.clear()
        self.settling.clear()
        self.overflow = True

    def take_moves(self) -> list[FolderMove]:
        """The moves so far, without those that another one implies."""
        moves, self.moves = self.moves, []
        return collapse(moves)

    def hint(self, path: str, *, closed: bool = False) -> None:
        """Check this file, and take it once it is complete."""
        if not self.settling.hint(path, self.clock(), closed=closed):
            self.forget_all()

    def _file_hinted(self, path: str, *, closed: bool) -> None:
        self.gone.pop(path, None)
        self.hint(path, closed=closed)

    def _file_gone(self, path: str) -> None:
        self.settling.forget(path)
        self.gone[path] = self.clock() + self.gone_delay_s

    def _file_moved(self, old: str, new: str) -> None:
        was, is_ = self._takes(old), self._takes(new)
        if was and is_ and old not in self.settling:
            self.gone.pop(new, None)
            self._moved(FolderMove(old, new, tree=False))
        elif is_ or self._takes_sidecar(new):
            # A file renamed into place is complete; one renamed while being written will be closed under its new name.
            closed = old not in self.settling or self.settling.closed(old)
            self.settling.forget(old)
            self._file_hinted(new, closed=closed)
        if was and not is_:
            self._file_gone(old)

    def _tree_appeared(self, path: str) -> None:
        if self._enters(path):
            self.trees[path] = self.clock() + 0.1

    def _tree_gone(self, path: str) -> None:
        if path == self.root or is_below(self.root, path):
            self.root_in_doubt = True
        elif self._enters(path):
            self.settling.forget_below(path)
            self.trees.pop(path, None)
            self.gone[path] = self.clock() + self.gone_delay_s

    def _tree_moved(self, old: str, new: str) -> None:
        was, is_ = self._enters(old), self._enters(new)
        if was and is_:
            for path in self.settling.forget_below(old):
                self.hint(new + path[len(old) :])
            self.trees = _rekeyed(self.trees, old, new)
            self.gone = _rekeyed(self.gone, old, new)
            self._moved(FolderMove(old, new, tree=True))
        elif is_:
            self._tree_appeared(new)
        elif was or old == self.root:
            self._tree_gone(old)

    def _moved(self, move: FolderMove) -> None:
        self.moves.append(move)
        self.moved_at = self.clock()

    def _takes(self, path: str) -> bool:
        return bool(path) and is_below(path, self.root) and self.matcher.takes(path) and self.mine(path)

    def _takes_sidecar(self, path: str) -> bool:
        return bool(path) and is_below(path, self.root) and self.matcher.takes_sidecar(path) and self.mine(path)

    def _enters(self, path: str) -> bool:
        return bool(path) and is_below(path, self.root) and self.matcher.enters(path) and self.mine(path)

    def _path(self, told: bytes | str) -> str:
        """A path in the settings' spelling, where the watched folder is a link."""
        path = os.fsdecode(told)
        return self.root + path[len(self.real) :] if path == self.real or is_below(path, self.real) else path


def _rekeyed(paths: dict[str, float], old: str, new: str) -> dict[str, float]:
    """The paths with a renamed folder's new name."""
    return {new + path[len(old) :] if path == old or is_below(path, old) else path: due for path, due in paths.items()}


def collapse(moves: list[FolderMove]) -> list[FolderMove]:
    """Leave out moves implied by a folder's move: the system reports a renamed folder and each item in it, in any order."""
    trees = {move.old: move.new for move in moves if move.tree}

    def implied(move: FolderMove) -> bool:
        return any(above in trees and move.new == trees[above] + move.old[len(above) :] for above in ancestors(move.old))

    return [move for move in moves if not implied(move)]

"""The windows on the screen: the window of a face, whether a call is in front, and whether the screen is shared."""

from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass, field
from fnmatch import fnmatchcase

from agent.domain.face import Box


@dataclass(frozen=True, slots=True)
class Window:
    """One visible window. Its title stays here: it is only compared with the settings."""

    programs: tuple[str, ...]  # names of its program and of its class
    area: Box  # in captured pixels, from the top left of all monitors
    title: str = field(default="", repr=False)
    own: bool = False  # belongs to this program


@dataclass(frozen=True, slots=True)
class Scene:
    windows: tuple[Window, ...] = ()  # topmost first; empty if the system does not report them

    def shared(self, signs: Sequence[str]) -> bool:
        return any(_any_like((*window.programs, window.title), signs) for window in self.windows)

    def counts(self, box: Box, only_in: Sequence[str], not_in: Sequence[str]) -> bool:
        """Return whether a face there counts: not in this program's windows, and only in the chosen programs if windows are known."""
        window = next((each for each in self.windows if _holds(each.area, box)), None)
        if window is None:
            return not only_in
        return not window.own and (not only_in or _any_like(window.programs, only_in)) and not _any_like(window.programs, not_in)


def is_of(window: Window | None, programs: Sequence[str]) -> bool:
    """Return whether the window belongs to one of these programs."""
    return window is not None and _any_like(window.programs, programs)


def _holds(area: Box, box: Box) -> bool:
    """Return whether the area contains the box's centre."""
    x, y = box.x + box.w / 2 - area.x, box.y + box.h / 2 - area.y
    return 0 <= x < area.w and 0 <= y < area.h


def _any_like(names: Collection[str], patterns: Sequence[str]) -> bool:
    return any(fnmatchcase(name, pattern) for name in _plain(names) for pattern in _plain(patterns))


def _plain(words: Collection[str]) -> Iterator[str]:
    return (word.casefold() for word in words)

"""Updates clusters while faces are added one by one, by the rules of `agent.vision.clusterer`."""

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from itertools import islice
from typing import TypeAlias

import numpy as np
from numpy.typing import NDArray

from agent.domain.clustering import GroupBounds, cosine
from agent.vision.core import ALONE, Apart, Core, strangers_of

Floats: TypeAlias = NDArray[np.float32]

_AT_ONCE = 1_000  # vectors read


@dataclass(frozen=True, slots=True)
class Member:
    """A face as stored; -1 is an unknown photo, no name, no cluster."""

    face: int
    trust: float
    photo: int = -1
    person: int = -1
    label: int = ALONE


class Grouping:
    """The clusters of a library. Not thread-safe.

    `vectors` returns the vectors of faces by their ids, float32 [n, d], rows of length 1. `cannot` holds pairs of faces to keep apart.
    Cores only grow and merge, because merged faces can't be separated individually; faces that joined by nearness alone may leave.
    """

    def __init__(
        self,
        vectors: Callable[[Sequence[int]], Floats],
        members: Iterable[Member] = (),
        *,
        cannot: Iterable[tuple[int, int]] = (),
        bounds: GroupBounds | None = None,
    ) -> None:
        """For `members` see `restore`."""
        self._vectors, self._bounds = vectors, bounds or GroupBounds()
        self._strangers = strangers_of(cannot)
        self._of: dict[int, Core] = {}
        self._next = 0
        self.restore(members)

    def restore(self, members: Iterable[Member]) -> None:
        """Restore from stored labels of any origin; all faces of a label at once.

        Raises ValueError if a face exists already.
        """
        labelled: dict[int, list[Core]] = {}
        for page in _pages(members):
            for member, vector in zip(page, self._vectors([member.face for member in page]), strict=True):
                single = self._single(member, vector)
                if member.label != ALONE:
                    labelled.setdefault(member.label, []).append(single)
        for label, singles in labelled.items():
            self._restore(label, singles)

    def label(self, face: int) -> int:
        """Return the label, -1 for a face that is alone. Raises KeyError for an unknown face."""
        return self._of[face].shown

    def add(self, member: Member, vector: Floats, near: Iterable[tuple[int, float]]) -> dict[int, int]:
        """Place a new face. Return the new labels of all faces whose label changed, including its own.

        `near`: the ids and Euclidean distances of its nearest faces, in any order; the sixteen nearest within `bounds.within` are enough.
        Raises ValueError if the face exists already.
        """
        group = self._single(member, vector)
        around = _distinct(self._of[face] for face, _ in near if face in self._of and face != member.face)
        before: dict[int, int | None] = {member.face: None}
        while united := self._likest(group, around):
            around.remove(united)
            group = self._unite(group, united, before)
        if group.label == ALONE and len(group.faces) > 1:
            _note(before, group)
            group.label, self._next = self._next, self._next + 1
        homes = [core for core in _distinct(core.home or core for core in (group, *around)) if len(core.supporters) >= self._bounds.agree]
        for core in (group, *around):
            self._settle(core, homes, before)
        return {face: self.label(face) for face, label in before.items() if label != self.label(face)}

    def _single(self, member: Member, vector: Floats) -> Core:
        if member.face in self._of:
            raise ValueError("this face has its place already")
        apart = Apart.of(member.face, member.photo, member.person, self._strangers.get(member.face, ()))
        core = self._of[member.face] = Core(member.face, vector, member.trust >= self._bounds.trusted, apart)
        return core

    def _restore(self, label: int, singles: Sequence[Core]) -> None:
        """Restore a cluster: faces similar to the whole are its core; the others are its guests, as before."""
        self._next = max(self._next, label + 1)
        total = np.sum([single.sum for single in singles], axis=0)
        trusted = max(1, sum(len(single.supporters) for single in singles))
        like = [float(single.sum @ total) / trusted if single.supporters else -1.0 for single in singles]
        first = singles[int(np.argmax(like))]
        first.label = label
        for single, score in zip(singles, like, strict=True):
            if single is first:
                continue
            if single.apart.person >= 0 or score >= cosine(self._bounds.alike):
                first.take(single)
                self._of[single.faces[0]] = first
            else:
                single.join(first)

    def _likest(self, group: Core, around: Iterable[Core]) -> Core | None:
        """Return the most similar core, if similar enough. Two small clusters must be more similar, because they stay together."""
        found, best = None, -1.0
        for other in around:
            if group.supporters and other.supporters and group.apart.allows(other.apart):
                small = max(len(group.supporters), len(other.supporters)) < self._bounds.settled
                score = group.alike(other)
                if score > best and score >= cosine(self._bounds.early if small else self._bounds.alike):
                    found, best = other, score
        return found

    def _unite(self, one: Core, other: Core, before: dict[int, int | None]) -> Core:
        """Merge the smaller core and its guests into the larger; guests that a constraint keeps apart must leave."""
        into, gone = (one, other) if len(one.faces) >= len(other.faces) else (other, one)
        for core in (into, gone, *into.guests, *gone.guests):
            if core is not into or core.label == ALONE or core.home is not None:
                _note(before, core)
        guests = [*into.guests, *gone.guests]
        for core in (into, gone, *guests):
            core.leave()
        into.take(gone)
        self._of.update(dict.fromkeys(gone.faces, into))
        for guest in guests:
            if into.hosts(guest.apart):
                guest.join(into)
        return into

    def _settle(self, core: Core, homes: Sequence[Core], before: dict[int, int | None]) -> None:
        """Join a core to the much larger one that it is near, clearly nearest: it may have joined another before."""
        able = [home for home in homes if home is not core and home.hosts(core.apart, but=core)]
        if core.guests or not any(self._much_larger(home, core) for home in able):
            return
        scores = [self._near(core, home) for home in able]
        best = int(np.argmax(scores))
        rival = max((score for at, score in enumerate(scores) if at != best), default=-1.0)
        easily = len(core.supporters) < self._bounds.agree and len(able[best].supporters) >= self._bounds.large
        needed = self._bounds.near if easily else self._bounds.surely_near
        clear = scores[best] >= cosine(needed) and scores[best] - rival >= self._bounds.ahead
        if clear and self._much_larger(able[best], core) and able[best] is not core.home:
            _note(before, core)
            core.leave()
            core.join(able[best])

    def _much_larger(self, home: Core, core: Core) -> bool:
        return home.home is None and len(home.supporters) >= self._bounds.share * len(core.faces)

    def _near(self, core: Core, home: Core) -> float:
        """Return the mean nearness of its faces, each that of its `agree`-th neighbour among the other's trusted faces."""
        agree, unseen = self._bounds.agree, cosine(self._bounds.near) - self._bounds.ahead
        cosines = self._vectors(core.faces) @ self._vectors(home.supporters).T
        agreeing = np.partition(cosines, -agree, axis=1)[:, -agree]
        return float(np.where(agreeing >= cosine(self._bounds.within), agreeing, unseen).mean())


def _note(before: dict[int, int | None], core: Core) -> None:
    """Remember the displayed labels of its faces."""
    for face in core.faces:
        before.setdefault(face, core.shown)


def _distinct(cores: Iterable[Core]) -> list[Core]:
    return list({id(core): core for core in cores}.values())


def _pages(members: Iterable[Member]) -> Iterator[list[Member]]:
    left = iter(members)
    while page := list(islice(left, _AT_ONCE)):
        yield page

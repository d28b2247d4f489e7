"""Updates clusters while faces are added one by one, by the rules of `agent.inference.vision.clusterer`."""

from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import islice
from typing import TypeAlias

import numpy as np
from numpy.typing import NDArray

from agent.domain.clustering import ClusterThresholds, cosine
from agent.inference.vision.cluster_core import ALONE, Apart, Core, strangers_of

Floats: TypeAlias = NDArray[np.float32]

_AT_ONCE = 1_000  # vectors read


@dataclass(frozen=True, slots=True)
class ClusterMember:
    """A face as stored; -1 is an unknown photo, no name, no cluster."""

    face: int
    trust: float
    photo: int = -1
    person: int = -1
    label: int = ALONE


class IncrementalClusterer:
    """The clusters of a library. Not thread-safe.

    `vectors` returns the vectors of faces by their ids, float32 [n, d], rows of length 1. `cannot` holds pairs of faces to keep apart.
    Small cores are formed anew when a face comes near. Larger ones only grow and merge, because their faces can't be separated
    individually; faces that joined by nearness alone may leave.
    """

    def __init__(
        self,
        vectors: Callable[[Sequence[int]], Floats],
        members: Iterable[ClusterMember] = (),
        *,
        cannot: Iterable[tuple[int, int]] = (),
        bounds: ClusterThresholds | None = None,
    ) -> None:
        """For `members` see `restore`."""
        self._vectors, self._bounds = vectors, bounds or ClusterThresholds()
        self._strangers = strangers_of(cannot)
        self._of: dict[int, Core] = {}
        self._next = 0
        self.restore(members)

    def restore(self, members: Iterable[ClusterMember]) -> None:
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

    def add(self, member: ClusterMember, vector: Floats, near: Iterable[tuple[int, float]]) -> dict[int, int]:
        """Place a new face. Return the new labels of all faces whose label changed, including its own.

        `near`: the ids and Euclidean distances of its nearest faces, in any order; the sixteen nearest within `bounds.within` are enough.
        Raises ValueError if the face exists already.
        """
        single = self._single(member, vector)
        around = _distinct(self._of[face] for face, _ in near if face in self._of and face != member.face)
        before: dict[int, int | None] = {member.face: None}
        were = {face: core.label for core in around for face in core.faces}
        cores = [single, *(part for core in around for part in self._parts(core, before))]
        while pair := self._likest(cores):
            cores = [core for core in cores if core not in pair] + [self._unite(*pair, before)]
        self._name(cores, were)
        homes = [
            core
            for core in _distinct(each for core in (*cores, *around) for each in (core.home or core,))
            if len(core.supporters) >= self._bounds.agree and self._of[core.faces[0]] is core
        ]
        for core in cores:
            self._settle(core, homes, before)
        return {face: self.label(face) for face, label in before.items() if label != self.label(face)}

    def _parts(self, core: Core, before: dict[int, int | None]) -> list[Core]:
        """Return the faces and guests of a small unnamed core, each alone again, to be merged anew; of any other, the core itself.

        Its faces may have been merged before more similar ones came.
        """
        if len(core.faces) == 1 or len(core.photos) < len(core.faces) or core.apart.person >= 0:
            return [core]
        guests, trusted = [*core.guests], set(core.supporters)
        for each in (core, *guests):
            _note(before, each)
            each.leave()
        parts = []
        for face, photo, vector in zip(core.faces, core.photos, self._vectors(core.faces), strict=True):
            apart = Apart.of(face, photo, strangers=self._strangers.get(face, ()))
            part = self._of[face] = Core(face, vector, face in trusted, apart, photo)
            parts.append(part)
        return [*parts, *guests]

    def _name(self, cores: Sequence[Core], were: Mapping[int, int]) -> None:
        """Label new cores: as most of their faces were, if no other core has that label."""
        taken = {core.label for core in cores}
        for core in sorted(cores, key=lambda core: -len(core.faces)):
            if core.label != ALONE or len(core.faces) == 1:
                continue
            free = Counter(label for face in core.faces if (label := were.get(face, ALONE)) not in taken)
            core.label = max(free, key=lambda label: (free[label], -label), default=self._next)
            self._next = max(self._next, core.label + 1)
            taken.add(core.label)

    def _single(self, member: ClusterMember, vector: Floats) -> Core:
        if member.face in self._of:
            raise ValueError("this face has its place already")
        apart = Apart.of(member.face, member.photo, member.person, self._strangers.get(member.face, ()))
        core = self._of[member.face] = Core(member.face, vector, member.trust >= self._bounds.trusted, apart, member.photo)
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
            if single.apart.person >= 0 or score >= cosine(self._bounds.growing):
                first.take(single)
                self._of[single.faces[0]] = first
            else:
                single.join(first)
        if len(first.faces) >= self._bounds.settled:
            first.photos = []

    def _likest(self, cores: Iterable[Core]) -> tuple[Core, Core] | None:
        """Return the most similar pair, if similar enough. Two small ones must be more similar."""
        able = [core for core in cores if core.supporters]
        if len(able) < 2:
            return None
        sums, counts = np.stack([core.sum for core in able]), np.array([len(core.supporters) for core in able])
        scores = np.triu(sums @ sums.T / np.outer(counts, counts), 1)
        small = np.maximum.outer(counts, counts) < self._bounds.settled
        enough = np.flatnonzero(scores >= np.where(small, cosine(self._bounds.early), cosine(self._bounds.growing)))
        for pair in enough[np.argsort(-scores.ravel()[enough], kind="stable")].tolist():
            one, other = able[pair // len(able)], able[pair % len(able)]
            if one.apart.allows(other.apart):
                return one, other
        return None

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
        if len(into.faces) >= self._bounds.settled:
            into.photos = []
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
        nearness = [self._near(core, home) for home in able]
        best = int(np.argmax(nearness))
        unseen = cosine(self._bounds.near)
        if nearness[best] <= unseen or able[best] is core.home or not self._much_larger(able[best], core):
            return
        rival = max((each for at, each in enumerate(nearness) if at != best), default=unseen)
        easily = 0 < len(core.supporters) < self._bounds.agree
        if nearness[best] - rival + self._fit(core, able[best]) >= (self._bounds.joins if easily else self._bounds.surely_joins):
            _note(before, core)
            core.leave()
            core.join(able[best])

    def _much_larger(self, home: Core, core: Core) -> bool:
        return home.home is None and len(home.supporters) >= self._bounds.share * len(core.faces)

    def _near(self, core: Core, home: Core) -> float:
        """Return the mean nearness of its faces, each that of its `agree`-th neighbour among the other's trusted faces."""
        agree, unseen = self._bounds.agree, cosine(self._bounds.near)
        cosines = self._vectors(core.faces) @ self._vectors(home.supporters).T
        agreeing = np.partition(cosines, -agree, axis=1)[:, -agree]
        return float(np.maximum(agreeing, unseen).mean())

    def _fit(self, core: Core, home: Core) -> float:
        """Return the mean cosine between the two's faces, less that among the home's."""
        own = home.sum / len(home.supporters)
        return float((self._vectors(core.supporters or core.faces).mean(axis=0) - own) @ own)


def _note(before: dict[int, int | None], core: Core) -> None:
    """Remember the displayed labels of its faces."""
    for face in core.faces:
        before.setdefault(face, core.shown)


def _distinct(cores: Iterable[Core]) -> list[Core]:
    return list({id(core): core for core in cores}.values())


def _pages(members: Iterable[ClusterMember]) -> Iterator[list[ClusterMember]]:
    left = iter(members)
    while page := list(islice(left, _AT_ONCE)):
        yield page

"""The calls of the matcher, and the validation of its responses."""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from itertools import groupby

from agent.domain.embeddings import ClusterInput, ClusterInputs, FaceEmbedding, Near, Spread
from agent.domain.identity_matching import Candidate
from agent.inference.engine.engine_calls import START_LIMIT_S
from agent.inference.engine.matcher_port import Query
from agent.inference.engine.rpc import DONE, NOTHING, Call, Codec
from agent.inference.engine.sandbox.report import OPEN, Sandbox

# Of MobileFaceNet: 192 values of 4 bytes.
EMBEDDING_BYTES = 768
# Faces per line, of about 1 KB each: writing and reading it takes some milliseconds.
AT_ONCE = 2_500


@dataclass(frozen=True, slots=True)
class MatcherHello:
    """The matcher's first response."""

    pid: int
    wall: Sandbox = OPEN


@dataclass(frozen=True, slots=True)
class Prints:
    """Many face prints, by column: a tenth of the time of single ones."""

    faces: tuple[int, ...]
    embeddings: bytes  # concatenated
    people: tuple[int, ...]
    trust: tuple[float, ...]
    unclear: tuple[int, ...] = ()  # those of the faces that make no other face certain

    @classmethod
    def of(cls, prints: Iterable[FaceEmbedding]) -> "Prints":
        """Build from prints of the right length; faces with others have no neighbours."""
        kept = [each for each in prints if len(each.embedding) == EMBEDDING_BYTES]
        return cls(
            tuple(each.face_id for each in kept),
            b"".join(each.embedding for each in kept),
            tuple(each.person_id for each in kept),
            tuple(each.trust for each in kept),
            tuple(each.face_id for each in kept if not each.clear),
        )


@dataclass(frozen=True, slots=True)
class NearRequest:
    query: Query
    within: float
    limit: int
    named: bool = False


@dataclass(frozen=True, slots=True)
class IdentifyRequest:
    query: Query
    probable: float
    most: int


@dataclass(frozen=True, slots=True)
class SpreadRequest:
    groups: tuple[tuple[int, ...], ...]
    most: int


@dataclass(frozen=True, slots=True)
class Roster:
    """All faces that have a print, by column with their confirmed people."""

    faces: tuple[int, ...]
    people: tuple[int, ...]  # 0: none


@dataclass(frozen=True, slots=True)
class Placed:
    """(face, cluster) of those whose cluster changed; None: the earlier clusters are not known here."""

    groups: tuple[tuple[int, int], ...] | None


@dataclass(frozen=True, slots=True)
class Formed:
    """The cluster of each face, in the order in which the faces were sent; None: not finished."""

    groups: bytes | None  # a column of GroupMembers


def parts(prints: Sequence[FaceEmbedding]) -> Iterator[Prints]:
    """Yield parts that fit in a line."""
    return (Prints.of(prints[start : start + AT_ONCE]) for start in range(0, len(prints), AT_ONCE))


def by_group(members: Iterable[ClusterInput]) -> Iterator[ClusterInputs]:
    """Yield whole clusters of faces that come cluster by cluster, so many at a time that processing them takes a fifth of a second."""
    part: list[ClusterInput] = []
    for _, group in groupby(members, key=lambda each: each.group_id or -each.face_id):
        part += group
        if len(part) >= 4 * AT_ONCE:
            yield ClusterInputs.of(part)
            part = []
    if part:
        yield ClusterInputs.of(part)


def is_near(found: list[list[Near]], asked: NearRequest) -> bool:
    """Return whether it can be the response to the query."""
    return len(found) == len(asked.query) and all(
        len(row) <= asked.limit and all(face > 0 and 0 <= distance <= 2.01 for face, distance in row) for row in found
    )


def are_missing(found: tuple[int, ...], asked: Roster) -> bool:
    """Return whether they can be the faces that it lacks."""
    return len(found) <= len(asked.faces) and set(found) <= set(asked.faces)


def is_spread(found: list[Spread], asked: SpreadRequest) -> bool:
    """Return the same for clusters: all faces must be from the query."""
    return len(found) == len(asked.groups) and all(
        len(each.least_alike) <= asked.most and {*each.least_alike, *each.other_half} <= set(group) and 0 <= each.apart <= 2.01
        for each, group in zip(found, asked.groups, strict=True)
    )


def are_people(found: list[list[Candidate]], asked: IdentifyRequest) -> bool:
    """Return the same for people."""
    return len(found) == len(asked.query) and all(
        len(row) <= asked.most and all(each.person_id != 0 and _is_candidate(each) for each in row) for row in found
    )


def _is_candidate(each: Candidate) -> bool:
    apart = (each.nearest, each.nearest if each.typical is None else each.typical, each.nearest if each.clear is None else each.clear)
    return all(0 <= distance <= 2.01 for distance in apart) and 0 <= each.agree <= each.references


_MEMBERS, _PLACED, _PAIRS = Codec(ClusterInputs), Codec(Placed), Codec(tuple[tuple[int, int], ...])
HELLO = Call("hello", NOTHING, Codec(MatcherHello), limit=START_LIMIT_S)
PUT = Call("put", Codec(Prints), DONE)
DROP = Call("drop", Codec(tuple[int, ...]), DONE)
ALIGN = Call("align", Codec(Roster), Codec(tuple[int, ...]), are_missing)
NEAR = Call("near", Codec(NearRequest), Codec(list[list[Near]]), is_near)
IDENTIFY = Call("identify", Codec(IdentifyRequest), Codec(list[list[Candidate]]), are_people)
SPREAD = Call("spread", Codec(SpreadRequest), Codec(list[Spread]), is_spread)
GROUP = Call("group", _MEMBERS, DONE)
GROUPED = Call("grouped", NOTHING, Codec(Formed))
BEGIN = Call("begin", _PAIRS, DONE)
RESTORE = Call("restore", _MEMBERS, DONE)
PLACE = Call("place", _MEMBERS, _PLACED)

"""The group `vectors`: how fast the matcher in its process finds faces among very many; with synthetic face prints."""

import asyncio
import time
from collections.abc import Awaitable, Callable, Iterator, Sequence
from typing import TypeAlias, TypeVar

import numpy as np
from numpy.typing import NDArray

from agent.domain.embeddings import FaceEmbedding
from agent.inference.engine.matcher import MatcherProcess
from agent.inference.engine.matcher_port import Query
from agent.inference.vision.knn_graph import neighbours
from agent.inference.vision.top_k import Nearest
from scripts.benchmarks import synthetic_faces
from scripts.benchmarks.rows import Row, at_least, at_most, p95

REFERENCES, FACES, ASKED = 100_000, 1_000_000, 60
AT_ONCE = 5_000
WARM_UP = 3
IDENTIFY_MS, SEARCH_MS, RECALL, SEARCH_MB = 10, 50, 0.99, 500
RECALLED = 10  # recall@10
NEIGHBOURS, WITHIN, NEIGHBOURS_S = 20, 1.0, 30
PROBABLE = 1.05
MB = 2**20

T = TypeVar("T")
Floats: TypeAlias = NDArray[np.float32]


def rows(_long: bool) -> Iterator[Row]:
    """Yield the rows. Times are measured in the agent, including the transfer to the process and back."""
    times, *_ = asyncio.run(_asked(REFERENCES, True, lambda matcher, query: matcher.identify(query, probable=PROBABLE)))
    yield p95("identify_100k_ms", times, IDENTIFY_MS)
    times, found, sizes = asyncio.run(_asked(FACES, False, lambda matcher, query: matcher.near(query, within=2.0, limit=RECALLED)))
    yield p95("search_1m_ms", times, SEARCH_MS)
    right = [len({face for face, _ in mine} & exact) / RECALLED for mine, exact in zip(found, _exact(FACES), strict=True)]
    yield at_least("search_1m_recall", float(np.mean(right)), RECALL, right)
    yield at_most("search_1m_mb", max(sizes), SEARCH_MB, sizes)
    vectors, _ = synthetic_faces.faces(REFERENCES)
    begun = time.perf_counter()
    neighbours(vectors, NEIGHBOURS, WITHIN)
    seconds = time.perf_counter() - begun
    yield at_most("neighbours_100k_s", seconds, NEIGHBOURS_S, [seconds])


async def _asked(
    count: int, known: bool, ask: Callable[[MatcherProcess, Query], Awaitable[list[list[T]]]]
) -> tuple[list[float], list[list[T]], list[float]]:
    """Return the milliseconds of each query, the answers, and the process's size after each in MB."""
    matcher = MatcherProcess(lambda: _prints(count, known))
    times, found, sizes = list[float](), list[list[T]](), list[float]()
    try:
        embeddings = [row.tobytes() for row in _queries(count)]
        for embedding in [*embeddings[:WARM_UP], *embeddings]:
            begun = time.perf_counter()
            (answer,) = await ask(matcher, Query((embedding,)))
            times.append((time.perf_counter() - begun) * 1000)
            found.append(answer)
            sizes.append(matcher.memory / MB)
    finally:
        await matcher.close()
    return times[WARM_UP:], found[WARM_UP:], sizes


def _pages(count: int) -> Iterator[tuple[int, Floats, NDArray[np.int64]]]:
    """Yield faces and, last, other faces of the same people as queries; with the number of the first."""
    first = 0
    for vectors, people in synthetic_faces.pages(count + ASKED, at_once=AT_ONCE):
        yield first, vectors, people
        first += len(vectors)


def _prints(count: int, known: bool) -> Iterator[Sequence[FaceEmbedding]]:
    for first, vectors, people in _pages(count):
        yield [
            FaceEmbedding(first + place + 1, vectors[place].tobytes(), int(people[place]) if known else 0)
            for place in range(min(len(vectors), count - first))
        ]


def _queries(count: int) -> Floats:
    for first, vectors, _ in _pages(count):
        if first + len(vectors) == count + ASKED:
            return vectors[-ASKED:]
    raise AssertionError


def _exact(count: int) -> list[set[int]]:
    """Return the result of comparing all of them in float32."""
    nearest, queries = Nearest(ASKED, RECALLED, -2.0), _queries(count)
    for first, vectors, _ in _pages(count):
        nearest.add(queries @ vectors[: max(0, count - first)].T, first + 1)
    return [set(faces) for faces in nearest.result()[2].reshape(ASKED, RECALLED).tolist()]

"""How fast a server takes what desks found in photos that stay with them, when there are many already."""

import hashlib
import time
from collections.abc import Iterator, Sequence
from datetime import UTC, datetime
from typing import Final

import psutil

from agent.infrastructure.core.access_scope import AccessScope, reaching
from agent.infrastructure.store.database import Database
from agent.infrastructure.store.row_security import secure
from agent.interfaces.web.desk_photos import FaceResult, PhotoResult
from agent.server.devices.remote_photo_queries import DeskPhotoQueries
from scripts.benchmarks.rows import Row, at_least

COUNT, SHORT, BATCH, PARTS, KEPT = 100_000, 10_000, 100, 10, 0.9
_LANDMARKS: Final = ((1.0, 1.0), (3.0, 1.0), (2.0, 2.0), (1.0, 3.0), (3.0, 3.0))


def desk_results(database: Database, *, long: bool) -> Iterator[Row]:
    """The rate of the last tenth against the first one's, by the processor time of this process and the database's.

    As a member's request does it, so that row security counts as well.
    """
    count = COUNT if long else SHORT
    with database.write() as tx:
        secure(tx)
    desk = DeskPhotoQueries(database)
    spent = list[float]()
    for part in range(PARTS):
        numbers = range(part * count // PARTS, (part + 1) * count // PARTS)
        batches = [[_photo(each) for each in numbers[start : start + BATCH]] for start in range(0, len(numbers), BATCH)]
        spent.append(_spent_on(desk, batches))
    rates = [count / PARTS / each for each in spent]
    yield at_least("desk_results_kept", rates[-1] / rates[0], KEPT, rates)


def _spent_on(desk: DeskPhotoQueries, batches: Sequence[Sequence[PhotoResult]]) -> float:
    before = _processor_s()
    with reaching(AccessScope(frozenset({1}))):
        for each in batches:
            desk.take_photos(each, 1, "0" * 32, "desk", now=datetime.now(UTC))
    return _processor_s() - before


def _processor_s() -> float:
    """Of this process and the database's, which is its child; those that ended are counted by the one that started them."""
    total = time.process_time()
    for each in psutil.Process().children(recursive=True):
        times = each.cpu_times()
        total += times.user + times.system + times.children_user + times.children_system
    return total


def _photo(number: int) -> PhotoResult:
    sha256 = hashlib.sha256(str(number).encode()).hexdigest()
    quality = {"size": 40.0, "sharpness": 200.0, "yaw": 0.0, "roll": 0.0, "covered": 0.0}
    faces = tuple(FaceResult(x=100.0 * each, y=50, w=80, h=80, score=0.9, landmarks=_LANDMARKS, **quality) for each in range(2))
    taken_at = datetime.fromtimestamp(1_600_000_000 + number, UTC).replace(tzinfo=None)
    return PhotoResult(
        sha256=sha256,
        size=1_000_000 + number,
        width=4_000,
        height=3_000,
        format="jpeg",
        detector="centerface-2",
        precision="f32",
        taken_at=taken_at,
        faces=faces,
    )

"""Jobs of a large library: what concerns all photos is done in the database, whose rows are not read."""

import tracemalloc
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime

from sqlalchemy import delete, func, insert, select, update

from agent.domain.image import Recipe
from agent.features.redaction.queries.redaction_queries import RedactionQueries
from agent.infrastructure.store.schema import image, job, place

NOW = datetime(2026, 3, 4, 5, 6, 7, tzinfo=UTC)
PHOTOS = 4_000
MOST_BYTES = 2_500_000  # a thousand at a time


@contextmanager
def few_bytes() -> Iterator[None]:
    tracemalloc.start()
    try:
        yield
        assert tracemalloc.get_traced_memory()[1] < MOST_BYTES
    finally:
        tracemalloc.stop()


def _fill(library: RedactionQueries) -> None:
    """Photos that an older detector analysed."""
    analysed = {"width": 640, "height": 480, "format": "jpeg", "detector": "older-1", "precision": "f32", "indexed_at": NOW}
    analysed |= dict.fromkeys(("ms_decode", "ms_detect", "ms_align", "ms_embed"), 1.0)
    with library.database.write() as tx:
        ids = range(1, PHOTOS + 1)
        tx.execute(insert(image), [{"id": each, "sha256": f"{each:064}", "size": each, **analysed} for each in ids])
        file = {"folder": "/photos", "mtime_ns": 1, "noted_at": NOW}
        tx.execute(insert(place), [{"id": each, "image_id": each, "path": f"/photos/{each}.jpg", "size": each, **file} for each in ids])
        done = {"state": "done", "priority": 2, "attempts": 1, "changed_at": NOW}
        tx.execute(insert(job), [{"place_id": each, **done} for each in ids if each % 2])  # the others' were cleared


def test_photos_of_another_detector_are_queued_without_being_read(library: RedactionQueries) -> None:
    _fill(library)
    with few_bytes():
        assert library.requeue_outdated(Recipe("newer-1"), now=NOW) == PHOTOS
    assert library.requeue_outdated(Recipe("newer-1"), now=NOW) == 0
    with library.database.read() as tx:
        assert tx.execute(select(job.c.state, job.c.attempts, func.count()).group_by(job.c.state, job.c.attempts)).all() == [
            ("queued", 0, PHOTOS)
        ]


def test_photos_that_were_never_analysed_are_queued_in_parts(library: RedactionQueries) -> None:
    _fill(library)
    with library.database.write() as tx:
        tx.execute(update(place).values(image_id=None))
        tx.execute(delete(job))
    with few_bytes():
        assert library.queue_unseen(now=NOW) == PHOTOS
    assert library.queue_unseen(now=NOW) == 0

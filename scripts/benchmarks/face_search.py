"""How well and how fast a server's database finds a face among many: rows of the group `server`.

The embeddings are made up as `synthetic_faces` says, and turned as the server turns them. Times are the processor's, of the database's
process that answers, so that other work on the machine does not count; exact search is confined to one process for that.
"""

import statistics
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import psycopg
from numpy.typing import NDArray
from sqlalchemy import make_url, text

from agent.features.people.queries.search_filter import EVERYTHING
from agent.features.people.vectors.rotation import SecretRotation
from agent.features.people.vectors.vector_rows import EXACT, VectorIndex, VectorQueries
from agent.infrastructure.store.database import Database
from agent.infrastructure.store.dialects.postgresql import PostgreSql
from agent.infrastructure.store.migrator import upgrade
from agent.infrastructure.store.server_database import secured
from scripts.benchmarks.rows import Row, at_least, at_most
from scripts.benchmarks.synthetic_faces import faces

COUNTS, LONG_COUNTS = (10_000, 100_000), (10_000, 100_000, 1_000_000)
QUERIES, NEAREST, SHOWN = 100, 10, 200
RECALL, QUERY_MS = 0.99, 50.0

Floats = NDArray[np.float32]
_FACES = """
INSERT INTO image (id, sha256, size, width, height, format, detector, precision, ms_decode, ms_detect, ms_align, ms_embed, indexed_at)
SELECT n, n, 1, 1, 1, 'jpeg', '', 'f32', 0, 0, 0, 0, 0 FROM generate_series(1, :count) AS n;
INSERT INTO face (id, image_id, ordinal, x, y, w, h, score, landmarks, size, sharpness, yaw, roll)
SELECT n, n, 0, 0, 0, 1, 1, 1, '[]', 1, 1, 0, 0 FROM generate_series(1, :count) AS n;
INSERT INTO embedding (face_id, embedder, vector) SELECT n, '', '' FROM generate_series(1, :count) AS n;
ANALYZE
"""


def face_search(url: str, *, long: bool = False) -> Iterator[Row]:
    """`url` leads to an empty database, in SQLAlchemy's form."""
    database = Database(PostgreSql(url, bytes(32)))
    upgrade(database)
    secured(database)
    rows, rotation = VectorQueries(database), SecretRotation(bytes(32))
    rows.prepare()
    for count in LONG_COUNTS if long else COUNTS:
        stored, asked = _filled(database, url, rotation, count)
        exact = _nearest(stored, np.asarray(asked @ np.array(rotation._rows, np.float32).T, np.float32))
        for way in ("exact", "index") if count <= EXACT else ("index",):  # beyond, the program never compares all
            if way == "index":
                VectorIndex(url, exact=0).settle(count)
            found, spent = _measured(rows, rotation, asked)
            recall = [len(set(one[:NEAREST]) & set(other)) / NEAREST for one, other in zip(found, exact.tolist(), strict=True)]
            yield at_least(f"face_search_{way}_{count}_recall", statistics.mean(recall), RECALL, recall)
            yield at_most(f"face_search_{way}_{count}_ms", statistics.median(spent), QUERY_MS, spent)
    database.close()


def _filled(database: Database, url: str, rotation: SecretRotation, count: int) -> tuple[Floats, Floats]:
    """Store that many faces in place of others; return them, and those to search by, which are other faces of the same people."""
    made, _ = faces(count + QUERIES)
    turned = np.asarray(made @ np.array(rotation._rows, np.float32).T, np.float32)
    stored, asked = turned[:count], made[count:]
    with database.write() as tx:
        tx.execute(text("TRUNCATE face_vector, embedding, face, image CASCADE"))
        tx.execute(text("DROP INDEX IF EXISTS face_vector_near"))
        for statement in _FACES.split(";"):
            tx.execute(text(statement), {"count": count} if ":count" in statement else {})
    _copy(url, stored)
    return stored, np.asarray(asked, np.float32)


def _copy(url: str, vectors: Floats) -> None:
    """Write rows in the format of binary COPY: a million as text would take minutes."""
    size = vectors.shape[1]
    row = np.dtype(
        [("fields", ">i2"), ("four", ">i4"), ("id", ">i4"), ("bytes", ">i4"), ("size", ">i2"), ("unused", ">i2"), ("near", ">u2", (size,))]
    )
    with psycopg.connect(make_url(url).set(drivername="postgresql").render_as_string(hide_password=False)) as connection:
        with connection.cursor().copy("COPY face_vector (face_id, near) FROM STDIN (FORMAT binary)") as copy:
            copy.write(b"PGCOPY\n\xff\r\n\0" + bytes(8))
            for start in range(0, len(vectors), 10_000):
                part = vectors[start : start + 10_000]
                made = np.zeros(len(part), row)
                made["fields"], made["four"], made["bytes"], made["size"] = 2, 4, 4 + 2 * size, size
                made["id"] = np.arange(start + 1, start + 1 + len(part))
                made["near"] = part.astype(np.float16).view(np.uint16)
                copy.write(made.tobytes())
            copy.write(b"\xff\xff")
        connection.commit()
        connection.autocommit = True
        connection.execute("VACUUM ANALYZE face_vector")


def _nearest(stored: Floats, asked: Floats) -> NDArray[np.int64]:
    """Return the ids of the nearest for each of those asked for."""
    return np.array([np.argpartition(-(stored @ each), NEAREST)[:NEAREST] + 1 for each in asked])


def _measured(rows: VectorQueries, rotation: SecretRotation, asked: Floats) -> tuple[list[list[int]], list[float]]:
    """Return the ids found for each, and the milliseconds of each query. One connection answers all: none other is open."""
    with rows.database.write() as tx:
        tx.execute(text("SELECT set_config('max_parallel_workers_per_gather', '0', false)"))
        process = int(tx.scalar(text("SELECT pg_backend_pid()")) or 0)
    found, spent = list[list[int]](), list[float]()
    for vector in asked:
        turned = rotation.turned(vector.astype("<f4").tobytes())
        assert turned is not None
        before = _spent_ms(process)
        near = rows.near(turned, 2.0, SHOWN, EVERYTHING)
        spent.append(_spent_ms(process) - before)
        found.append([face_id for face_id, _ in near])
    return found, spent


def _spent_ms(process: int) -> float:
    return int(Path(f"/proc/{process}/schedstat").read_text().split()[0]) / 1e6

"""The turned embeddings in a server's database, their search and their index. PostgreSQL with pgvector only.

They are derived from the library's embeddings, as an index is: made anew at will, gone with them, and in no copy. So their table is none
of the library's schema.
"""

from collections.abc import Collection, Sequence
from dataclasses import dataclass

import structlog
from sqlalchemy import Connection, Engine, Integer, bindparam, column, create_engine, select, table, text

from agent.domain.embeddings import Near
from agent.features.library.recipes import EMBEDDER
from agent.features.people.queries.search_filter import FaceSearchFilter, conditions
from agent.features.people.vectors.rotation import DIMENSIONS, Vector
from agent.infrastructure.store.database import Queries
from agent.infrastructure.store.dialects.postgresql import translated
from agent.infrastructure.store.row_security import MEMBER
from agent.infrastructure.store.schema import embedding

INDEX = "face_vector_near"
_TABLE = text("SELECT to_regclass('face_vector') IS NOT NULL")
_PREPARE = (
    "CREATE EXTENSION IF NOT EXISTS vector",
    f"""CREATE TABLE face_vector (
        face_id integer PRIMARY KEY REFERENCES embedding (face_id) ON DELETE CASCADE, near halfvec({DIMENSIONS}) NOT NULL
    )""",
    "ALTER TABLE face_vector ENABLE ROW LEVEL SECURITY",
    f"""CREATE POLICY within_reach ON face_vector TO {MEMBER}
        USING (EXISTS (SELECT FROM seen_face WHERE seen_face.face_id = face_vector.face_id))""",
    f"GRANT SELECT, DELETE ON face_vector TO {MEMBER}",
)
_ADD = text(f"""
    INSERT INTO face_vector (face_id, near) SELECT CAST(:face AS integer), CAST(:near AS halfvec({DIMENSIONS}))
    WHERE EXISTS (SELECT FROM embedding WHERE face_id = :face) ON CONFLICT (face_id) DO UPDATE SET near = EXCLUDED.near
""")
_MISSING = "NOT EXISTS (SELECT FROM face_vector WHERE face_vector.face_id = embedding.face_id)"
_OF_IMAGES = "embedding.face_id IN (SELECT id FROM face WHERE image_id IN :images)"
# The index answers in its own order and goes on until enough rows pass the filters: the reader's libraries, a person, some days.
_SCAN = text("""
    SELECT set_config('hnsw.ef_search', '400', true), set_config('hnsw.iterative_scan', 'relaxed_order', true),
        set_config('hnsw.max_scan_tuples', '100000', true)
""")
_STATE = text(f"""
    SELECT CAST((SELECT reltuples FROM pg_class WHERE oid = 'face_vector'::regclass) AS bigint),
        (SELECT indisvalid FROM pg_index WHERE indexrelid = to_regclass('{INDEX}')),
        (SELECT CASE WHEN tuples_total > 0 THEN CAST(tuples_done AS float) / tuples_total
            WHEN blocks_total > 0 THEN CAST(blocks_done AS float) / blocks_total END
            FROM pg_stat_progress_create_index WHERE relid = 'face_vector'::regclass LIMIT 1)
""")
_vectors = table("face_vector", column("face_id", Integer))
_DISTANCE = text(f"near <-> CAST(:vector AS halfvec({DIMENSIONS})) AS distance")
_COUNT = text("SELECT count(*) FROM face_vector")
log = structlog.get_logger()

EXACT = 200_000
_MEMORY_MB = 1_024  # what building takes at most; beyond it goes on, slowly
_BUILD = f"CREATE INDEX CONCURRENTLY {INDEX} ON face_vector USING hnsw (near halfvec_l2_ops) WITH (m = 16, ef_construction = 100)"
_DROP = f"DROP INDEX CONCURRENTLY IF EXISTS {INDEX}"


@dataclass(frozen=True, slots=True)
class IndexState:
    """`built` is None without an index, False while it is being built or after that was broken off."""

    faces: int
    built: bool | None
    progress: float | None = None  # 0 to 1, while it is being built


class VectorQueries(Queries):
    def prepare(self) -> None:
        """Create the table, if there is none."""
        with self.database.write(durable=True) as tx:
            if not tx.scalar(_TABLE):
                for statement in _PREPARE:
                    tx.exec_driver_sql(statement)

    def missing(self, images: Collection[int] | None, *, after: int, limit: int) -> list[tuple[int, bytes]]:
        """Return faces with an embedding that is not here yet, all or those of some images, each with it: by ascending id."""
        rows = select(embedding.c.face_id, embedding.c.vector).where(embedding.c.embedder == EMBEDDER, embedding.c.face_id > after)
        rows = rows.where(text(_MISSING))
        values: dict[str, object] = {}
        if images is not None:
            rows, values = rows.where(text(_OF_IMAGES).bindparams(bindparam("images", expanding=True))), {"images": list(images)}
        with self.database.read() as tx:
            return [(face_id, vector) for face_id, vector in tx.execute(rows.order_by(embedding.c.face_id).limit(limit), values)]

    def add(self, turned: Sequence[tuple[int, Vector]]) -> None:
        """Faces whose embedding was deleted meanwhile are left out."""
        with self.database.write() as tx:
            tx.execute(_ADD, [{"face": face_id, "near": _written(vector)} for face_id, vector in turned])

    def near(self, vector: Vector, within: float, limit: int, among: FaceSearchFilter) -> list[Near]:
        """Return the faces within the distance that the reader may see, nearest first, `limit` at most."""
        which = [*conditions(_vectors.c.face_id, among)]
        rows = select(_vectors.c.face_id, _DISTANCE).where(*which).order_by(text("distance")).limit(limit)
        with self.database.read() as tx:
            tx.execute(_SCAN)
            found = [(face_id, distance) for face_id, distance in tx.execute(rows, {"vector": _written(vector)})]
        return sorted(((face_id, distance) for face_id, distance in found if distance <= within), key=lambda each: each[1])

    def state(self) -> IndexState:
        with self.database.read() as tx:
            faces, built, progress = tx.execute(_STATE).one()
            return IndexState(_count(tx) if faces < 0 else faces, built, progress)

    def count(self) -> int:
        with self.database.read() as tx:
            return _count(tx)


def _count(tx: Connection) -> int:
    return int(tx.execute(_COUNT).scalar_one())


def _written(vector: Vector) -> str:
    return "[" + ",".join(f"{value:.6f}" for value in vector) + "]"


class VectorIndex:
    """Exact search needs no index up to `EXACT` faces; beyond, it is built once all faces are there. Blocks. Raises StoreError.

    It is built while everyone reads and writes, by connections of its own outside any transaction. That takes minutes and much memory, so
    only one server process does it, the one that adds the faces.
    """

    def __init__(self, url: str, *, exact: int = EXACT) -> None:
        """`url` in SQLAlchemy's form."""
        self._url = url
        self._exact = exact

    def suits(self, faces: int, built: bool | None) -> bool:
        """Return whether it is right to have what there is. One that became needless stays until half the faces are gone."""
        if faces > self._exact:
            return built is True
        return built is None or (built and faces > self._exact // 2)

    def settle(self, faces: int) -> None:
        """Build or drop it. What an interrupted run left is dropped first."""
        engine = create_engine(self._url, isolation_level="AUTOCOMMIT")
        try:
            self._settle(engine, faces)
        finally:
            engine.dispose()

    def _settle(self, engine: Engine, faces: int) -> None:
        with translated(), engine.connect() as connection:
            connection.exec_driver_sql(_DROP)
            if faces > self._exact:
                log.info("search.index_begun", faces=faces)
                connection.exec_driver_sql(f"SET maintenance_work_mem = '{_MEMORY_MB}MB'")
                connection.exec_driver_sql(_BUILD)
                connection.exec_driver_sql("ANALYZE face_vector")
                log.info("search.index_built", faces=faces)

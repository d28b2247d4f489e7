"""The index of the turned embeddings: exact search needs none up to `EXACT` faces; beyond, it is built once all faces are there.

It is built while everyone reads and writes, by connections of its own outside any transaction. That takes minutes and much memory, so
only one server process does it, the one that adds the faces.
"""

import structlog
from sqlalchemy import Engine, create_engine

from agent.people.vectors.vector_rows import INDEX
from agent.store.dialects.postgresql import translated

log = structlog.get_logger()

EXACT = 200_000
_MEMORY_MB = 1_024  # what building takes at most; beyond it goes on, slowly
_BUILD = f"CREATE INDEX CONCURRENTLY {INDEX} ON face_vector USING hnsw (near halfvec_l2_ops) WITH (m = 16, ef_construction = 100)"
_DROP = f"DROP INDEX CONCURRENTLY IF EXISTS {INDEX}"


class VectorIndex:
    """Blocks. Raises StoreError."""

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

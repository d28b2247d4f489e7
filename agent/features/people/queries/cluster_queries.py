"""The stored clusters: derived, for every face with a print; a face that is alone is in cluster 0."""

from collections.abc import Iterator
from itertools import starmap
from typing import Any

from sqlalchemy import Connection, Select, and_, delete, exists, func, insert, not_, select, tuple_

from agent.domain.embeddings import ClusterInput, ClusterInputs
from agent.domain.identity_matching import Certainty
from agent.inference.engine.matcher_port import ClusterMembers
from agent.infrastructure.store.database import Queries
from agent.infrastructure.store.dialects.functions import one_of
from agent.infrastructure.store.facts import chunks
from agent.infrastructure.store.schema import embedding, face, grouping, identity, rejection

PAGE = 5_000
_CONFIRMED = identity.c.certainty == Certainty.CONFIRMED


class ClusterQueries(Queries):
    def ungrouped(self, limit: int) -> list[ClusterInput]:
        """Return faces with a print that were neither clustered nor marked as alone, oldest first."""
        with self.database.read() as tx:
            clustered = exists().where(grouping.c.face_id == embedding.c.face_id)
            # In the order of an index: the prints themselves, which are most of the library, are not read.
            fresh = select(embedding.c.face_id).where(not_(clustered)).order_by(embedding.c.embedder, embedding.c.face_id).limit(limit)
            rows = _members().where(embedding.c.face_id.in_(one_of(tx.scalars(fresh).all()))).order_by(embedding.c.face_id)
            return list(starmap(ClusterInput, tx.execute(rows)))

    def grouped(self) -> ClusterMembers:
        """Return the clusters of all other faces with a print, which are read as they are needed, cluster by cluster."""
        with self.database.read() as tx:
            return ClusterMembers(self._by_cluster(), tuple(_cannot(tx)))

    def all_members(self) -> ClusterInputs:
        """Return all faces with a print, oldest first, read page by page."""
        with self.database.read() as tx:
            cannot = tuple(_cannot(tx))
        return ClusterInputs.of(self._by_face(), cannot)

    def count_members(self) -> tuple[int, int]:
        """Return the number of faces with a print, and how many of them are neither clustered nor marked as alone."""
        with self.database.read() as tx:
            every = tx.scalar(select(func.count()).select_from(embedding)) or 0
            return every, every - (tx.scalar(select(func.count()).select_from(grouping)) or 0)

    def drop_without_print(self) -> None:
        """Take faces out of their clusters whose print was deleted."""
        with self.database.write() as tx:
            tx.execute(delete(grouping).where(grouping.c.face_id.not_in(select(embedding.c.face_id))))

    def set_groups(self, groups_of: dict[int, int]) -> None:
        """Store the cluster of each face, 0 for one that is alone."""
        with self.database.write() as tx:
            for chunk in chunks(list(groups_of)):
                there = set(tx.scalars(select(embedding.c.face_id).where(embedding.c.face_id.in_(chunk))))
                tx.execute(delete(grouping).where(grouping.c.face_id.in_(chunk)))
                if rows := [{"face_id": each, "group_id": groups_of[each]} for each in chunk if each in there]:
                    tx.execute(insert(grouping), rows)

    def _by_face(self) -> Iterator[ClusterInput]:
        face_id = 0
        while True:
            with self.database.read() as tx:
                rows = _members().where(embedding.c.face_id > face_id).order_by(embedding.c.face_id).limit(PAGE)
                page = list(starmap(ClusterInput, tx.execute(rows)))
            yield from page
            if len(page) < PAGE:
                return
            face_id = page[-1].face_id

    def _by_cluster(self) -> Iterator[ClusterInput]:
        place = tuple_(grouping.c.group_id, grouping.c.face_id)
        rows = _members().order_by(*place.clauses).limit(PAGE)
        group, face_id = -1, 0
        while True:
            with self.database.read() as tx:
                page = list(starmap(ClusterInput, tx.execute(rows.where(place > (group, face_id)))))
            yield from page
            if len(page) < PAGE:
                return
            group, face_id = page[-1].group_id, page[-1].face_id


def _members() -> Select[*tuple[Any, ...]]:
    """Rows as GroupMember takes them."""
    columns = select(embedding.c.face_id, face.c.image_id, func.coalesce(identity.c.person_id, 0), func.coalesce(grouping.c.group_id, -1))
    return (
        columns.join_from(embedding, face, face.c.id == embedding.c.face_id)
        .outerjoin(identity, and_(identity.c.face_id == embedding.c.face_id, _CONFIRMED))
        .outerjoin(grouping, grouping.c.face_id == embedding.c.face_id)
    )


def _cannot(tx: Connection) -> Iterator[tuple[int, int]]:
    """Yield each rejected face with one face of that person: a constraint on one face of a cluster holds for all."""
    one_of: dict[int, int] = {}
    for face_id, person_id in tx.execute(select(identity.c.face_id, identity.c.person_id).where(_CONFIRMED)):
        one_of.setdefault(person_id, face_id)
    for face_id, person_id in tx.execute(select(rejection.c.face_id, rejection.c.person_id)):
        if person_id in one_of and one_of[person_id] != face_id:
            yield face_id, one_of[person_id]

"""The stored clusters: derived, for every face with a print; a face that is alone is in cluster 0."""

from collections.abc import Iterator

from sqlalchemy import ColumnElement, Connection, and_, delete, func, insert, select

from agent.domain.embeddings import GroupMember
from agent.domain.people import Certainty
from agent.engine.matcher_port import ClusterMembers
from agent.store.database import Queries
from agent.store.facts import chunks
from agent.store.schema import embedding, face, grouping, identity, rejection

_CONFIRMED = identity.c.certainty == Certainty.CONFIRMED


class ClusterQueries(Queries):
    def ungrouped(self, limit: int) -> list[GroupMember]:
        """Return faces with a print that were neither clustered nor marked as alone, oldest first."""
        with self.database.read() as tx:
            return _members(tx, grouping.c.face_id.is_(None), limit)

    def grouped(self) -> ClusterMembers:
        """Return the clusters of all other faces with a print."""
        with self.database.read() as tx:
            return ClusterMembers(tuple(_members(tx, grouping.c.face_id.is_not(None), None)), tuple(_cannot(tx)))

    def all_members(self) -> ClusterMembers:
        """Return both."""
        with self.database.read() as tx:
            return ClusterMembers(tuple(_members(tx, None, None)), tuple(_cannot(tx)))

    def count_members(self) -> int:
        """Return the number of faces with a print."""
        with self.database.read() as tx:
            return tx.scalar(select(func.count()).select_from(embedding)) or 0

    def set_groups(self, groups_of: dict[int, int], *, anew: bool) -> None:
        """Store the cluster of each face, 0 for one that is alone. `anew` discards all earlier ones."""
        with self.database.write() as tx:
            if anew:
                tx.execute(delete(grouping))
            for chunk in chunks(list(groups_of)):
                there = set(tx.scalars(select(embedding.c.face_id).where(embedding.c.face_id.in_(chunk))))
                tx.execute(delete(grouping).where(grouping.c.face_id.in_(chunk)))
                if rows := [{"face_id": each, "group_id": groups_of[each]} for each in chunk if each in there]:
                    tx.execute(insert(grouping), rows)


def _members(tx: Connection, which: ColumnElement[bool] | None, limit: int | None) -> list[GroupMember]:
    columns = select(embedding.c.face_id, face.c.image_id, identity.c.person_id, grouping.c.group_id)
    joined = (
        columns.join_from(embedding, face, face.c.id == embedding.c.face_id)
        .outerjoin(identity, and_(identity.c.face_id == embedding.c.face_id, _CONFIRMED))
        .outerjoin(grouping, grouping.c.face_id == embedding.c.face_id)
        .order_by(embedding.c.face_id)
        .limit(limit)
    )
    rows = tx.execute(joined if which is None else joined.where(which))
    return [GroupMember(row.face_id, row.image_id, row.person_id or 0, row.group_id or 0) for row in rows]


def _cannot(tx: Connection) -> Iterator[tuple[int, int]]:
    """Yield each rejected face with one face of that person: a constraint on one face of a cluster holds for all."""
    one_of: dict[int, int] = {}
    for face_id, person_id in tx.execute(select(identity.c.face_id, identity.c.person_id).where(_CONFIRMED)):
        one_of.setdefault(person_id, face_id)
    for face_id, person_id in tx.execute(select(rejection.c.face_id, rejection.c.person_id)):
        if person_id in one_of and one_of[person_id] != face_id:
            yield face_id, one_of[person_id]

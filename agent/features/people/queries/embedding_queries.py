"""Face prints as the matcher needs them, and the faces to identify."""

from collections.abc import Collection, Iterator, Sequence
from typing import Any

from sqlalchemy import ColumnElement, Connection, Select, and_, case, func, not_, select, union
from sqlalchemy.sql import exists

from agent.domain.embeddings import FaceEmbedding
from agent.domain.face import Quality
from agent.domain.identity_matching import Certainty, Identity, is_clear, trust
from agent.features.library.queries import face_queries, identity_queries
from agent.features.library.records import UnidentifiedFace
from agent.features.people.queries import team_people_queries
from agent.features.people.queries.search_filter import FaceSearchFilter, conditions
from agent.infrastructure.store.database import Queries
from agent.infrastructure.store.facts import chunks
from agent.infrastructure.store.schema import embedding, face, grouping, identity, rejection

_CONFIRMED = identity.c.certainty == Certainty.CONFIRMED
PAGE = 5_000  # face prints per transaction


class EmbeddingQueries(Queries):
    def prints_of(self, faces: Collection[int], embedder: str) -> list[FaceEmbedding]:
        """Return the prints of the faces that have one."""
        with self.database.read() as tx:
            found = [each for chunk in chunks(list(faces)) for each in _prints(tx, _all(embedder).where(embedding.c.face_id.in_(chunk)))]
            return found + team_people_queries.references(tx, embedder, faces)

    def identity_of(self, face_id: int) -> Identity | None:
        """Return who a face is, or may be."""
        with self.database.read() as tx:
            row = tx.execute(select(identity).where(identity.c.face_id == face_id)).mappings().one_or_none()
            return None if row is None else identity_queries.identity_of(row)

    def to_judge(self, faces: Collection[int], embedder: str) -> list[UnidentifiedFace]:
        """Return the unconfirmed faces that have a print."""
        with self.database.read() as tx:
            found: list[UnidentifiedFace] = []
            for chunk in chunks(list(faces)):
                rows = tx.execute(
                    select(face)
                    .join(embedding)
                    .where(embedding.c.embedder == embedder, face.c.id.in_(chunk), not_(_is_confirmed(face.c.id)))
                ).mappings()
                ruled_out = _ruled_out(tx, chunk)
                found += [
                    UnidentifiedFace(row["id"], row["image_id"], face_queries.read(row), ruled_out.get(row["id"], frozenset()))
                    for row in rows
                ]
            return found

    def unconfirmed(self, embedder: str, *, after: int, limit: int) -> list[int]:
        """Return unconfirmed faces with a print, by ascending id."""
        with self.database.read() as tx:
            ids = select(embedding.c.face_id).where(embedding.c.embedder == embedder, embedding.c.face_id > after)
            return list(tx.scalars(ids.where(not_(_is_confirmed(embedding.c.face_id))).order_by(embedding.c.face_id).limit(limit)))

    def faces_of_people(self, people: Collection[int] | None, *, within: Collection[int] | None = None) -> list[int]:
        """Return faces that the user confirmed as these people (None: as any person), limited to the given faces, if any."""
        with self.database.read() as tx:
            found = select(identity.c.face_id).where(_CONFIRMED)
            if people is not None:
                found = found.where(identity.c.person_id.in_(list(people)))
            if within is not None:
                found = found.where(identity.c.face_id.in_(list(within)))
            return list(tx.scalars(found))

    def people_kept(self, *, least: int) -> int:
        """Return the number of different people with face prints, named or not; 0, and fast, if there are fewer than `least` prints.

        A face without similar ones counts as a person.
        """
        with self.database.read() as tx:
            if (tx.scalar(select(func.count()).select_from(embedding)) or 0) < least:
                return 0
            somebody = case((grouping.c.group_id != 0, grouping.c.group_id), else_=-embedding.c.face_id)
            unnamed = (
                select(func.count(somebody.distinct()))
                .select_from(embedding)
                .outerjoin(grouping, grouping.c.face_id == embedding.c.face_id)
                .outerjoin(identity, identity.c.face_id == embedding.c.face_id)
                .where(identity.c.face_id.is_(None))
            )
            named = select(func.count(identity.c.person_id.distinct())).join_from(
                identity, embedding, embedding.c.face_id == identity.c.face_id
            )
            return (tx.scalar(unnamed) or 0) + (tx.scalar(named) or 0)

    def faces_among(self, faces: Collection[int], among: FaceSearchFilter) -> set[int]:
        """Return those of the faces that a search is limited to."""
        with self.database.read() as tx:
            which = [*conditions(face.c.id, among)]
            return {each for chunk in chunks(list(faces)) for each in tx.scalars(select(face.c.id).where(face.c.id.in_(chunk), *which))}

    def faces_thought_of(self, people: Collection[int]) -> list[int]:
        """Return faces that are suggested as these people."""
        with self.database.read() as tx:
            mine = identity.c.person_id.in_(list(people))
            return list(tx.scalars(select(identity.c.face_id).where(mine, identity.c.certainty != Certainty.CONFIRMED)))

    def references_of_team(self, people: Collection[int]) -> list[int]:
        """Return the ids of these people's prints that came from a team."""
        with self.database.read() as tx:
            return team_people_queries.references_of(tx, people)

    def lapsed_of_team(self, people: Collection[int]) -> bool:
        """Return whether one of these people came from a team and is not recognised for want of consent."""
        with self.database.read() as tx:
            return team_people_queries.lapsed(tx, people)

    def prints(self, embedder: str) -> Iterator[list[FaceEmbedding]]:
        """Yield all face prints, page by page, with those of people who came from a team."""
        yield from self._pages(_all(embedder))
        with self.database.read() as tx:
            others = team_people_queries.references(tx, embedder)
        if others:
            yield others

    def people_of_prints(self, embedder: str) -> dict[int, int]:
        """Return all faces that have a print, with the confirmed person of each, 0 for none. No print is read."""
        with self.database.read() as tx:
            rows = select(embedding.c.face_id, func.coalesce(identity.c.person_id, 0)).select_from(embedding)
            rows = rows.outerjoin(identity, and_(identity.c.face_id == embedding.c.face_id, _CONFIRMED))
            found = {face_id: person_id for face_id, person_id in tx.execute(rows.where(embedding.c.embedder == embedder))}
            return found | {each.face_id: each.person_id for each in team_people_queries.references(tx, embedder)}

    def references(self, embedder: str) -> Iterator[list[FaceEmbedding]]:
        """Yield the prints of confirmed faces, page by page: all that identifying others needs."""
        yield from self._pages(_all(embedder).where(identity.c.person_id.is_not(None)))

    def people_of_references(self, embedder: str) -> dict[int, int]:
        """Return the person of each confirmed face that has a print."""
        with self.database.read() as tx:
            rows = select(identity.c.face_id, identity.c.person_id).join(embedding, embedding.c.face_id == identity.c.face_id)
            return {face: person for face, person in tx.execute(rows.where(_CONFIRMED, embedding.c.embedder == embedder))}

    def _pages(self, rows: Select[*tuple[Any, ...]]) -> Iterator[list[FaceEmbedding]]:
        after = 0
        while True:
            with self.database.read() as tx:
                page = _prints(tx, rows.where(embedding.c.face_id > after).order_by(embedding.c.face_id).limit(PAGE))
            if not page:
                return
            yield page
            after = page[-1].face_id


def _ruled_out(tx: Connection, chunk: Sequence[int]) -> dict[int, frozenset[int]]:
    other = face.alias("other")
    said = select(rejection.c.face_id, rejection.c.person_id).where(rejection.c.face_id.in_(chunk))
    seen = (
        select(face.c.id, identity.c.person_id)
        .join_from(face, other, and_(other.c.image_id == face.c.image_id, other.c.id != face.c.id))
        .join(identity, and_(identity.c.face_id == other.c.id, _CONFIRMED))
        .where(face.c.id.in_(chunk))
    )
    found: dict[int, set[int]] = {}
    for face_id, person_id in tx.execute(union(said, seen)):
        found.setdefault(face_id, set()).add(person_id)
    return {face_id: frozenset(people) for face_id, people in found.items()}


def _all(embedder: str) -> Select[*tuple[Any, ...]]:
    quality = face.c.size, face.c.sharpness, face.c.yaw, face.c.roll, face.c.covered
    return (
        select(embedding.c.face_id, embedding.c.vector, identity.c.person_id, *quality)
        .join_from(embedding, face, face.c.id == embedding.c.face_id)
        .outerjoin(identity, and_(identity.c.face_id == embedding.c.face_id, _CONFIRMED))
        .where(embedding.c.embedder == embedder)
    )


def _prints(tx: Connection, rows: Select[*tuple[Any, ...]]) -> list[FaceEmbedding]:
    found = []
    for face_id, vector, person_id, size, sharpness, yaw, roll, covered in tx.execute(rows).all():
        quality = Quality(size, sharpness, yaw, roll, covered)
        trusted = trust(quality)
        # A face without usable features is no evidence against other faces.
        person = person_id if person_id is not None and trusted > 0 else 0
        found.append(FaceEmbedding(face_id, vector, person, trusted, is_clear(quality, trusted)))
    return found


def _is_confirmed(face_id: ColumnElement[int]) -> ColumnElement[bool]:
    return exists().where(identity.c.face_id == face_id, _CONFIRMED)

"""Whether faces and people are within a request's reach, before it changes what holds for everyone."""

from collections.abc import Collection

from sqlalchemy import Connection, Table, or_, select

from agent.domain.edits import (
    DescribePersonEdit,
    Edit,
    IgnoreFacesEdit,
    ImportNamesEdit,
    MergePeopleEdit,
    NameFacesEdit,
    NameManyEdit,
    RejectFaces,
    UnnameFacesEdit,
)
from agent.domain.errors import FaceUnknown, NothingToUndo, PersonElsewhere, PersonUnknown
from agent.domain.identity_matching import Certainty
from agent.domain.names import given
from agent.infrastructure.core.access_scope import current_scope, everything
from agent.infrastructure.store import undo_log
from agent.infrastructure.store.database import Queries
from agent.infrastructure.store.facts import chunks
from agent.infrastructure.store.library_triggers import may_be_elsewhere
from agent.infrastructure.store.schema import face, identity, person, place


class ReachQueries(Queries):
    """All of it does nothing where everything is within reach."""

    def check_faces(self, face_ids: Collection[int]) -> None:
        """Raises FaceUnknown if one of them isn't within reach."""
        if current_scope() is None or not face_ids:
            return
        wanted = set(face_ids)
        with self.database.read() as tx:
            found = _ids(tx, face, wanted)
        if found != wanted:
            raise FaceUnknown

    def check_people(self, people: Collection[int], *, whole: bool) -> None:
        """Raises PersonUnknown if one of them isn't within reach; if they are to be changed as a `whole`, PersonElsewhere for one who
        is on photos beyond it, too.
        """
        if current_scope() is None or not people:
            return
        with self.database.read() as tx:
            found = set(tx.scalars(select(person.c.id).where(person.c.id.in_(list(people)))))
        if found != set(people):
            raise PersonUnknown
        if whole and self.elsewhere(people):
            raise PersonElsewhere

    def check_step(self, token: str | None, *, again: bool = False) -> None:
        """Raises NothingToUndo if the step that would be undone, or done `again`, is about what isn't within reach any more."""
        if current_scope() is None:
            return
        with everything(), self.database.read() as tx:
            there = {each: _ids(tx, each, ids) for each, ids in undo_log.about(tx, token, again=again).items()}
        with self.database.read() as tx:
            if any(_ids(tx, each, ids) != ids for each, ids in there.items()):
                raise NothingToUndo

    def is_of_people(self, token: str) -> bool:
        """Return whether that step is about people or faces."""
        with everything(), self.database.read() as tx:
            return not {face, person}.isdisjoint(undo_log.about(tx, token))

    def check_name(self, name: str) -> None:
        """Raises PersonElsewhere if someone called so isn't within reach, or not as a whole."""
        if current_scope() is None:
            return
        with everything(), self.database.read() as tx:
            known = tx.scalar(select(person.c.id).where(person.c.name == name))
        try:
            self.check_people([known] if known is not None else [], whole=True)
        except PersonUnknown:
            raise PersonElsewhere from None

    def elsewhere(self, people: Collection[int]) -> frozenset[int]:
        """Return those who are, certainly, on a photo beyond reach."""
        reach = current_scope()
        if reach is None or not people:
            return frozenset()
        beyond = or_(place.c.library_id.is_(None), place.c.library_id.not_in(sorted(reach.libraries)))
        theirs = (
            select(identity.c.person_id)
            .join_from(identity, face, face.c.id == identity.c.face_id)
            .join(place, place.c.image_id == face.c.image_id)
            .where(identity.c.person_id.in_(list(people)), identity.c.certainty != Certainty.PROBABLE, beyond)
        )
        with everything(), self.database.read() as tx:
            if not may_be_elsewhere(tx, people, reach.libraries):
                return frozenset()
            return frozenset(tx.scalars(theirs.distinct()))


def _ids(tx: Connection, table: Table, ids: Collection[int]) -> set[int]:
    """Return those that exist and are within reach."""
    return {each for part in chunks(sorted(ids)) for each in tx.scalars(select(table.c.id).where(table.c.id.in_(part)))}


def check_edit(library: ReachQueries, wish: Edit) -> None:
    """Check what an edit by a member of a team is about: an edit holds in all libraries, and is applied without regard to them. Blocks.

    Raises FaceUnknown, PersonUnknown for what is beyond reach; PersonElsewhere to change a person who is also there.
    """
    match wish:
        case NameFacesEdit():
            library.check_faces([*wish.face_ids, *wish.left_out])
            library.check_people([wish.person_id] if wish.person_id is not None else [], whole=wish.basis is not None)
            if wish.basis is not None and wish.name is not None:
                library.check_name(given(wish.name))
        case NameManyEdit():
            library.check_faces([each for _, faces in wish.people for each in faces])
        case ImportNamesEdit():
            library.check_faces([face_id for face_id, _ in wish.names])
        case RejectFaces():
            library.check_faces(wish.face_ids)
            library.check_people([wish.person_id], whole=False)
        case UnnameFacesEdit() | IgnoreFacesEdit():
            library.check_faces(wish.face_ids)
        case MergePeopleEdit():
            library.check_people({*wish.person_ids, wish.into}, whole=True)
        case DescribePersonEdit():
            library.check_people([wish.person_id], whole=True)
            library.check_faces([wish.cover_face_id] if wish.cover_face_id is not None else [])

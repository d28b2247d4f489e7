"""What belongs to the library that moves: all of a desktop's, or what one of a server's libraries holds."""

from dataclasses import dataclass

from sqlalchemy import ColumnElement, Table, exists, func, or_, select, true

from agent.infrastructure.core.actor import HERE
from agent.infrastructure.store.schema import (
    album,
    album_image,
    album_person,
    consent,
    face,
    identity,
    image,
    job,
    person,
    place,
    redaction,
    redaction_item,
    rejection,
    undo,
    undo_person,
    unseen,
)
from agent.infrastructure.store.schema import library as libraries


@dataclass(frozen=True, slots=True)
class MoveScope:
    """`library` is one of a server's; None: everything."""

    library: int | None = None

    def placed(self) -> ColumnElement[bool]:
        return true() if self.library is None else place.c.library_id == self.library

    def shown(self) -> ColumnElement[bool]:
        return true() if self.library is None else exists().where(place.c.image_id == image.c.id, self.placed())

    def met(self) -> ColumnElement[bool]:
        """People on its photos; if there is no other library, also those on none."""
        if self.library is None:
            return true()
        inside = select(face.c.id).join(image).where(self.shown())
        on = [person.c.id.in_(select(each.c.person_id).where(each.c.face_id.in_(inside))) for each in (identity, rejection, unseen)]
        alone = select(func.count()).select_from(libraries).scalar_subquery() == 1
        return or_(*on, alone & ~exists().where(identity.c.person_id == person.c.id))

    def covered(self) -> ColumnElement[bool]:
        if self.library is None:
            return true()
        return or_(
            exists().where(place.c.path == redaction_item.c.source, self.placed()),
            exists().where(image.c.sha256 == redaction_item.c.sha256, self.shown()),
        )

    def requested(self) -> ColumnElement[bool]:
        if self.library is None:
            return true()
        return exists().where(redaction_item.c.redaction_id == redaction.c.id, self.covered())

    def collected(self) -> ColumnElement[bool]:
        """Albums."""
        return true() if self.library is None else album.c.library_id == self.library

    def counted(self, table: Table) -> ColumnElement[bool]:
        """Return which rows of a table move; of faces and what is known of them, in a form that is counted cheaply."""
        if table is undo:
            return undo.c.actor == HERE
        if self.library is None:
            return true()
        inside = select(image.c.id).where(self.shown())
        albums = select(album.c.id).where(self.collected())
        own: dict[str, ColumnElement[bool]] = {
            "image": self.shown(),
            "place": self.placed(),
            "job": job.c.place_id.in_(select(place.c.id).where(self.placed())),
            "face": face.c.image_id.in_(inside),
            "person": self.met(),
            "consent": consent.c.person_uid.in_(select(person.c.uid).where(self.met())),
            "redaction": self.requested(),
            "redaction_item": self.covered(),
            "album": self.collected(),
            "album_image": album_image.c.album_id.in_(albums) & album_image.c.image_id.in_(inside),
            "album_person": album_person.c.album_id.in_(albums),
            "undo_person": undo_person.c.undo_id.in_(select(undo.c.id).where(undo.c.actor == HERE)),
        }
        if table.name in own:
            return own[table.name]
        return table.c.face_id.in_(select(face.c.id).where(face.c.image_id.in_(inside)))

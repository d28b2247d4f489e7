"""Albums of people, when those people are merged or forgotten."""

from collections.abc import Collection

from sqlalchemy import Connection, and_, delete, exists, select

from agent.features.library.records import Match
from agent.infrastructure.store.album_facts import ALBUM_KINDS
from agent.infrastructure.store.schema import album, album_person
from agent.infrastructure.store.undo_log import Journal


def merge(tx: Connection, step: Journal, other: int, into: int) -> None:
    """The albums of one person are the other's from now on."""
    theirs = tx.scalars(select(album_person.c.album_id).where(album_person.c.person_id == other)).all()
    for album_id, facts in ALBUM_KINDS["album"].read(tx, theirs).items():
        people = {into if each == other else each for each in facts["people"]}
        step.set("album", [album_id], facts | {"people": sorted(people)})


def forget(tx: Connection, people: Collection[int]) -> None:
    """Remove the people; an album of these people alone, or one that needs them on every photo, is deleted with its name."""
    theirs = select(album_person.c.album_id).where(album_person.c.person_id.in_(people))
    tx.execute(delete(album).where(album.c.id.in_(theirs), album.c.match != Match.ANY))
    touched = tx.scalars(theirs).all()
    tx.execute(delete(album_person).where(album_person.c.person_id.in_(people)))
    left = exists().where(album_person.c.album_id == album.c.id)
    tx.execute(delete(album).where(and_(album.c.id.in_(touched), ~left)))

"""Which images the library page shows, as conditions: by its filters, and those of an album."""

from collections.abc import Iterator, Sequence
from datetime import date, datetime, timedelta

from sqlalchemy import ColumnElement, Connection, Select, and_, false, func, not_, or_, select, true

from agent.domain import reference_path
from agent.domain.consent import ConsentState, Purpose
from agent.domain.identity_matching import Certainty
from agent.features.library.records import Match, Shown
from agent.infrastructure.store import trigram_index
from agent.infrastructure.store.dialects.functions import one_of
from agent.infrastructure.store.path_index import below, folded_forms, name_matches
from agent.infrastructure.store.schema import album, album_image, album_person, consent, face, identity, ignored, image, person, place


def conditions(tx: Connection, shown: Shown) -> list[ColumnElement[bool]]:
    """Conditions for the images that match all filters."""
    found = list(_matching(shown))
    if shown.text:
        found.append(_named(tx, shown.text))
    elif shown.folder is None:
        found.append(_any_is_there() if shown.images is None and tx.dialect.name == "postgresql" else is_there())
    return found if shown.album is None else [*found, *in_album(tx, shown.album)]


def visible() -> list[ColumnElement[bool]]:
    """Conditions for all images of the page."""
    return [*_matching(Shown()), is_there()]


def is_there(*also: ColumnElement[bool]) -> ColumnElement[bool]:
    """Whether an image has a file."""
    return select(place.c.id).where(place.c.image_id == image.c.id, place.c.missing_since.is_(None), *also).exists()


def _any_is_there() -> ColumnElement[bool]:
    """The same for all images at once: the sum keeps PostgreSQL from looking into the places of each, as row security makes it do."""
    return image.c.id.in_(select(place.c.image_id + 0).where(place.c.image_id.is_not(None), place.c.missing_since.is_(None)))


def is_by_hand(tx: Connection, album_id: int | None) -> bool:
    """Whether the images of an album are in an order of their own."""
    return album_id is not None and tx.scalar(select(album.c.id).where(album.c.id == album_id, album.c.match.is_(None))) is not None


def in_album(tx: Connection, album_id: int) -> list[ColumnElement[bool]]:
    """Conditions for the images of an album; one that is gone has none."""
    row = tx.execute(select(album.c.library_id, album.c.match, album.c.certain).where(album.c.id == album_id)).one_or_none()
    if row is None or row.match is None:
        return [image.c.id.in_(select(album_image.c.image_id).where(album_image.c.album_id == album_id))]
    people = tx.scalars(select(album_person.c.person_id).where(album_person.c.album_id == album_id)).all()
    kept_back = frozenset(tx.scalars(select_kept_back())) if people else frozenset()
    return of_rule(row.library_id, people, Match(row.match), bool(row.certain), kept_back)


def of_rule(
    library_id: int | None, people: Sequence[int], match: Match, certain: bool, kept_back: frozenset[int]
) -> list[ColumnElement[bool]]:
    """Conditions for the images of an album of people: those of its library, without anyone who is not to be shown inside."""
    left = [each for each in people if each not in kept_back]
    if not left or (match is not Match.ANY and len(left) < len(people)):
        return [false()]
    found = list(_of_people(Shown(people=tuple(left), match=match, certain=certain)))
    return found if library_id is None else [*found, is_there(place.c.library_id == library_id)]


def select_kept_back() -> Select[int]:
    """The people who said that they are not to be shown inside, as the view `kept_back` has them
    (`agent.infrastructure.store.row_security`)."""
    newest = select(func.max(consent.c.id)).where(consent.c.purpose == Purpose.SHOW_INSIDE).group_by(consent.c.person_uid)
    today = func.current_date()
    refused = or_(consent.c.state != ConsentState.GIVEN, consent.c.given_on > today, consent.c.valid_until < today)
    return select(person.c.id).where(person.c.uid.in_(select(consent.c.person_uid).where(consent.c.id.in_(newest), refused)))


def _matching(shown: Shown) -> Iterator[ColumnElement[bool]]:
    yield _is_hidden() if shown.hidden else image.c.hidden_at.is_(None)
    if shown.folder is not None:
        # The sum keeps the planner from visiting the images one by one: it reads all in order, and skips those not below.
        yield (image.c.id + 0).in_(select(place.c.image_id).where(and_(below(shown.folder), place.c.missing_since.is_(None))))
    if shown.after is not None:
        yield image.c.taken_at >= datetime.combine(shown.after, datetime.min.time())
    if shown.before is not None and shown.before < date.max:
        yield image.c.taken_at < datetime.combine(shown.before + timedelta(days=1), datetime.min.time())
    if shown.faces_min > 0:
        yield image.c.face_count >= shown.faces_min
    if shown.faces_max is not None:
        yield image.c.face_count <= shown.faces_max
    if shown.images is not None:
        yield image.c.id.in_(shown.images)
    if shown.favourites:
        yield image.c.favourite_at.is_not(None)
    yield from _of_people(shown)


def _is_hidden() -> ColumnElement[bool]:
    """Whether a photo was hidden. A reference without a photo is no photo of the library."""
    return and_(image.c.hidden_at.is_not(None), not_(is_there(place.c.source == reference_path.SOURCE)))


def _named(tx: Connection, searched: str) -> ColumnElement[bool]:
    there = place.c.missing_since.is_(None)
    files = trigram_index.files_named(tx, folded_forms(searched))
    if files is not None:
        return image.c.id.in_(select(place.c.image_id).where(place.c.id.in_(one_of(files)), there))
    # The sum keeps the planner from looking into the places of each image; it reads all places once instead.
    return image.c.id.in_(select(place.c.image_id + 0).where(name_matches(searched), there))


def _of_people(shown: Shown) -> Iterator[ColumnElement[bool]]:
    def showing(*people: int) -> ColumnElement[bool]:
        sure = identity.c.certainty != Certainty.PROBABLE if shown.certain else true()
        return image.c.id.in_(select(face.c.image_id).join(identity).where(identity.c.person_id.in_(people), sure))

    if shown.people and shown.match is Match.ANY:
        yield showing(*shown.people)
    elif shown.people:
        yield from map(showing, shown.people)
    if shown.people and shown.match is Match.ONLY:
        others = select(face.c.image_id).outerjoin(identity, identity.c.face_id == face.c.id)
        yield image.c.id.not_in(others.where(or_(identity.c.person_id.is_(None), identity.c.person_id.not_in(shown.people))))
    if shown.unnamed:
        unnamed = and_(identity.c.face_id.is_(None), face.c.id.not_in(select(ignored.c.face_id)))
        yield image.c.id.in_(select(face.c.image_id).outerjoin(identity, identity.c.face_id == face.c.id).where(unnamed))

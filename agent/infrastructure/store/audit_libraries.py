"""Which libraries of a team server an entry of the record concerns: the auditors of each of them see that entry.

They are asked when the entry is written, of all libraries, whatever the member reaches. Faces, people or photos that are in different
libraries are different groups, and each group gets an entry of its own, so no entry's number tells of a library whose auditors don't
see it. On a desktop, and of what is in no library, there is nothing to ask: such an entry is the server's.
"""

from collections import Counter
from collections.abc import Collection, Iterable, Mapping
from datetime import datetime
from typing import Any, Final, TypeAlias

import sqlalchemy
from sqlalchemy import Connection, Integer, Select, column, func, literal_column, select
from sqlalchemy.dialects.postgresql import ARRAY

from agent.infrastructure.core.access_scope import acting_libraries
from agent.infrastructure.store import audit_log
from agent.infrastructure.store.facts import chunks
from agent.infrastructure.store.library_triggers import TALLY, tallied
from agent.infrastructure.store.row_security import lifted
from agent.infrastructure.store.schema import face, image, library, person, place

Libraries: TypeAlias = frozenset[int]
Groups: TypeAlias = Mapping[Libraries, int]

THE_SERVERS: Final[Libraries] = frozenset()
_INTEGERS: Final = ARRAY(Integer)
_tally = sqlalchemy.table(TALLY, column("person_id", Integer), column("libraries", _INTEGERS), column("faces", Integer))


def of_search(tx: Connection) -> Libraries:
    """Return the libraries that the present request searches: those it reaches, or all for an administrator."""
    return acting_libraries() or frozenset(tx.scalars(select(library.c.id)))


def of_people(tx: Connection, people: Iterable[int]) -> Libraries:
    """Return the libraries that hold a photo of these people; if there is none, those in which the request acts."""
    groups = of_faces_of(tx, people)
    return _any(groups) if groups else acting_libraries()


def of_person(tx: Connection, uid: str) -> Libraries:
    """Return those of the person with that random id."""
    return of_people(tx, tx.scalars(select(person.c.id).where(person.c.uid == uid)))


def of_faces_of(tx: Connection, people: Iterable[int] | None) -> Groups:
    """Return how many faces of these people, or of all, are in which libraries."""
    if not tallied(tx):
        return {}
    wanted = select(_tally.c.libraries, func.sum(_tally.c.faces)).group_by(_tally.c.libraries)
    return _grouped(tx, wanted if people is None else wanted.where(_tally.c.person_id.in_(list(people))))


def of_faces(tx: Connection, faces: Collection[int]) -> Groups:
    """Return how many of these faces are in which libraries."""
    return _counted(tx, face.c.id, faces, "face.libraries", select())


def of_images(tx: Connection, images: Collection[int]) -> Groups:
    """Return how many of these images are in which libraries."""
    return _counted(tx, image.c.id, images, "image.libraries", select())


def of_files(tx: Connection, paths: Collection[str]) -> Groups:
    """Return how many of these files are in which libraries; those that are not in any are the server's."""
    if not tallied(tx):
        return {}
    known = _counted(tx, place.c.path, paths, "image.libraries", select().join_from(place, image, image.c.id == place.c.image_id))
    unknown = len(set(paths)) - sum(known.values())
    return Counter(known) + Counter({THE_SERVERS: unknown})


def of_file(tx: Connection, path: str) -> Libraries:
    return _any(of_files(tx, [path]))


def add_for_each(
    tx: Connection,
    action: str,
    subject: str | None,
    groups: Groups,
    count: int,
    now: datetime,
    *,
    detail: str = "",
    otherwise: Libraries = THE_SERVERS,
) -> None:
    """Add an entry for each group, with its number; with `count` if there is one, or none: then of those libraries that are `otherwise`."""
    if len(groups) <= 1:
        groups = dict.fromkeys(groups or [otherwise], count)
    for libraries, number in sorted(groups.items(), key=lambda each: sorted(each[0])):
        audit_log.add(tx, action, subject, number, now, detail=detail, libraries=libraries)


def add_of_faces(
    tx: Connection, action: str, subject: str | None, faces: Collection[Any], now: datetime, *, otherwise: Libraries = THE_SERVERS
) -> None:
    """Add an entry on these faces for each group of libraries that they are in."""
    add_for_each(tx, action, subject, of_faces(tx, faces), len(faces), now, otherwise=otherwise)


def _counted(tx: Connection, key: Any, keys: Collection[Any], libraries: str, wanted: Select[Any]) -> Groups:
    if not tallied(tx):
        return {}
    of_each = literal_column(libraries, _INTEGERS)
    found = Counter[Libraries]()
    for part in chunks(list(dict.fromkeys(keys))):
        found.update(_grouped(tx, wanted.add_columns(of_each, func.count(key.distinct())).where(key.in_(part)).group_by(of_each)))
    return found


def _grouped(tx: Connection, wanted: Select[Any]) -> Groups:
    with lifted(tx):
        return {frozenset(libraries): int(number) for libraries, number in tx.execute(wanted)}


def _any(groups: Groups) -> Libraries:
    return frozenset().union(*groups)

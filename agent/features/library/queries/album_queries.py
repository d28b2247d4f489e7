"""Albums: what they show, and changes of them, each a step that can be undone."""

from collections.abc import Callable, Sequence
from datetime import datetime
from typing import Any, Final

from sqlalchemy import Connection, case, exists, func, literal, select, union_all

from agent.domain.errors import AlbumByRule, AlbumPersonKeptBack, BadRequest, NotFound
from agent.domain.events import AlbumsChanged
from agent.features.library.queries.shown_image_queries import of_rule, select_kept_back, visible
from agent.features.library.records import Album, AlbumStep, Match
from agent.infrastructure.core.access_scope import current_scope, everything
from agent.infrastructure.store import audit_log, event_rows
from agent.infrastructure.store.album_facts import ALBUM_KINDS
from agent.infrastructure.store.database import Queries
from agent.infrastructure.store.dialects.functions import one_of
from agent.infrastructure.store.facts import chunks
from agent.infrastructure.store.flags import add
from agent.infrastructure.store.schema import album, album_image, album_person, image, library, person, place
from agent.infrastructure.store.undo_log import Journal

ALBUM_ACTIONS: Final = ("album_made", "album_changed", "album_removed")
GAP: Final = 2**32  # between two positions
_SHOWN: Final = (
    func.count().label("count"),
    func.max(image.c.id).label("newest"),
    func.max(case((image.c.id == album.c.cover_image_id, image.c.id))).label("cover"),
)

Facts = dict[str, Any]


class AlbumRows(Queries):
    def albums(self) -> list[Album]:
        """Return all within reach, by name; in a number of statements that does not grow with theirs."""
        with self.database.read() as tx:
            rows = tx.execute(select(album)).mappings().all()
            people: dict[int, list[int]] = {}
            for album_id, person_id in tx.execute(select(album_person).order_by(album_person.c.person_id)):
                people.setdefault(album_id, []).append(person_id)
            known = set(tx.scalars(select(person.c.id))) if people else set()
            kept_back = frozenset(tx.scalars(select_kept_back())) if people else frozenset()
            shown = _shown(tx, rows, people, kept_back)
        found = [
            Album(
                row["id"],
                row["name"],
                None if row["match"] is None else Match(row["match"]),
                tuple(its := [each for each in people.get(row["id"], ()) if each in known]),
                bool(row["certain"]),
                *shown.get(row["id"], (0, None)),
                row["library_id"],
                tuple(each for each in its if each in kept_back),
            )
            for row in rows
        ]
        return sorted(found, key=lambda each: (each.name.casefold(), each.id))

    def make_album(
        self,
        name: str,
        *,
        images: Sequence[int] = (),
        people: Sequence[int] = (),
        match: Match | None = None,
        certain: bool = False,
        library_id: int | None = None,
        now: datetime,
    ) -> AlbumStep:
        """Make one by hand, or of people within reach who may be shown inside. Raises NotFound, AlbumPersonKeptBack, BadRequest."""
        with self.database.read() as tx:
            if not set(tx.scalars(select(person.c.id).where(person.c.id.in_(list(people))))).issuperset(people):
                raise NotFound
            if people and not set(tx.scalars(select_kept_back())).isdisjoint(people):
                raise AlbumPersonKeptBack
            ids = _within_reach(tx, images)
            home = _home(tx, ids, library_id) if self.database.is_shared else None
        with everything(), self.database.write(durable=True) as tx:
            facts = {"library_id": home, "name": name, "match": match, "certain": int(certain), "created_at": now}
            made = add(tx, album, facts)
            kind = ALBUM_KINDS["album"]
            kind.write(tx, [made], kind.read(tx, [made])[made] | {"people": sorted(set(people))})
            step = Journal(tx)
            step.made("album", made)
            step.set("in_album", [(made, each, GAP * place) for place, each in enumerate(ids, 1)], 1)
            return _done(tx, step, "album_made", made, len(ids), now, _concerned(tx, home, made))

    def change_album(self, album_id: int, *, name: str | None, cover: int | None, now: datetime) -> AlbumStep:
        """Give it another name or cover. Raises NotFound."""
        with self.database.read() as tx:
            if cover is not None and not _within_reach(tx, [cover]):
                raise NotFound

        def change(tx: Connection, step: Journal, facts: Facts) -> int:
            asked = {"name": name, "cover_image_id": cover}
            return len(step.set("album", [album_id], facts | {key: value for key, value in asked.items() if value is not None}))

        return self._changed(album_id, change, now)

    def remove_album(self, album_id: int, *, now: datetime) -> AlbumStep:
        """Remove it; its photos stay where they are. Raises NotFound."""

        def change(tx: Connection, step: Journal, facts: Facts) -> int:
            step.set("in_album", _keys(tx, album_id), None)
            return len(step.set("album", [album_id], None))

        return self._changed(album_id, change, now, "album_removed")

    def add_to_album(self, album_id: int, ids: Sequence[int], *, now: datetime) -> AlbumStep:
        """Add images at the end; those it has stay where they are. Raises NotFound, AlbumByRule."""
        with self.database.read() as tx:
            wanted = _within_reach(tx, ids)

        def change(tx: Connection, step: Journal, facts: Facts) -> int:
            _check_by_hand(facts)
            held = {image_id for _, image_id, _ in _keys(tx, album_id, wanted)}
            last = tx.scalar(select(func.max(album_image.c.position)).where(album_image.c.album_id == album_id)) or 0
            new = [each for each in wanted if each not in held]
            return len(step.set("in_album", [(album_id, each, last + GAP * place) for place, each in enumerate(new, 1)], 1))

        return self._changed(album_id, change, now)

    def take_from_album(self, album_id: int, ids: Sequence[int], *, now: datetime) -> AlbumStep:
        """Raises NotFound, AlbumByRule."""
        with self.database.read() as tx:
            gone = _within_reach(tx, ids)

        def change(tx: Connection, step: Journal, facts: Facts) -> int:
            _check_by_hand(facts)
            return len(step.set("in_album", _keys(tx, album_id, gone), None))

        return self._changed(album_id, change, now)

    def move_in_album(self, album_id: int, ids: Sequence[int], before: int | None, *, now: datetime) -> AlbumStep:
        """Move images, in this order, before another one of it, or to its end. Raises NotFound, AlbumByRule."""
        with self.database.read() as tx:
            wanted = _within_reach(tx, ids)

        def change(tx: Connection, step: Journal, facts: Facts) -> int:
            _check_by_hand(facts)
            keys = _keys(tx, album_id)
            held = {key[1]: key for key in keys}
            moved = [held[each] for each in wanted if each in held]
            new = _moved(keys, moved, before)
            step.set("in_album", [old for old, _ in new], None)
            step.set("in_album", [key for _, key in new], 1)
            return len(moved)

        return self._changed(album_id, change, now)

    def _changed(
        self, album_id: int, change: Callable[[Connection, Journal, Facts], int], now: datetime, action: str = "album_changed"
    ) -> AlbumStep:
        """Change an album that is within reach, with the photos in it that are not: they keep their places."""
        with self.database.read() as tx:
            row = tx.execute(select(album.c.library_id).where(album.c.id == album_id)).one_or_none()
            if row is None:
                raise NotFound
            home = row.library_id
        with everything(), self.database.write(durable=True) as tx:
            facts = ALBUM_KINDS["album"].read(tx, [album_id]).get(album_id)
            if facts is None:
                raise NotFound
            step = Journal(tx)
            return _done(tx, step, action, album_id, change(tx, step, facts), now, frozenset() if home is None else frozenset({home}))


def _concerned(tx: Connection, home: int | None, album_id: int) -> frozenset[int]:
    """Return the library of a new album, unless its number of photos would tell of another one."""
    beyond = ~exists().where(place.c.image_id == album_image.c.image_id, place.c.library_id == home)
    elsewhere = select(album_image.c.image_id).where(album_image.c.album_id == album_id, beyond)
    return frozenset() if home is None or tx.scalar(elsewhere.limit(1)) is not None else frozenset({home})


def _done(tx: Connection, step: Journal, action: str, album_id: int, count: int, now: datetime, libraries: frozenset[int]) -> AlbumStep:
    token = step.close(action, count, now).token
    if token is None:
        return AlbumStep(album_id, None, 0, ())
    if action != "album_changed":
        audit_log.add(tx, action, None, count, now, libraries=libraries)
    return AlbumStep(album_id, token, count, (event_rows.record(tx, AlbumsChanged(), now),))


def _shown(
    tx: Connection, rows: Sequence[Any], people: dict[int, list[int]], kept_back: frozenset[int]
) -> dict[int, tuple[int, int | None]]:
    """For each album, how many images it shows, and its cover: the chosen one if it is among them, or the newest."""
    by_hand = (
        select(album.c.id, *_SHOWN)
        .join_from(album, album_image, album_image.c.album_id == album.c.id)
        .join(image, image.c.id == album_image.c.image_id)
        .where(album.c.match.is_(None), *visible())
        .group_by(album.c.id)
    )
    found = list(tx.execute(by_hand))
    rules = [
        select(literal(row["id"]), *_SHOWN)
        .select_from(image)
        .join(album, album.c.id == row["id"])
        .where(
            *visible(),
            *of_rule(row["library_id"], people.get(row["id"], ()), Match(row["match"]), bool(row["certain"]), kept_back),
        )
        for row in rows
        if row["match"] is not None
    ]
    for some in chunks(rules):
        for few in (some[start : start + 50] for start in range(0, len(some), 50)):  # the terms of one statement have a limit
            found += tx.execute(union_all(*few))
    return {album_id: (count, cover or newest) for album_id, count, newest, cover in found}


def _keys(tx: Connection, album_id: int, among: Sequence[int] | None = None) -> list[tuple[int, int, int]]:
    """All photos of an album by hand, or those of them `among` these, in their order, as facts are keyed."""
    photos = select(album_image).where(album_image.c.album_id == album_id).order_by(album_image.c.position, album_image.c.image_id)
    if among is not None:
        photos = photos.where(album_image.c.image_id.in_(one_of(among)))
    return [(row.album_id, row.image_id, row.position) for row in tx.execute(photos)]


def _moved(
    keys: Sequence[tuple[int, int, int]], moved: Sequence[tuple[int, int, int]], before: int | None
) -> list[tuple[tuple[int, int, int], tuple[int, int, int]]]:
    """The keys that change, old and new: those of the moved ones or, where there is no room left, of all."""
    going = set(moved)
    rest = [key for key in keys if key not in going]
    at = next((at for at, key in enumerate(keys) if key[1] == before), len(keys))
    place = sum(key not in going for key in keys[:at])
    low = rest[place - 1][2] if place > 0 else (rest[0][2] if rest else 0) - GAP * (len(moved) + 1)
    high = rest[place][2] if place < len(rest) else low + GAP * (len(moved) + 1)
    room = (high - low) // (len(moved) + 1)
    if room > 0:
        return [(key, (key[0], key[1], low + room * at)) for at, key in enumerate(moved, 1)]
    order = [*rest[:place], *moved, *rest[place:]]
    return [(key, (key[0], key[1], GAP * at)) for at, key in enumerate(order, 1)]


def _within_reach(tx: Connection, ids: Sequence[int]) -> list[int]:
    """Those that exist and may be seen, each once, in this order."""
    found = set(tx.scalars(select(image.c.id).where(image.c.id.in_(one_of(ids)))))
    return [each for each in dict.fromkeys(ids) if each in found]


def _check_by_hand(facts: Facts) -> None:
    """Raises AlbumByRule."""
    if facts["match"] is not None:
        raise AlbumByRule


def _home(tx: Connection, images: Sequence[int], wanted: int | None) -> int:
    """The library of a new album: the one that is named, or the one within reach that most of its photos are in.

    Raises NotFound if the named one is out of reach, BadRequest if there are several and none is meant.
    """
    reach = current_scope()
    allowed = set(tx.scalars(select(library.c.id))) if reach is None else reach.libraries
    if wanted is not None:
        if wanted not in allowed:
            raise NotFound
        return wanted
    if len(allowed) == 1:
        return next(iter(allowed))
    counts: dict[int, int] = {}
    for chunk in chunks(images):
        its = select(place.c.library_id, func.count(place.c.image_id.distinct())).where(place.c.image_id.in_(chunk))
        for library_id, count in tx.execute(its.group_by(place.c.library_id)):
            counts[library_id] = counts.get(library_id, 0) + count
    if not (meant := [each for each in counts if each in allowed]):
        raise BadRequest(reason="library")
    return max(meant, key=lambda each: (counts[each], -each))

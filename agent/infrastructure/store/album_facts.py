"""Albums as facts: an album has a name, and others, and its people; a photo is in it at a position."""

from collections.abc import Collection, Iterable, Sequence
from datetime import datetime

from sqlalchemy import ColumnElement, Connection, and_, delete, exists, insert, literal, select, update

from agent.infrastructure.store.dialects.functions import number_pairs, one_of
from agent.infrastructure.store.fact_values import FactKind, Value, existing, moment, packed, unpacked
from agent.infrastructure.store.schema import album, album_image, album_person, image

_IF_ANY = ("uid",)  # left out of facts while empty: steps that are older than the column compare equal


def uid_of(album_id: int, created_at: datetime | int, uid: str | None) -> str:
    """Return what an album is recognised by in another library. Removing it and bringing it back changes neither number nor time."""
    micros = created_at if isinstance(created_at, int) else moment(created_at)
    return uid or f"{album_id:016x}{micros % 2**64:016x}"


def _read_album(tx: Connection, keys: Sequence[int]) -> dict[int, Value]:
    rows = tx.execute(select(album).where(album.c.id.in_(keys))).mappings()
    found = {
        row["id"]: {name: packed(value) for name, value in row.items() if name != "id" and (value is not None or name not in _IF_ANY)}
        | {"people": []}
        for row in rows
    }
    of_them = select(album_person).where(album_person.c.album_id.in_(keys)).order_by(album_person.c.person_id)
    for album_id, person_id in tx.execute(of_them):
        found[album_id]["people"].append(person_id)
    return found


def _write_album(tx: Connection, keys: Sequence[int], value: Value) -> None:
    if value is None:
        tx.execute(delete(album).where(album.c.id.in_(keys)))
        return
    row = {name: unpacked(album.c[name].type, each) for name, each in value.items() if name != "people"}
    for album_id in keys:
        if not tx.execute(update(album).where(album.c.id == album_id).values(row)).rowcount:
            tx.execute(insert(album).values(row | {"id": album_id}))
        tx.execute(delete(album_person).where(album_person.c.album_id == album_id))
        if value["people"]:
            tx.execute(insert(album_person), [{"album_id": album_id, "person_id": each} for each in value["people"]])


def _read_in_album(tx: Connection, keys: Sequence[tuple[int, int, int]]) -> dict[tuple[int, int, int], Value]:
    rows = (row for album_id, places in _by_album(keys).items() for row in tx.execute(select(album_image).where(_held(album_id, places))))
    return {(row.album_id, row.image_id, row.position): 1 for row in rows}


def _write_in_album(tx: Connection, keys: Sequence[tuple[int, int, int]], value: Value) -> None:
    for album_id, places in _by_album(keys).items():
        if value is None:
            tx.execute(delete(album_image).where(_held(album_id, places)))
        elif existing(tx, album, [album_id]):
            image_id, position = number_pairs(places.items())
            held = exists().where(album_image.c.album_id == album_id, album_image.c.image_id == image_id)
            new = select(literal(album_id), image.c.id, position).where(image.c.id == image_id, ~held)
            tx.execute(insert(album_image).from_select(["album_id", "image_id", "position"], new))


def _by_album(keys: Iterable[tuple[int, int, int]]) -> dict[int, dict[int, int]]:
    """Return the image -> position of each album."""
    found: dict[int, dict[int, int]] = {}
    for album_id, image_id, position in keys:
        found.setdefault(album_id, {})[image_id] = position
    return found


def _held(album_id: int, images: Collection[int]) -> ColumnElement[bool]:
    return and_(album_image.c.album_id == album_id, album_image.c.image_id.in_(one_of(images)))


# album: album -> its data and its people; in_album: (album, image, position) -> 1
ALBUM_KINDS = {"album": FactKind(_read_album, _write_album), "in_album": FactKind(_read_in_album, _write_in_album)}

"""Albums as facts: an album has a name, and others, and its people; a photo is in it at a position."""

from collections.abc import Sequence
from datetime import datetime

from sqlalchemy import ColumnElement, Connection, delete, insert, select, tuple_, update

from agent.store.fact_values import FactKind, Value, existing, moment, packed, unpacked
from agent.store.schema import album, album_image, album_person, image

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
    rows = tx.execute(select(album_image).where(_pair_in_album([(album_id, image_id) for album_id, image_id, _ in keys])))
    return {(each.album_id, each.image_id, each.position): 1 for each in rows}


def _write_in_album(tx: Connection, keys: Sequence[tuple[int, int, int]], value: Value) -> None:
    pairs = _pair_in_album([(album_id, image_id) for album_id, image_id, _ in keys])
    if value is None:
        tx.execute(delete(album_image).where(pairs))
        return
    albums, images = set(existing(tx, album, [each for each, _, _ in keys])), set(existing(tx, image, [each for _, each, _ in keys]))
    held = {(row.album_id, row.image_id) for row in tx.execute(select(album_image.c.album_id, album_image.c.image_id).where(pairs))}
    rows = [
        {"album_id": album_id, "image_id": image_id, "position": position}
        for album_id, image_id, position in keys
        if album_id in albums and image_id in images and (album_id, image_id) not in held
    ]
    if rows:
        tx.execute(insert(album_image), rows)


def _pair_in_album(pairs: Sequence[tuple[int, int]]) -> ColumnElement[bool]:
    return tuple_(album_image.c.album_id, album_image.c.image_id).in_(pairs)


# album: album -> its data and its people; in_album: (album, image, position) -> 1
ALBUM_KINDS = {"album": FactKind(_read_album, _write_album), "in_album": FactKind(_read_in_album, _write_in_album)}

"""Steps that can be undone, with their numbers replaced by those of another library.

A step restores only what is still as it left it (`agent.infrastructure.store.undo_log`), so one whose photo or face did not move does less,
not wrong.
"""

from collections.abc import Callable, Iterable
from typing import Any, Final, TypeAlias

from agent.infrastructure.store.album_facts import uid_of
from agent.infrastructure.store.facts import LOST, TEAM
from agent.server.transfer.tables import Row, RowKind

Other: TypeAlias = Callable[[RowKind, Any], Any]

_KEYS: Final = {"hidden": RowKind.IMAGE, "favourite": RowKind.IMAGE, "who": RowKind.FACE, "ignored": RowKind.FACE, LOST: RowKind.FACE}
_PAIRS: Final = ("not", "unseen")


def changed_step(row: Row, other: Other) -> Row | None:
    """Return a step for the other library; None if nothing of it is there. `other` returns None for what did not move."""
    changes = [found for each in row["changes"] if each["fact"] != TEAM and (found := changed_keys(each, other))["keys"]]
    person_id = None if row["person_id"] is None else other(RowKind.PERSON, row["person_id"])
    return row | {"changes": changes, "person_id": person_id} if changes else None


def references(steps: Iterable[Row]) -> dict[RowKind, set[int]]:
    """Return the numbers in steps, by what they refer to."""
    found: dict[RowKind, set[int]] = {kind: set() for kind in RowKind}

    def note(kind: RowKind, number: int) -> int:
        found[kind].add(number)
        return number

    for each in steps:
        changed_step(each, note)
    return found


def libraries_of_albums(steps: Iterable[Row]) -> dict[int, int | None]:
    """Return the library of each album that steps made, changed or removed."""
    return {
        change["keys"][0]: value["library_id"]
        for each in steps
        for change in each["changes"]
        if change["fact"] == "album"
        for value in (change["before"], change["after"])
        if value is not None
    }


def changed_keys(change: Row, other: Other) -> Row:
    """Return one change with all numbers replaced."""
    fact = change["fact"]
    if fact == TEAM:  # a membership doesn't move
        return change | {"keys": []}
    if fact == "in_album":
        places = [(other(RowKind.ALBUM, album), other(RowKind.IMAGE, image), position) for album, image, position in change["keys"]]
        return change | {"keys": [list(each) for each in places if None not in each]}
    if fact == "album":
        return _changed_album(change, other)
    if fact in _PAIRS:
        pairs = [(other(RowKind.FACE, face), other(RowKind.PERSON, person)) for face, person in change["keys"]]
        keys: list[Any] = [list(each) for each in pairs if None not in each]
    else:
        kind = _KEYS.get(fact, RowKind.PERSON)
        keys = [found for each in change["keys"] if (found := other(kind, each)) is not None]
    before, after = (_value(fact, change[name], other) for name in ("before", "after"))
    if fact == "who" and any(value is not None and value[0] is None for value in (before, after)):
        keys = []  # of a person who did not move: undone, the face would lose its name
    return change | {"keys": keys, "before": before, "after": after}


def _changed_album(change: Row, other: Other) -> Row:
    """Return a change of one album; without it, if it is of people who did not all move."""
    [album_id] = change["keys"]
    sides = {name: _album(album_id, change[name], other) for name in ("before", "after")}
    known = all(None not in value["people"] for value in sides.values() if value is not None)
    found = other(RowKind.ALBUM, album_id) if known else None
    return change | sides | {"keys": [] if found is None else [found]}


def _album(album_id: int, value: Any, other: Other) -> Any:
    if value is None:
        return None
    people = [other(RowKind.PERSON, each) for each in value["people"]]
    cover = value["cover_image_id"]
    return value | {
        "uid": uid_of(album_id, value["created_at"], value.get("uid")),
        "library_id": other(RowKind.LIBRARY, value["library_id"]),
        "cover_image_id": None if cover is None else other(RowKind.IMAGE, cover),
        "people": people if None in people else sorted(people),
    }


def _value(fact: str, value: Any, other: Other) -> Any:
    if value is None:
        return None
    if fact == "who":
        return [other(RowKind.PERSON, value[0]), value[1]]
    if fact == "person":
        cover = value["cover_face_id"]
        return value | {"cover_face_id": None if cover is None else other(RowKind.FACE, cover), "lapsed_at": None}
    if fact == "cover_face_id":
        return other(RowKind.FACE, value)
    return value

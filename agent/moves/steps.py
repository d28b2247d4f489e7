"""Steps that can be undone, with their numbers replaced by those of another library.

A step restores only what is still as it left it (`agent.store.journal`), so one whose photo or face did not move does less, not wrong.
"""

from collections.abc import Callable
from typing import Any, Final, TypeAlias

from agent.moves.tables import Kind, Row
from agent.store.album_facts import ALBUM_KINDS
from agent.store.facts import LOST, TEAM

Other: TypeAlias = Callable[[Kind, Any], Any]

_KEYS: Final = {"hidden": Kind.IMAGE, "favourite": Kind.IMAGE, "who": Kind.FACE, "ignored": Kind.FACE, LOST: Kind.FACE}
_PAIRS: Final = ("not", "unseen")


def changed_step(row: Row, other: Other) -> Row | None:
    """Return a step for the other library; None if nothing of it is there. `other` returns None for what did not move."""
    changes = [found for each in row["changes"] if each["fact"] != TEAM and (found := changed_keys(each, other))["keys"]]
    person_id = None if row["person_id"] is None else other(Kind.PERSON, row["person_id"])
    return row | {"changes": changes, "person_id": person_id} if changes else None


def changed_keys(change: Row, other: Other) -> Row:
    """Return one change with all numbers replaced."""
    fact = change["fact"]
    if fact == TEAM or fact in ALBUM_KINDS:  # a membership and albums don't move
        return change | {"keys": []}
    if fact in _PAIRS:
        pairs = [(other(Kind.FACE, face), other(Kind.PERSON, person)) for face, person in change["keys"]]
        keys: list[Any] = [list(each) for each in pairs if None not in each]
    else:
        kind = _KEYS.get(fact, Kind.PERSON)
        keys = [found for each in change["keys"] if (found := other(kind, each)) is not None]
    before, after = (_value(fact, change[name], other) for name in ("before", "after"))
    if fact == "who" and any(value is not None and value[0] is None for value in (before, after)):
        keys = []  # of a person who did not move: undone, the face would lose its name
    return change | {"keys": keys, "before": before, "after": after}


def _value(fact: str, value: Any, other: Other) -> Any:
    if value is None:
        return None
    if fact == "who":
        return [other(Kind.PERSON, value[0]), value[1]]
    if fact == "person":
        cover = value["cover_face_id"]
        return value | {"cover_face_id": None if cover is None else other(Kind.FACE, cover), "lapsed_at": None}
    if fact == "cover_face_id":
        return other(Kind.FACE, value)
    return value

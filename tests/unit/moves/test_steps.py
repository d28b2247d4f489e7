"""Steps that can be undone, with the numbers of another library."""

from typing import Any

from agent.moves.steps import changed_step
from agent.moves.tables import Kind

THERE = {(Kind.FACE, 1): 11, (Kind.FACE, 2): 12, (Kind.PERSON, 1): 21, (Kind.IMAGE, 1): 31}


def other(kind: Kind, number: int) -> int | None:
    return THERE.get((kind, number))


def changed(*changes: dict[str, Any]) -> list[dict[str, Any]] | None:
    step = changed_step({"changes": list(changes), "person_id": 1}, other)
    return None if step is None else step["changes"]


def test_numbers_in_keys_and_values_are_replaced() -> None:
    assert changed({"fact": "who", "keys": [1, 2], "before": None, "after": [1, 5]}) == [
        {"fact": "who", "keys": [11, 12], "before": None, "after": [21, 5]}
    ]
    assert changed({"fact": "not", "keys": [[1, 1]], "before": None, "after": 5}) == [
        {"fact": "not", "keys": [[11, 21]], "before": None, "after": 5}
    ]
    assert changed({"fact": "cover_face_id", "keys": [1], "before": 1, "after": 2}) == [
        {"fact": "cover_face_id", "keys": [21], "before": 11, "after": 12}
    ]


def test_what_did_not_move_is_left_out() -> None:
    assert changed({"fact": "hidden", "keys": [1, 7], "before": None, "after": 5}) == [
        {"fact": "hidden", "keys": [31], "before": None, "after": 5}
    ]
    assert changed({"fact": "hidden", "keys": [7], "before": None, "after": 5}) is None


def test_a_naming_of_someone_who_did_not_move_is_left_out() -> None:
    assert changed({"fact": "who", "keys": [1], "before": [9, 4], "after": [1, 5]}) is None


def test_what_concerns_a_membership_does_not_move() -> None:
    assert changed({"fact": "team", "keys": ["uid"], "before": None, "after": 1}) is None

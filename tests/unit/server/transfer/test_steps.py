"""Steps that can be undone, with the numbers of another library."""

from typing import Any

from agent.server.transfer.steps import changed_step
from agent.server.transfer.tables import RowKind

THERE = {(RowKind.FACE, 1): 11, (RowKind.FACE, 2): 12, (RowKind.PERSON, 1): 21, (RowKind.IMAGE, 1): 31, (RowKind.ALBUM, 1): 41}


def other(kind: RowKind, number: int) -> int | None:
    return 3 if kind is RowKind.LIBRARY else THERE.get((kind, number))


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


def test_a_photo_in_an_album_keeps_its_position_and_an_album_what_it_is_recognised_by() -> None:
    assert changed({"fact": "in_album", "keys": [[1, 1, 77], [1, 7, 78], [9, 1, 79]], "before": None, "after": 1}) == [
        {"fact": "in_album", "keys": [[41, 31, 77]], "before": None, "after": 1}
    ]
    facts = {"name": "Sea", "library_id": None, "cover_image_id": 7, "people": [1], "created_at": 255}
    there = {"name": "Sea", "library_id": 3, "cover_image_id": None, "people": [21], "created_at": 255, "uid": f"{1:016x}{255:016x}"}
    assert changed({"fact": "album", "keys": [1], "before": facts, "after": None}) == [
        {"fact": "album", "keys": [41], "before": there, "after": None}
    ]
    assert changed({"fact": "album", "keys": [1], "before": facts | {"people": [1, 9]}, "after": None}) is None

"""The page of a person's own data holds all of the lines but the prints' numbers, in words, and nothing that runs."""

import json
from collections.abc import Iterator

import pytest

from agent.infrastructure.core.i18n import LANGUAGES, Texts
from agent.server.subject_access.page import own_page

GIVEN = {
    "state": "given",
    "basis": "guardian",
    "given_on": "2026-11-30",
    "valid_until": "2027-07-31",
    "guardian": "Dad",
    "document": "Binder 4",
}
WITHDRAWN = {"state": "withdrawn", "basis": None, "given_on": "2026-12-01", "valid_until": None, "guardian": "", "document": None}
PERSON = {
    "name": "Mei <b>Lin</b>",
    "birth_date": "2011-05-02",
    "notes": "<script>alert(1)</script> & more",
    "basis": "guardian",
    "basis_at": "2026-11-30T08:00:00+00:00",
    "watch_at": None,
    "named_at": "2026-11-29T08:00:00+00:00",
    "confirmed_at": None,
    "retention_days": 365,
    "hidden": False,
    "never": True,
    "consents": [GIVEN | {"purpose": "recognise"}, WITHDRAWN | {"purpose": "publish"}],
}
FACES: list[dict[str, object]] = [
    {"box": [10.4, 20.6, 30, 40], "certainty": "confirmed", "face_print": "c2VjcmV0"},
    {"box": [1, 2, 3, 4], "certainty": "probable", "face_print": None},
]


def page(language: str, *faces: dict[str, object], **changed: object) -> str:
    lines = (json.dumps(each).encode() for each in (PERSON | changed, *faces))
    return b"".join(own_page(lines, Texts(language))).decode()


@pytest.mark.parametrize("language", sorted(LANGUAGES))
def test_everything_is_there_in_words(language: str) -> None:
    shown, texts = page(language, *FACES), Texts(language)
    assert f'<html lang="{language}">' in shown
    for word in ("2011-05-02", "2026-11-30", "2027-07-31", "365", "Dad", "Binder 4", "10, 21, 30 × 40", texts("own_data.by.probable")):
        assert word in shown, word
    assert texts("team_page.consent.withdrawn", when="2026-12-01") in shown
    assert not any(key in shown for key in ("own_data.", "_page.", "ui.people")), "a text that there is not"
    assert "c2VjcmV0" not in shown and "None" not in shown


def test_what_others_typed_is_text() -> None:
    shown = page("en")
    assert "<script" not in shown and "<b>" not in shown
    assert "&lt;script&gt;" in shown and "Mei &lt;b&gt;Lin&lt;/b&gt;" in shown


def test_faces_are_not_collected_first() -> None:
    def lines() -> Iterator[bytes]:
        yield json.dumps(PERSON).encode()
        raise AssertionError("asked for a face too early")

    assert b"<!doctype html>" in next(own_page(lines(), Texts("en")))


def test_that_nothing_was_said_is_said() -> None:
    assert Texts("en")("own_data.nothing") in page("en", consents=[])

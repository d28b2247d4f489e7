"""Names to sign in with have one spelling, and hold nothing that can't be seen."""

import unicodedata

import pytest
from hypothesis import given
from hypothesis import strategies as st

from agent.domain.errors import MemberNameInvalid
from agent.server.accounts.sign_in_names import LONGEST_NAME, folded, shown


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("Mei", "MEI"),
        ("Zoë", "zoe\u0308"),
        ("Ｍｅｉ", "mei"),
        ("straße", "STRASSE"),
        ("Mei Lin", "  mei   lin "),
        ("ﬁona", "FIONA"),
        ("Ǆ", "ǆ"),
    ],
)
def test_names_that_look_the_same_are_one(one: str, other: str) -> None:
    assert folded(one) == folded(other)


@pytest.mark.parametrize(
    "name",
    ["", "   ", "a\0b", "a\nb", "a\u200bb", "a\u202eb", "\ud800", "\ue000", "a\u2028b", "x" * (LONGEST_NAME + 1), "x" * 100_000, "ﷺ" * 60],
)
def test_names_without_visible_characters_or_too_long_are_refused(name: str) -> None:
    for check in (folded, shown):
        if name.isprintable() and len(name) <= 100 and name.strip() and check is shown:
            continue  # a display name may be longer
        with pytest.raises(MemberNameInvalid):
            check(name)


@given(st.text(max_size=80))
def test_a_folded_name_is_its_own_spelling(name: str) -> None:
    try:
        found = folded(name)
    except MemberNameInvalid:
        return
    assert folded(found) == found and 1 <= len(found) <= LONGEST_NAME
    assert folded(unicodedata.normalize("NFD", found)) == found
    assert "\0" not in found and found.strip() == found
    assert found.encode()  # a database takes it


@given(st.text(max_size=120))
def test_a_display_name_stays_as_it_is(name: str) -> None:
    try:
        found = shown(name)
    except MemberNameInvalid:
        return
    assert shown(found) == found and found.encode()

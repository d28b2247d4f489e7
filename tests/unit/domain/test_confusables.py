"""Names that look the same are the same, and real names of any script stay as they are."""

import unicodedata

import pytest
from hypothesis import given
from hypothesis import strategies as st

from agent.domain.confusables import is_visible, visible
from agent.domain.errors import LibraryNameInvalid, MemberNameInvalid, NameEmpty
from agent.domain.names import given as given_name
from agent.domain.names import ids_of, tidy
from agent.domain.regions import same_name
from agent.interfaces.web.desk_exchange import JoinRequest
from agent.server.accounts.sign_in_names import folded, shown
from agent.server.libraries.library_choice import tidy_name

UNSEEN = {
    "Hangul fillers": "\u3164\u115f\u1160\uffa0",
    "the reading direction": "\u202a\u202e\u202c\u2066\u2069\u200e\u200f\u061c",
    "zero width": "\u200b\u2060\ufeff\u00ad\u034f\u2064",
    "joiners of nothing": "\u200c\u200d",
    "variants of nothing": "\ufe0f\ufe00\U000e0100\U000e01ef",
    "tags": "\U000e0041\U000e0042\U000e007f",
    "blanks": "\u2800\u17b4\u180e",
}
REAL = {
    "Persian": "علی‌رضا",
    "Sinhala": "ශ්‍රී",
    "Marathi": "राजेश्\u200cकर र्\u200dय",
    "Bengali": "র‍্যাব",
    "old Malayalam": "ന്‍",
    "Japanese with a variant": "葛\U000e0100城",
    "Mongolian": "ᠠᠩᠬ\u180eᠠ",
    "Korean": "김민준",
    "Irish": "Ó Súilleabháin",
    "Hawaiian": "Kaʻiulani",
    "a family": "👩\u200d👩\u200d👧",
    "a woman at work": "👩🏽\u200d⚕\ufe0f",
    "a heart": "Mei ❤\ufe0f",
    "a keycap": "1\ufe0f\u20e3",
    "England": "🏴\U000e0067\U000e0062\U000e0065\U000e006e\U000e0067\U000e007f",
    "Chinese": "欧阳·美",
}


@pytest.mark.parametrize("hidden", UNSEEN.values(), ids=UNSEEN)
def test_what_shows_nothing_makes_no_other_name(hidden: str) -> None:
    for each in hidden:
        assert tidy(f"M{each}ei{each}") == tidy(f"{each}Mei") == "Mei", f"U+{ord(each):04X}"
        assert not is_visible(f"Mei{each}") and not is_visible(f"M{each}ei")
    with pytest.raises(NameEmpty):
        given_name(hidden)
    with pytest.raises(MemberNameInvalid):
        shown(f"Mei{hidden}")
    with pytest.raises(MemberNameInvalid):
        folded(f"mei{hidden}")
    with pytest.raises(LibraryNameInvalid):
        tidy_name(f"Sports{hidden}")
    assert JoinRequest(computer=f"mei{hidden}-laptop").computer == "mei-laptop"


@pytest.mark.parametrize("name", REAL.values(), ids=REAL)
def test_real_names_stay_as_they_are(name: str) -> None:
    assert tidy(name) == unicodedata.normalize("NFC", name)
    assert is_visible(tidy(name))
    assert shown(name) == tidy_name(name) == tidy(name)
    assert JoinRequest(computer=name).computer == name


def test_a_sidecar_that_holds_what_shows_nothing_names_the_same_person() -> None:
    assert same_name("Mei\u3164", "mei") and not same_name("علی‌رضا", "علیرضا")


@pytest.mark.parametrize("wrong", ["Mei\nLi", "Mei\x1b[2J", "Mei\u2028", "Mei\u3000Li", "Mei\ud800"])
def test_names_of_accounts_libraries_and_computers_are_one_line(wrong: str) -> None:
    assert not is_visible(wrong)
    with pytest.raises(MemberNameInvalid):
        shown(f"{wrong}x")
    assert JoinRequest(computer=wrong).computer.isprintable()


def test_one_who_was_stored_with_what_shows_nothing_is_still_found_and_the_plain_name_means_the_plain_one() -> None:
    people = {1: "Mei", 2: "Mei\u3164", 3: "Ben\u200b"}
    assert ids_of(["Mei"], people) == {1}
    assert ids_of(["Mei\u3164"], people) == {2}
    assert ids_of(["Ben"], people) == ids_of(["Ben\u200b"], people) == {3}


@given(st.text(max_size=12))
def test_once_is_enough(text: str) -> None:
    assert visible(visible(text)) == visible(text)
    assert tidy(tidy(text)) == tidy(text)

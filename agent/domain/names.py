"""People's names: their normal form, and the lookup of people by name."""

import unicodedata
from collections.abc import Collection, Iterable, Mapping
from difflib import get_close_matches

from agent.domain.confusables import visible
from agent.domain.errors import NameEmpty, NoSuchName


def tidy(name: str) -> str:
    """Return one spelling of the same letters, without what shows nothing; otherwise two people could look identical in a list.

    >>> tidy(" Jose\\u0301 ") == "José"
    True
    """
    return unicodedata.normalize("NFC", visible(name)).strip()


def given(name: str) -> str:
    """Return a tidied name for a person. Raises NameEmpty.

    >>> given(" Mei ")
    'Mei'
    """
    if not (tidied := tidy(name)):
        raise NameEmpty
    return tidied


def ids_of(names: Iterable[str], people: Mapping[int, str]) -> frozenset[int]:
    """Return the ids of the named people. Raises NoSuchName, with the nearest existing name."""
    by_name = {name: person_id for person_id, name in people.items()}
    # Names stored by earlier versions may hold what shows nothing.
    by_look = {tidy(name): person_id for name, person_id in by_name.items()} | by_name
    found = set[int]()
    for name in names:
        person_id = by_name.get(name, by_look.get(tidy(name)))
        if person_id is None:
            raise unknown(name, by_name)
        found.add(person_id)
    return frozenset(found)


def unknown(name: str, names: Collection[str]) -> NoSuchName:
    return NoSuchName(name=name, nearest=next(iter(get_close_matches(name, names, 1)), ""))

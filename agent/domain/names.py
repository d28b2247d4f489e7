"""People's names: their normal form, and the lookup of people by name."""

import unicodedata
from collections.abc import Collection, Iterable, Mapping
from difflib import get_close_matches

from agent.domain.errors import NameEmpty, NoSuchName


def tidy(name: str) -> str:
    """Return one spelling of the same letters; otherwise two people could look identical in a list.

    >>> tidy(" Jose\\u0301 ") == "José"
    True
    """
    return unicodedata.normalize("NFC", name).strip()


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
    wanted = list(names)
    for name in wanted:
        if tidy(name) not in by_name:
            raise unknown(name, by_name)
    return frozenset(by_name[tidy(name)] for name in wanted)


def unknown(name: str, names: Collection[str]) -> NoSuchName:
    return NoSuchName(name=name, nearest=next(iter(get_close_matches(name, names, 1)), ""))

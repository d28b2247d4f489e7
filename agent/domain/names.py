"""People's names: how they are kept, and whom one means."""

import unicodedata
from collections.abc import Collection, Iterable, Mapping
from difflib import get_close_matches

from agent.domain.errors import NameEmpty, NoSuchName


def tidy(name: str) -> str:
    """One spelling of the same letters, or two people who look the same in a list would be two.

    >>> tidy(" Jose\\u0301 ") == "José"
    True
    """
    return unicodedata.normalize("NFC", name).strip()


def given(name: str) -> str:
    """A name for a person, tidied. Raises NameEmpty.

    >>> given(" Mei ")
    'Mei'
    """
    if not (tidied := tidy(name)):
        raise NameEmpty
    return tidied


def ids_of(names: Iterable[str], people: Mapping[int, str]) -> frozenset[int]:
    """Whom names mean, of people by id. Raises NoSuchName, with the nearest name there is."""
    by_name = {name: person_id for person_id, name in people.items()}
    wanted = list(names)
    for name in wanted:
        if tidy(name) not in by_name:
            raise unknown(name, by_name)
    return frozenset(by_name[tidy(name)] for name in wanted)


def unknown(name: str, names: Collection[str]) -> NoSuchName:
    return NoSuchName(name=name, nearest=next(iter(get_close_matches(name, names, 1)), ""))

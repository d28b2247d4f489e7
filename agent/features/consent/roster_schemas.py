"""The API schemas of class lists and reference photos."""

from collections.abc import Collection
from typing import Self

from agent.domain.errors import ConsentBadRow
from agent.features.consent.roster import ListedPerson
from agent.features.consent.schemas import PersonOnList
from agent.features.people.schemas import FaceRef
from agent.infrastructure.core.i18n import Texts
from agent.interfaces.web.schema_base import Schema
from agent.interfaces.web.schemas import Problem


class ResembledPerson(Schema):
    """Another person, who seems to be on a reference photo."""

    id: int
    name: str


class ReferenceOut(Schema):
    """What became of a reference photo."""

    added: bool
    """false: it was this person's reference already"""
    undo: str | None
    """takes it back; null if it was there"""
    resembles: ResembledPerson | None
    """another person that the face clearly resembles more; null if there is none, or if the member may not see them"""


class ReferencesOut(Schema):
    """A person's reference photos, of which the server keeps the face."""

    items: tuple[FaceRef, ...]
    """newest first"""
    libraries: tuple[str, ...]
    """to which one can be added"""
    refusal: Problem | None
    """why none can be added"""


class ListedPersonOut(PersonOnList):
    """A person of a class list, to be entered as they are."""

    line: int
    """counted from 1"""
    new: bool
    """no person has that name yet"""
    photos: tuple[str, ...]
    """names of the reference photos, or paths within their folder"""


class ListRead(Schema):
    """A class list as it was understood. Nothing is entered."""

    people: tuple[ListedPersonOut, ...]
    wrong: tuple[Problem, ...]
    """lines that can't be entered; `params.line` and `params.column` say where"""
    ignored: tuple[str, ...]
    """titles of columns that are not read"""
    libraries: tuple[str, ...]
    """to which the references can go"""

    @classmethod
    def of(
        cls,
        people: Collection[ListedPerson],
        wrong: Collection[ConsentBadRow],
        known: Collection[str],
        ignored: Collection[str],
        libraries: Collection[str],
        texts: Texts,
    ) -> Self:
        listed = (
            ListedPersonOut.model_validate(facts_of(each) | {"line": each.line, "new": each.name not in known, "photos": each.photos})
            for each in people
        )
        problems = tuple(Problem.of(each, texts) for each in wrong)
        return cls(people=tuple(listed), wrong=problems, ignored=tuple(ignored), libraries=tuple(libraries))


def facts_of(person: ListedPerson) -> dict[str, object]:
    """Return the fields of `PersonOnList`."""
    return {
        "name": person.name,
        "birth_date": person.birth_date,
        "purposes": [each.value for each in person.purposes],
        "refused": [each.value for each in person.refused],
        "basis": person.basis.value,
        "given_on": person.given_on,
        "valid_until": person.valid_until,
        "guardian": person.guardian,
        "document": person.document,
    }

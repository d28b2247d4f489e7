"""Exports everything stored about one person, line by line."""

import base64
import json
from collections.abc import Iterator

from agent.domain.consent import Consent
from agent.domain.errors import PersonUnknown
from agent.features.library.records import PersonFacts
from agent.features.people.queries.people_queries import PeopleQueries
from agent.infrastructure.core.access_scope import shown_path

PAGE = 500


def held(library: PeopleQueries, person_id: int, embedder: str, *, paths: bool = True) -> Iterator[bytes]:
    """Yield JSON lines: the person's details, then each face with its photo's `paths`, position, certainty and face print. Blocks.

    Raises PersonUnknown before the first line, StoreError.
    """
    facts = library.person(person_id)
    if facts is None:
        raise PersonUnknown
    return _lines(library, facts, embedder, paths=paths)


def _lines(library: PeopleQueries, facts: PersonFacts, embedder: str, *, paths: bool) -> Iterator[bytes]:
    yield _line(
        {
            "name": facts.person.name,
            "birth_date": facts.birth_date and facts.birth_date.isoformat(),
            "notes": facts.notes,
            "basis": facts.basis and facts.basis.value,
            "basis_at": facts.basis_at and facts.basis_at.isoformat(),
            "watch_at": facts.watch_at and facts.watch_at.isoformat(),
            "named_at": facts.named_at.isoformat(),
            "confirmed_at": facts.confirmed_at and facts.confirmed_at.isoformat(),
            "retention_days": facts.retention_days,
            "hidden": facts.person.hidden,
            "never": facts.person.never,
            "consents": [_consent(entry.consent) for entry in library.consents_said(facts.person.id)],
        }
    )
    after = 0
    while page := library.faces_held(facts.person.id, after=after, limit=PAGE):
        after = page[-1].face.id
        prints = {each.face_id: each.embedding for each in library.prints_of([shown.face.id for shown in page], embedder)}
        places = {image.id: image.places for image in library.images_by_id([shown.face.image_id for shown in page])} if paths else {}
        for shown in page:
            box = shown.face.box
            print_ = prints.get(shown.face.id)
            yield _line(
                {
                    **({"paths": [shown_path(path) for _, path in places.get(shown.face.image_id, ())]} if paths else {}),
                    "box": [box.x, box.y, box.w, box.h],
                    "certainty": shown.certainty.value,
                    "face_print": print_ and base64.b64encode(print_).decode(),
                }
            )


def _consent(said: Consent) -> dict[str, object]:
    return {
        "purpose": said.purpose.value,
        "state": said.state.value,
        "basis": said.basis and said.basis.value,
        "given_on": said.given_on.isoformat(),
        "valid_until": said.valid_until and said.valid_until.isoformat(),
        "guardian": said.guardian,
        "document": said.document,
    }


def _line(values: dict[str, object]) -> bytes:
    return json.dumps(values, ensure_ascii=False).encode() + b"\n"

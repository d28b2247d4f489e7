"""Imports a class list: first every line is checked, then people and consents are entered, then their reference photos."""

from collections.abc import Sequence
from datetime import UTC, datetime
from pathlib import Path

from agent.cli.backend import backend
from agent.cli.output import say, tell
from agent.cli.session import CommandSession
from agent.consent import class_list
from agent.consent.class_list import ListedPerson
from agent.consent.schemas import OnListOut, PersonOnList
from agent.core.hanging_calls import stoppable_here
from agent.domain.consent import Purpose
from agent.domain.errors import ConsentBadRow, PeopleError, RecognitionOff
from agent.people.duties import is_child
from agent.people.exchange_commands import enrol_photos
from agent.people.queries.consent_rows import day_of


def import_class(session: CommandSession, file: Path, photos: Path | None, *, dry_run: bool, as_json: bool) -> int:
    """Import the list; importing it again changes nothing. Return exit code 1 if a line is wrong, and then nothing was imported, or if a
    photo was refused.

    Raises ConsentBadTable, RecognitionOff, ServerStopped.
    """
    people, bad = stoppable_here(lambda: class_list.read(file, photos))
    bad += _without_guardian(people)
    for error in sorted(bad, key=lambda each: int(each.params["line"])):
        session.explain(error)
    if bad:
        return 1
    if dry_run:
        return _foretell(session, people, as_json=as_json)
    enrolled = {person.name: person.photos for person in people if person.photos and Purpose.RECOGNISE in person.purposes}
    if enrolled and not session.settings.recognition.enabled:
        raise RecognitionOff
    if enrolled:
        with session.database():  # a team server's can't be opened here: said before anything is entered
            pass
    new = entered = refused = 0
    with backend(session, embeddings=bool(enrolled)) as able:
        for person in people:
            try:
                done = able.call_patiently("/api/consents/people", OnListOut, _request(person))
            except PeopleError as error:
                session.explain(error, about=str(person.line))
                refused += 1
                continue
            new, entered = new + done.new, entered + done.entered
        photo_paths = {name: [str(path.absolute()) for path in paths] for name, paths in enrolled.items()}
        taken, unfit = enrol_photos(session, able, photo_paths)
    facts = {"people": len(people), "new": new, "consents": entered, "faces": taken, "refused": refused + unfit}
    tell(facts, session.texts("cli.people.list_imported", count=len(people), new=new, consents=entered, faces=taken), as_json=as_json)
    if refused + unfit:
        say(session.texts("cli.people.refused", count=refused + unfit), err=True)
    return 1 if refused + unfit else 0


def _without_guardian(people: Sequence[ListedPerson]) -> list[ConsentBadRow]:
    """Return the lines of children whose guardian is not named."""
    today = day_of(datetime.now(UTC))
    children = (each for each in people if each.birth_date is not None and is_child(each.birth_date, today) and each.purposes)
    return [ConsentBadRow(line=each.line, column="guardian") for each in children if not each.guardian or each.basis != "guardian"]


def _foretell(session: CommandSession, people: Sequence[ListedPerson], *, as_json: bool) -> int:
    words = session.texts
    for person in people:
        purposes = [*(each.value for each in person.purposes), *(f"-{each.value}" for each in person.refused)]
        facts = {"line": person.line, "name": person.name, "purposes": purposes, "photos": len(person.photos)}
        told = words("cli.label", name=person.name, value=" ".join([*purposes, words("count.photos", count=len(person.photos))]))
        tell(facts, told, as_json=as_json)
    return 0


def _request(person: ListedPerson) -> PersonOnList:
    return PersonOnList.model_validate(
        {
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
    )

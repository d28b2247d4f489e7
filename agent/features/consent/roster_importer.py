"""Imports a class list: first every line is checked, then people and consents are entered, then their reference photos."""

from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from pathlib import Path
from urllib.parse import quote

from agent.domain.consent import Purpose
from agent.domain.errors import EngineError, ImageError, PeopleError, RecognitionOff, UploadError
from agent.features.consent import roster
from agent.features.consent.roster import ListedPerson
from agent.features.consent.roster_schemas import ReferenceOut, facts_of
from agent.features.consent.schemas import OnListOut, PersonOnList
from agent.features.people.exchange_commands import enrol_photos
from agent.features.people.queries.consent_queries import day_of
from agent.infrastructure.core.abandonable_calls import cancellable_sync
from agent.interfaces.cli.in_process_app import backend
from agent.interfaces.cli.output import ProgressBar, say, tell
from agent.interfaces.cli.session import CommandSession
from agent.interfaces.web.client import Client


def import_class(session: CommandSession, file: Path, photos: Path | None, library: str, *, dry_run: bool, as_json: bool) -> int:
    """Import the list; importing it again changes nothing. Return exit code 1 if a line is wrong, and then nothing was imported, or if a
    photo was refused.

    `library` is a team server's that the references go to; empty: its only one. Raises ConsentBadTable, RecognitionOff, ServerStopped.
    """
    is_there = None if photos is None else roster.inside(photos)
    content = cancellable_sync(file.read_bytes)
    people, bad = cancellable_sync(lambda: roster.read(content, day_of(datetime.now(UTC)), is_there))
    _tell_ignored(session, content)
    for error in bad:
        session.explain(error)
    if bad:
        return 1
    if dry_run:
        return _foretell(session, people, as_json=as_json)
    enrolled = [person for person in people if person.photos and Purpose.RECOGNISE in person.purposes]
    if enrolled and not session.settings.recognition.enabled:
        raise RecognitionOff
    if enrolled and not session.is_served:
        with session.database():  # what keeps it from being opened is said before anything is entered
            pass
    ids, new, entered, refused = dict[str, int](), 0, 0, 0
    with backend(session, embeddings=True if enrolled else None) as able:
        for person in people:
            try:
                done = able.post_long("/api/consents/people", OnListOut, _request(person))
            except PeopleError as error:
                session.explain(error, about=str(person.line))
                refused += 1
                continue
            ids[person.name] = done.person_id
            new, entered = new + done.new, entered + done.entered
        paths = {each.name: [_path(photos, name) for name in each.photos] for each in enrolled if each.name in ids}
        if session.is_served:
            taken, unfit = _send_photos(session, able, {ids[name]: of_one for name, of_one in paths.items()}, library)
        else:
            references = enrol_photos(session, able, {name: [str(path) for path in of_one] for name, of_one in paths.items()})
            taken, unfit = references.named, references.refused
    facts = {"people": len(people), "new": new, "consents": entered, "faces": taken, "refused": refused + unfit}
    tell(facts, session.texts("cli.people.list_imported", count=len(people), new=new, consents=entered, faces=taken), as_json=as_json)
    if refused + unfit:
        say(session.texts("cli.people.refused", count=refused + unfit), err=True)
    return 1 if refused + unfit else 0


def _send_photos(session: CommandSession, able: Client, people: Mapping[int, Sequence[Path]], library: str) -> tuple[int, int]:
    """Send each person's photos to the team server. Return the numbers of new references and of refused photos."""
    photos = [(person_id, path) for person_id, paths in people.items() for path in paths]
    taken = refused = 0
    bar = ProgressBar()
    with bar.showing():
        bar.begin(len(photos))
        for sent, (person_id, path) in enumerate(photos, start=1):
            try:
                with path.open("rb") as photo:
                    done = able.post_long(f"/api/people/{person_id}/references?into={quote(library)}", ReferenceOut, photo)
                taken += done.added
                if done.resembles is not None:
                    bar.say(f"{path}: {session.texts('cli.people.resembles', name=done.resembles.name)}", err=True)
            except (PeopleError, ImageError, EngineError, UploadError) as error:
                words = session.texts
                bar.say(f"{path}: {session.sentences(words.cause(error), words.remedy(error))} [{error.code}]", err=True)
                refused += 1
            bar.move(1, sent)
    return taken, refused


def _path(folder: Path | None, name: str) -> Path:
    assert folder is not None
    return (folder / name).absolute()


def _tell_ignored(session: CommandSession, content: bytes) -> None:
    if ignored := roster.ignored_columns(content):
        say(session.texts("cli.people.list_ignored", columns=", ".join(ignored)), err=True)


def _foretell(session: CommandSession, people: Sequence[ListedPerson], *, as_json: bool) -> int:
    words = session.texts
    for person in people:
        purposes = [*(each.value for each in person.purposes), *(f"-{each.value}" for each in person.refused)]
        facts = {"line": person.line, "name": person.name, "purposes": purposes, "photos": len(person.photos)}
        told = words("cli.label", name=person.name, value=" ".join([*purposes, words("count.photos", count=len(person.photos))]))
        tell(facts, told, as_json=as_json)
    return 0


def _request(person: ListedPerson) -> PersonOnList:
    return PersonOnList.model_validate(facts_of(person))

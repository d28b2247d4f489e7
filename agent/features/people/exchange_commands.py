"""Import and export of people: a folder of reference photos per person, or a file of faces."""

from array import array
from codecs import BOM_UTF8
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import partial
from itertools import islice
from pathlib import Path
from typing import TYPE_CHECKING

from agent.domain.errors import PeopleError, RecognitionOff
from agent.domain.face import Box
from agent.domain.identity_matching import Certainty
from agent.domain.names import given
from agent.domain.path_text import printable
from agent.domain.reference import check_reference
from agent.features.library.scan_schemas import ScanLine, ScanRequest
from agent.features.people import export_files, spreadsheet_text
from agent.features.people.edit_schemas import NameMany, PersonsFaces
from agent.features.people.export_files import FaceRow
from agent.features.people.schemas import Edited
from agent.infrastructure.core.abandonable_calls import cancellable_sync
from agent.interfaces.cli.in_process_app import backend
from agent.interfaces.cli.output import say, tell
from agent.interfaces.cli.session import CommandSession

if TYPE_CHECKING:
    from agent.features.library.records import Person, StoredFace
    from agent.features.people.queries.people_queries import PeopleQueries
    from agent.interfaces.web.client import Client

PAGE = 500
AT_ONCE = 5_000  # rows looked up together
NAMED_AT_ONCE = 500  # faces, and the rest of their last person
_SAME_FACE = 0.5  # minimum intersection over union of the file's box and the detected one


@dataclass(frozen=True, slots=True)
class Imported:
    """Numbers of an import: faces named, those of them that had other names, faces that had these names already, and photos or rows that
    were refused."""

    named: int = 0
    known: int = 0
    refused: int = 0
    renamed: int = 0


def rows_of(library: "PeopleQueries", only: "Person | None") -> Iterator[FaceRow]:
    """Yield every confirmed face, page by page."""
    for person in [only] if only is not None else library.people():
        facts, after = library.person(person.id), 0
        while facts is not None and (page := library.faces_held(person.id, after=after, limit=PAGE)):
            after = page[-1].face.id
            images = {image.id: image for image in library.images_by_id([each.face.image_id for each in page])}
            for each in page:
                image = images.get(each.face.image_id)
                if image is not None and each.certainty is Certainty.CONFIRMED:
                    box = each.face.box
                    path = image.places[0][1] if image.places else ""
                    born = facts.birth_date.isoformat() if facts.birth_date else ""
                    yield FaceRow(person.name, image.sha256, box.x, box.y, box.w, box.h, printable(path), born, facts.notes)


def import_folder(session: CommandSession, folder: Path, *, dry_run: bool = False, as_json: bool = False) -> int:
    """Import a folder: each folder in it is a person, each photo in that a reference. Return exit code 1 if a photo was refused.

    With `dry_run` the photos are counted and listed by person, and nothing is scanned.
    """
    _need_recognition(session)
    people = cancellable_sync(lambda: sorted(each for each in folder.iterdir() if each.is_dir() and not each.name.startswith(".")))
    if not people:
        say(session.texts("cli.people.import_no_folders"), err=True)
        return 1
    if dry_run:
        return _count(session, people, as_json=as_json)
    with backend(session, embeddings=True) as able:
        done = enrol_photos(session, able, {person.name: [str(person.absolute())] for person in people})
    return _report(session, done, as_json=as_json)


def enrol_photos(session: CommandSession, able: "Client", people: Mapping[str, Sequence[str]]) -> Imported:
    """Scan each person's photos (files or folders) and name the face on each.

    A small import is one step. A large one is named as it goes: if it is broken off, what was found until then keeps its names.
    """
    from agent.features.people.queries.people_queries import PeopleQueries

    found: dict[str, list[int]] = {}
    done, refused, renamed = Imported(), 0, 0
    with session.library(PeopleQueries) as library:
        for name, paths in people.items():
            for line in able.lines("/api/scans", ScanLine, ScanRequest(paths=tuple(paths))):
                if line.stopped is not None:
                    say(f"{line.stopped.cause} {line.stopped.remedy} [{line.stopped.code}]", err=True)
                    refused += 1
                if line.image is None:
                    continue
                if line.image.error is not None:
                    say(f"{line.image.path}: {line.image.error.message} [{line.image.error.code}]", err=True)
                    refused += 1
                    continue
                try:
                    face = _reference(library, line.image.sha256 or "")
                    renamed += face.person not in (None, given(name)) and _is_confirmed(face)
                    found.setdefault(given(name), []).append(face.id)
                except PeopleError as error:
                    session.explain(error, about=line.image.path)
                    refused += 1
            if sum(map(len, found.values())) >= NAMED_AT_ONCE:
                done, found = _both(done, _name(able, found)), {}
    return replace(_both(done, _name(able, found)), refused=refused, renamed=renamed)


def _count(session: CommandSession, people: Iterable[Path], *, as_json: bool) -> int:
    from agent.infrastructure.sources.folder.folder_scan import walk_images

    def count(person: Path) -> int:
        return sum(1 for _ in walk_images((str(person.absolute()),)))

    for person in people:
        photos = cancellable_sync(partial(count, person))
        told = f"{person.name}: {session.texts('count.photos', count=photos)}"
        tell({"name": person.name, "photos": photos}, told, as_json=as_json)
    return 0


def import_rows(session: CommandSession, file: Path, *, dry_run: bool = False, as_json: bool = False) -> int:
    """Name the faces at the file's positions, in existing photos, in one step. Return exit code 1 if any was not found.

    The file is read twice, so that an invalid row is found before any lookup. Even for a million rows, only the faces
    they name are in memory, as numbers. Raises ImportBadRow.
    """
    from agent.features.people.queries.people_queries import PeopleQueries

    _need_recognition(session)
    for _ in _rows(file):
        pass
    found: dict[str, array[int]] = {}
    refused = 0
    with session.library(PeopleQueries) as library:
        rows = _rows(file)
        while page := list(islice(rows, AT_ONCE)):
            faces = library.faces_by_hash({row.sha256 for row in page})
            for row in page:
                face_id = _face_at(faces.get(row.sha256, ()), row)
                if face_id is None:
                    refused += 1
                else:
                    found.setdefault(row.person, array("q")).append(face_id)
    if dry_run:
        for person, ids in found.items():
            count = len(set(ids))
            tell({"name": person, "faces": count}, f"{person}: {session.texts('count.faces', count=count)}", as_json=as_json)
        if refused:
            say(session.texts("cli.people.would_refuse", count=refused), err=True)
        return 0
    done = Imported()
    if found:
        with backend(session) as able:
            done = _name(able, found)
    return _report(session, replace(done, refused=refused), as_json=as_json)


def _name(able: "Client", found: Mapping[str, Iterable[int]]) -> Imported:
    people = tuple(PersonsFaces(name=name, face_ids=tuple(dict.fromkeys(faces))) for name, faces in found.items() if faces)
    if not people:
        return Imported()
    named = able.post_long("/api/people/edits", Edited, NameMany(kind="name_many", people=people)).count
    return Imported(named, known=sum(len(each.face_ids) for each in people) - named)


def _both(one: Imported, other: Imported) -> Imported:
    return Imported(one.named + other.named, one.known + other.known)


def _rows(file: Path) -> Iterator[FaceRow]:
    with file.open("rb") as content:
        is_json = content.read(len(BOM_UTF8) + 1).removeprefix(BOM_UTF8).startswith(b"{")
        content.seek(0)
        encoding = "utf-8" if is_json else spreadsheet_text.encoding_of(content)
    with file.open(encoding=encoding, errors="replace", newline="") as lines:
        yield from export_files.read(lines)


def _reference(library: "PeopleQueries", sha256: str) -> "StoredFace":
    """Return the face of a reference photo. Raises UnfitReference."""
    image = library.image_by_hash(sha256)
    faces = image.faces if image is not None else ()
    if (unfit := check_reference([each.face for each in faces])) is not None:
        raise unfit
    return faces[0]


def _is_confirmed(face: "StoredFace") -> bool:
    return face.identity is not None and face.identity.certainty is Certainty.CONFIRMED


def _face_at(faces: Iterable[tuple[int, Box]], row: FaceRow) -> int | None:
    wanted = Box(row.x, row.y, row.w, row.h)
    overlap, face_id = max(((box.iou(wanted), face_id) for face_id, box in faces), default=(0.0, 0))
    return face_id if overlap > _SAME_FACE else None


def _need_recognition(session: CommandSession) -> None:
    if not session.settings.recognition.enabled:
        raise RecognitionOff


def _report(session: CommandSession, done: Imported, *, as_json: bool) -> int:
    if done == Imported():
        say(session.texts("cli.people.import_empty"), err=True)
        return 1
    known = [session.texts("cli.people.import_known", count=done.known)] if done.known else []
    named = [session.texts("cli.people.imported", count=done.named)] if done.named or not known else []
    renamed = [session.texts("cli.people.import_renamed", count=done.renamed)] if done.renamed else []
    facts = {"faces": done.named, "renamed": done.renamed, "known": done.known, "refused": done.refused}
    tell(facts, *named, *renamed, *known, as_json=as_json)
    if done.refused:
        say(session.texts("cli.people.refused", count=done.refused), err=True)
    return 1 if done.refused else 0

"""Taking people in and giving them out: a folder of reference photos per person, or a file of faces."""

from collections.abc import Iterator
from itertools import islice
from pathlib import Path
from typing import TYPE_CHECKING

import click

from agent.adapters import people_files
from agent.adapters.people_files import FaceRow
from agent.api.schemas import ScanRequest
from agent.api.schemas_people import NameFaces
from agent.cli.hands import hands
from agent.cli.session import Session
from agent.domain.errors import PeopleError, RecognitionOff
from agent.domain.face import Box
from agent.domain.people import Certainty
from agent.domain.reference import why_not

if TYPE_CHECKING:
    from agent.adapters.store import SqliteLibrary
    from agent.app.ports import Person
    from agent.cli.hands import Hands

PAGE = 500
_SAME_FACE = 0.5  # intersection over union of the box in the file and the one found here


def rows_of(library: "SqliteLibrary", only: "Person | None") -> Iterator[FaceRow]:
    """Every confirmed face, page by page."""
    for person in [only] if only is not None else library.people():
        facts, offset = library.person(person.id), 0
        while facts is not None and (page := library.person_faces(person.id, limit=PAGE, offset=offset)[0]):
            offset += len(page)
            images = {image.id: image for image in library.images_by_id([each.face.image_id for each in page])}
            for each in page:
                image = images.get(each.face.image_id)
                if image is not None and each.certainty is Certainty.CONFIRMED:
                    box = each.face.box
                    path = image.places[0][1] if image.places else ""
                    born = facts.birth_date.isoformat() if facts.birth_date else ""
                    yield FaceRow(person.name, image.sha256, box.x, box.y, box.w, box.h, _printable(path), born, facts.notes)


def import_folder(session: Session, folder: Path) -> int:
    """Every folder in it is a person, every photo in that one of their references. Exit code 1 if a photo was refused."""
    _need_recognition(session)
    taken = refused = 0
    with hands(session, embeddings=True) as able:
        for person in sorted(each for each in folder.iterdir() if each.is_dir() and not each.name.startswith(".")):
            for line in able.scan(ScanRequest(paths=(str(person.absolute()),))):
                if line.image is None:
                    continue
                if line.image.error is not None:
                    click.echo(f"{line.image.path}: {line.image.error.message} [{line.image.error.code}]", err=True)
                    refused += 1
                    continue
                try:
                    taken += _enrol(session, able, line.image.sha256 or "", person.name)
                except PeopleError as error:
                    session.explain(error, about=line.image.path)
                    refused += 1
    return _report(session, taken, refused)


def import_rows(session: Session, file: Path) -> int:
    """Names the faces that lie where the file says, on the photos there are. Exit code 1 if any was not found."""
    _need_recognition(session)
    taken = refused = 0
    with file.open(encoding="utf-8", errors="replace", newline="") as rows, hands(session) as able:
        faces = people_files.read(rows)
        while page := list(islice(faces, PAGE)):
            found: dict[str, list[int]] = {}
            with session.library() as library:
                for row in page:
                    face_id = _face_at(library, row)
                    if face_id is None:
                        refused += 1
                    else:
                        found.setdefault(row.person, []).append(face_id)
            for name, face_ids in found.items():
                able.edit(NameFaces(kind="name", face_ids=tuple(face_ids), name=name))
                taken += len(face_ids)
    return _report(session, taken, refused)


def _enrol(session: Session, able: "Hands", sha256: str, name: str) -> int:
    """Raises UnfitReference, PeopleError."""
    with session.library() as library:
        image = library.image_by_hash(sha256)
    faces = image.faces if image is not None else ()
    if (unfit := why_not([each.face for each in faces])) is not None:
        raise unfit
    able.edit(NameFaces(kind="name", face_ids=(faces[0].id,), name=name))
    return 1


def _face_at(library: "SqliteLibrary", row: FaceRow) -> int | None:
    image = library.image_by_hash(row.sha256)
    wanted = Box(row.x, row.y, row.w, row.h)
    best = max(image.faces if image else (), key=lambda each: each.face.box.iou(wanted), default=None)
    return best.id if best is not None and best.face.box.iou(wanted) > _SAME_FACE else None


def _need_recognition(session: Session) -> None:
    if not session.settings.recognition.enabled:
        raise RecognitionOff


def _report(session: Session, taken: int, refused: int) -> int:
    click.echo(session.texts("cli.people.imported", count=taken))
    if refused:
        click.echo(session.texts("cli.people.refused", count=refused), err=True)
    return 1 if refused else 0


def _printable(path: str) -> str:
    return path.encode("utf-8", "surrogateescape").decode("utf-8", "replace")

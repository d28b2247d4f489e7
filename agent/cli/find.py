"""`ai-popup find` and `verify`: photos by who is on them, and whether two photos show the same person."""

import json
from collections.abc import Iterator, Sequence
from datetime import date, datetime
from typing import TYPE_CHECKING

import click

from agent.cli.command import Command
from agent.cli.output import note, say, say_path
from agent.cli.session import Session
from agent.domain.errors import RecognitionOff, ReferenceNoFace, UnfitReference
from agent.domain.names import tidy, unknown
from agent.domain.path_text import printable, uri_of_odd
from agent.i18n import Texts

if TYPE_CHECKING:
    from agent.adapters.store import SqliteLibrary
    from agent.app.ports import Person, StoredImage

TEXTS = Texts()
PAGE = 200
_DAY = click.DateTime(["%Y-%m-%d"])
_DAY_WORD = TEXTS("cli.find.day")


@click.command(cls=Command, help=TEXTS("cli.help.find"))
@click.option("--person", "names", multiple=True, metavar="NAME", help=TEXTS("cli.help.find_person"))
@click.option("--any", "match", flag_value="any", help=TEXTS("cli.help.find_any"))
@click.option("--only", "match", flag_value="only", help=TEXTS("cli.help.find_only"))
@click.option("--unnamed", is_flag=True, help=TEXTS("cli.help.find_unnamed"))
@click.option("--face", "photo", type=click.Path(exists=True, dir_okay=False), help=TEXTS("cli.help.find_face"))
@click.option("--which", type=click.IntRange(min=1), help=TEXTS("cli.help.find_which"))
@click.option("--folder", type=click.Path(exists=True, file_okay=False), help=TEXTS("cli.help.find_folder"))
@click.option("--after", type=_DAY, metavar=_DAY_WORD, help=TEXTS("cli.help.find_after"))
@click.option("--before", type=_DAY, metavar=_DAY_WORD, help=TEXTS("cli.help.find_before"))
@click.option("-0", "--null", "zeros", is_flag=True, help=TEXTS("cli.help.find_null"))
@click.option("--json", "as_json", is_flag=True, help=TEXTS("cli.help.json"))
@click.pass_obj
def find(
    session: Session,
    names: tuple[str, ...],
    match: str | None,
    unnamed: bool,
    photo: str | None,
    which: int | None,
    folder: str | None,
    after: datetime | None,
    before: datetime | None,
    zeros: bool,
    as_json: bool,
) -> int:
    from agent.app.ports import Match, Shown

    if not any((names, unnamed, photo, folder, after, before)):
        raise click.UsageError(session.texts("cli.find.what"))
    if zeros and as_json:
        raise click.UsageError(session.texts("cli.find.null_or_json"))
    if which is not None and photo is None:
        raise click.UsageError(session.texts("cli.find.which_face"))
    alike: list[int] | None = None
    if photo is not None:
        try:
            alike = _alike(session, photo, which)
        except UnfitReference as error:
            session.explain(error, about=photo)
            return 1
    with session.library() as library:
        people = tuple(person_of(library, name).id for name in names)
        days: list[date | None] = [moment and moment.date() for moment in (after, before)]
        root = None if folder is None else str(click.Path(resolve_path=True).convert(folder, None, None))
        shown = Shown(folder=root, after=days[0], before=days[1], people=people, match=Match(match or "all"), unnamed=unnamed)
        ids: Sequence[int] = library.index(shown).ids
        if alike is not None:
            there = frozenset(ids)
            ids = [each for each in alike if each in there]
        for image in _images(library, ids):
            if zeros:
                say_path(image.places[0][1])
            else:
                say(json.dumps(_facts(image), ensure_ascii=False) if as_json else image.places[0][1])
    if not as_json:
        note(session.texts("count.photos", count=len(ids)))
    return 0 if ids else 1


@click.command(cls=Command, help=TEXTS("cli.help.verify"))
@click.argument("one", type=click.Path(exists=True, dir_okay=False))
@click.argument("other", type=click.Path(exists=True, dir_okay=False))
@click.option("--json", "as_json", is_flag=True, help=TEXTS("cli.help.json_one"))
@click.pass_obj
def verify(session: Session, one: str, other: str, as_json: bool) -> int:
    from agent.api.schemas_people import VerifyRequest
    from agent.cli.hands import absolute, hands

    first, second = absolute([one, other])
    try:
        with hands(session, embeddings=True) as able:
            found = able.verify(VerifyRequest(paths=(first, second)))
    except UnfitReference as error:
        session.explain(error, about=str(error.params.get("path", "")))
        return 1
    if as_json:
        say(found.model_dump_json())
    else:
        said = "same" if found.same else "different"
        say(session.texts(f"cli.verify.{said}", distance=f"{found.distance:.2f}", threshold=f"{found.threshold:.2f}"))
    return 0


def _alike(session: Session, photo: str, which: int | None) -> list[int]:
    """The images on which somebody looks like the largest face of the photo, or that one counted from the left; the most alike first.

    Raises RecognitionOff, ReferenceNoFace, ImageError, EngineError, ModelError.
    """
    from agent.cli.hands import absolute, hands

    if not session.settings.recognition.enabled:
        raise RecognitionOff
    with hands(session, embeddings=True) as able:
        faces = sorted(able.search_face(absolute([photo])[0]).faces, key=lambda face: face.box[0])
    if not faces:
        raise ReferenceNoFace
    if which is not None and which > len(faces):
        raise click.UsageError(session.texts("cli.find.no_such_face", count=len(faces)))
    number = which or 1 + max(range(len(faces)), key=lambda at: faces[at].box[2] * faces[at].box[3])
    if which is None and len(faces) > 1:
        note(session.texts("cli.find.largest", count=len(faces), number=number))
    return list(dict.fromkeys(found.image_id for found in faces[number - 1].found))


def person_of(library: "SqliteLibrary", name: str) -> "Person":
    """Raises NoSuchName, with the nearest name there is."""
    known = {person.name: person for person in library.people()}
    if (person := known.get(tidy(name))) is not None:
        return person
    raise unknown(name, known)


def _images(library: "SqliteLibrary", ids: Sequence[int]) -> "Iterator[StoredImage]":
    for start in range(0, len(ids), PAGE):
        yield from library.images_by_id(ids[start : start + PAGE])


def _facts(image: "StoredImage") -> dict[str, object]:
    path = image.places[0][1]
    return {
        "path": printable(path),
        "uri": uri_of_odd(path),
        "sha256": image.sha256,
        "taken_at": image.taken_at.isoformat(),
        "people": sorted({face.person for face in image.faces if face.person is not None}),
        "faces": len(image.faces),
    }

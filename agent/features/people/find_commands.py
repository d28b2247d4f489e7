"""`ai-popup find` and `verify`: finds photos of people, and compares two photos."""

import json
import sys
from collections.abc import Collection, Iterator, Sequence
from dataclasses import replace
from datetime import date, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from agent.domain.errors import ImageUnreadable, RecognitionOff, ReferenceNoFace, UnfitReference
from agent.domain.identity_matching import Certainty
from agent.domain.names import tidy, unknown
from agent.domain.path_text import printable, uri_of_odd
from agent.infrastructure.core.user_paths import meant
from agent.interfaces.cli.command import Command
from agent.interfaces.cli.language import TEXTS
from agent.interfaces.cli.output import note, print_path0, say
from agent.interfaces.cli.params import There
from agent.interfaces.cli.session import CommandSession

if TYPE_CHECKING:
    from agent.features.library.records import Person, StoredImage
    from agent.features.people.queries.people_queries import PeopleQueries
    from agent.features.people.search_schemas import FaceSearchOut
    from agent.interfaces.web.client import Client

PAGE = 200
_DAY_WORD = TEXTS("cli.find.day")


class _Day(click.ParamType[datetime]):
    """A day as in 2026-01-31."""

    name = "DAY"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> datetime:
        try:
            return datetime.strptime(value, "%Y-%m-%d")  # noqa: DTZ007 - photos have local times
        except ValueError:
            texts = TEXTS if ctx is None else ctx.find_root().obj.texts
            self.fail(texts("cli.find.not_day", value=value), param, ctx)


_DAY = _Day()


@click.command(cls=Command, help=TEXTS("cli.help.find"))
@click.option("--person", "names", multiple=True, metavar="NAME", help=TEXTS("cli.help.find_person"))
@click.option("--any", "match", flag_value="any", help=TEXTS("cli.help.find_any"))
@click.option("--only", "match", flag_value="only", help=TEXTS("cli.help.find_only"))
@click.option("--certain", is_flag=True, help=TEXTS("cli.help.find_certain"))
@click.option("--unnamed", is_flag=True, help=TEXTS("cli.help.find_unnamed"))
@click.option("--face", "photo", type=There(dir_okay=False), help=TEXTS("cli.help.find_face"))
@click.option("--which", type=click.IntRange(min=1), help=TEXTS("cli.help.find_which"))
@click.option("--folder", type=There(file_okay=False), help=TEXTS("cli.help.find_folder"))
@click.option("--after", type=_DAY, metavar=_DAY_WORD, help=TEXTS("cli.help.find_after"))
@click.option("--before", type=_DAY, metavar=_DAY_WORD, help=TEXTS("cli.help.find_before"))
@click.option("-0", "--null", "zeros", is_flag=True, help=TEXTS("cli.help.find_null"))
@click.option("--json", "as_json", is_flag=True, help=TEXTS("cli.help.json"))
@click.pass_obj
def find(
    session: CommandSession,
    names: tuple[str, ...],
    match: str | None,
    certain: bool,
    unnamed: bool,
    photo: str | None,
    which: int | None,
    folder: str | None,
    after: datetime | None,
    before: datetime | None,
    zeros: bool,
    as_json: bool,
) -> int:
    from agent.features.library.records import Match, Shown
    from agent.features.people.queries.people_queries import PeopleQueries

    if not any((names, unnamed, photo, folder, after, before)):
        raise click.UsageError(session.texts("cli.find.what"))
    if zeros and as_json:
        raise click.UsageError(session.texts("cli.find.null_or_json"))
    if certain and not names:
        raise click.UsageError(session.texts("cli.find.certain_who"))
    if which is not None and photo is None:
        raise click.UsageError(session.texts("cli.find.which_face"))
    alike: list[int] | None = None
    if photo is not None:
        try:
            alike = _alike(session, photo, which)
        except UnfitReference as error:
            session.explain(error, about=photo)
            return 1
    with session.library(PeopleQueries, checked=True) as library:
        people = tuple(person_of(library, name).id for name in names)
        days: list[date | None] = [moment and moment.date() for moment in (after, before)]
        root = None if folder is None else meant(folder, (each.root for each in session.settings.folders))
        shown = Shown(folder=root, after=days[0], before=days[1], people=people, match=Match(match or "all"), unnamed=unnamed)
        shown = replace(shown, certain=certain)
        ids: Sequence[int] = library.index(shown).ids
        if alike is not None:
            there = frozenset(ids)
            ids = [each for each in alike if each in there]
        images = (_within(image, root) for image in _images(library, ids))
        suggested = _told(session, images, people, zeros=zeros, as_json=as_json)
    if not as_json:
        _sum_up(session, len(ids), suggested)
    return 0 if ids else 1


@click.command(cls=Command, help=TEXTS("cli.help.verify"))
@click.argument("one", type=There(dir_okay=False))
@click.argument("other", type=There(dir_okay=False))
@click.option("--json", "as_json", is_flag=True, help=TEXTS("cli.help.json_one"))
@click.pass_obj
def verify(session: CommandSession, one: str, other: str, as_json: bool) -> int:
    from agent.features.people.edit_schemas import VerifyRequest
    from agent.features.people.schemas import Verified
    from agent.interfaces.cli.in_process_app import absolute, backend

    first, second = absolute([one, other])
    try:
        with backend(session, embeddings=True) as able:
            found = able.post_long("/api/verify", Verified, VerifyRequest(paths=(first, second)))
    except UnfitReference as error:
        session.explain(error, about=str(error.params.get("path", "")))
        return 1
    if as_json:
        say(found.model_dump_json())
    else:
        said = "same" if found.same else "different"
        say(session.texts(f"cli.verify.{said}", distance=f"{found.distance:.2f}", threshold=f"{found.threshold:.2f}"))
    return 0


def _alike(session: CommandSession, photo: str, which: int | None) -> list[int]:
    """Return the images with a face similar to the photo's largest one, or to that one counted from the left; the most similar first.

    Raises RecognitionOff, ReferenceNoFace, ImageError, EngineError, ModelError.
    """
    from agent.interfaces.cli.in_process_app import backend

    if not session.settings.recognition.enabled:
        raise RecognitionOff
    with backend(session, embeddings=True) as able:
        faces = sorted(_searched(able, photo).faces, key=lambda face: face.box[0])
    if not faces:
        raise ReferenceNoFace
    if which is not None and which > len(faces):
        raise click.UsageError(session.texts("cli.find.no_such_face", count=len(faces)))
    number = which or 1 + max(range(len(faces)), key=lambda at: faces[at].box[2] * faces[at].box[3])
    if which is None and len(faces) > 1:
        note(session.texts("cli.find.largest", count=len(faces), number=number))
    return list(dict.fromkeys(found.image_id for found in faces[number - 1].found))


def _searched(able: "Client", photo: str) -> "FaceSearchOut":
    """Search for faces like those of a photo, which is sent and not kept. Raises ImageUnreadable."""
    from agent.features.people.search_schemas import FaceSearchOut

    try:
        with Path(photo).open("rb") as content:
            return able.post_long("/api/search/face", FaceSearchOut, content)
    except OSError as error:
        raise ImageUnreadable from error


def person_of(library: "PeopleQueries", name: str) -> "Person":
    """Return the person. Raises NoSuchName, with the nearest existing name."""
    known = {person.name: person for person in library.people()}
    if (person := known.get(tidy(name))) is not None:
        return person
    raise unknown(name, known)


def _images(library: "PeopleQueries", ids: Sequence[int]) -> "Iterator[StoredImage]":
    for start in range(0, len(ids), PAGE):
        yield from library.images_by_id(ids[start : start + PAGE])


def _within(image: "StoredImage", root: str | None) -> "StoredImage":
    """Put the locations below the folder first: a photo that is in several is shown where it was looked for."""
    if root is None:
        return image
    return replace(image, places=tuple(sorted(image.places, key=lambda each: not Path(each[1]).is_relative_to(root))))


def _told(session: CommandSession, images: "Iterator[StoredImage]", people: Collection[int], *, zeros: bool, as_json: bool) -> int:
    """Print the images. Return the number of images on which one of these people is only suggested."""
    suggested = 0
    for image in images:
        is_suggested = not _is_confirmed(image, people)
        suggested += is_suggested
        if zeros:
            print_path0(image.places[0][1])
        elif as_json:
            say(json.dumps(_facts(image), ensure_ascii=False))
        else:
            # A pipe gets only paths.
            say(image.places[0][1] + (session.texts("cli.find.suggested") if is_suggested and sys.stdout.isatty() else ""))
    return suggested


def _sum_up(session: CommandSession, count: int, suggested: int) -> None:
    photos = session.texts("count.photos", count=count)
    note(session.texts("cli.find.apart", photos=photos, confirmed=count - suggested, suggested=suggested) if suggested else photos)


def _is_confirmed(image: "StoredImage", people: Collection[int]) -> bool:
    """Return whether the user confirmed all of these people who are on the image."""
    on_it = [face.identity for face in image.faces if face.identity is not None and face.identity.person_id in people]
    return all(identity.certainty is Certainty.CONFIRMED for identity in on_it)


def _certainties(image: "StoredImage") -> dict[str, str]:
    """Return by name how certain it is that they are on the image; confirmed faces come first."""
    order = list(Certainty)
    found: dict[str, Certainty] = {}
    for face in image.faces:
        if face.identity is not None and face.person is not None:
            found[face.person] = min(face.identity.certainty, found.get(face.person, Certainty.PROBABLE), key=order.index)
    return {name: found[name].value for name in sorted(found)}


def _facts(image: "StoredImage") -> dict[str, object]:
    path = image.places[0][1]
    return {
        "path": printable(path),
        "uri": uri_of_odd(path),
        "sha256": image.sha256,
        "taken_at": image.taken_at.isoformat(),
        "people": sorted({face.person for face in image.faces if face.person is not None}),
        "certainty": _certainties(image),
        "faces": len(image.faces),
    }

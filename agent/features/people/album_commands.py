"""`ai-popup albums`: photos chosen by hand, or those of people."""

from typing import TYPE_CHECKING

import click

from agent.domain.errors import AlbumPhotoUnknown, AlbumUnknown
from agent.domain.names import tidy
from agent.interfaces.cli.command import CommandGroup, json_option
from agent.interfaces.cli.language import TEXTS
from agent.interfaces.cli.output import note, print_path0, tell
from agent.interfaces.cli.params import Paths, There
from agent.interfaces.cli.session import CommandSession

if TYPE_CHECKING:
    from collections.abc import Sequence

    from pydantic import BaseModel

    from agent.features.library.album_schemas import AlbumDone
    from agent.features.library.records import Album
    from agent.features.people.queries.people_queries import PeopleQueries

PAGE = 200


@click.group(cls=CommandGroup, help=TEXTS("cli.help.albums"))
def albums() -> None: ...


@albums.command(name="list", help=TEXTS("cli.help.albums_list"))
@json_option("json_each")
@click.pass_obj
def list_albums(session: CommandSession, as_json: bool) -> None:
    from agent.features.people.queries.people_queries import PeopleQueries

    with session.library(PeopleQueries, checked=True) as library:
        found, names = library.albums(), library.person_names()
    for each in found:
        people = [names[person] for person in each.people]
        facts = {"name": each.name, "photos": each.count, "people": people, "match": each.match, "certain": each.certain}
        line = f"{each.name}  {session.texts('cli.albums.photos', count=each.count)}"
        tell(facts, f"{line}  {', '.join(people)}" if people else line, as_json=as_json)
    if not found and not as_json:
        note(session.texts("cli.albums.none"))


@albums.command(help=TEXTS("cli.help.albums_show"))
@click.argument("name")
@click.option("-0", "--null", "zeros", is_flag=True, help=TEXTS("cli.help.find_null"))
@json_option("json_each")
@click.pass_obj
def show(session: CommandSession, name: str, zeros: bool, as_json: bool) -> None:
    from agent.features.library.records import Shown
    from agent.features.people.queries.people_queries import PeopleQueries

    if zeros and as_json:
        raise click.UsageError(session.texts("cli.find.null_or_json"))
    with session.library(PeopleQueries, checked=True) as library:
        ids = library.index(Shown(album=_album_of(library, name).id)).ids
        for start in range(0, len(ids), PAGE):
            for image in library.images_by_id(ids[start : start + PAGE]):
                path = next((path for _, path in image.places), "")
                if zeros:
                    print_path0(path)
                else:
                    tell({"image": image.id, "path": path}, path, as_json=as_json)


@albums.command(help=TEXTS("cli.help.albums_add"))
@click.argument("name")
@click.argument("photos", nargs=-1, cls=Paths, type=There(dir_okay=False))
@click.option("--person", "people", multiple=True, metavar="NAME", help=TEXTS("cli.help.albums_person"))
@click.option("--match", type=click.Choice(["all", "any", "only"]), default="all", help=TEXTS("cli.help.albums_match"))
@click.option("--certain", is_flag=True, help=TEXTS("cli.help.albums_certain"))
@json_option()
@click.pass_obj
def add(
    session: CommandSession, name: str, photos: tuple[str, ...], people: tuple[str, ...], match: str, certain: bool, as_json: bool
) -> None:
    from agent.features.library.album_schemas import AlbumMake, AlbumPhotos
    from agent.features.library.records import Match
    from agent.features.people.find_commands import person_of
    from agent.features.people.queries.people_queries import PeopleQueries

    if bool(photos) == bool(people):
        raise click.UsageError(session.texts("cli.albums.what"))
    with session.library(PeopleQueries) as library:
        ids, who = _ids_of(library, photos), tuple(person_of(library, each).id for each in people)
        known = _named(library.albums(), name)
    if known is not None and photos:
        done = _changed(session, f"/api/albums/{known.id}/images", AlbumPhotos(ids=ids))
    else:
        made = AlbumMake(name=name, images=ids, people=who, match=Match(match), certain=certain)
        done = _changed(session, "/api/albums", made)
    with session.library(PeopleQueries) as library:
        count = next(each.count for each in library.albums() if each.id == done.id)
    tell({"name": name, "photos": count}, f"{name}  {session.texts('cli.albums.photos', count=count)}", as_json=as_json)


@albums.command(help=TEXTS("cli.help.albums_rename"))
@click.argument("name")
@click.argument("new_name")
@json_option()
@click.pass_obj
def rename(session: CommandSession, name: str, new_name: str, as_json: bool) -> None:
    from agent.features.library.album_schemas import AlbumChange

    _changed(session, f"/api/albums/{_id(session, name)}", AlbumChange(name=new_name), method="PATCH")
    tell({"name": new_name}, session.texts("cli.albums.renamed", name=new_name), as_json=as_json)


@albums.command(help=TEXTS("cli.help.albums_remove"))
@click.argument("name")
@click.argument("photos", nargs=-1, type=click.Path())
@json_option()
@click.pass_obj
def remove(session: CommandSession, name: str, photos: tuple[str, ...], as_json: bool) -> None:
    from agent.features.library.album_schemas import AlbumPhotos
    from agent.features.people.queries.people_queries import PeopleQueries

    with session.library(PeopleQueries) as library:
        album_id, ids = _album_of(library, name).id, _ids_of(library, photos)
    if photos:
        count = _changed(session, f"/api/albums/{album_id}/images/remove", AlbumPhotos(ids=ids)).count
        tell({"name": name, "photos": count}, session.texts("cli.albums.photos_removed", name=name, count=count), as_json=as_json)
        return
    _changed(session, f"/api/albums/{album_id}", None, method="DELETE")
    tell({"name": name, "photos": 0}, session.texts("cli.albums.removed", name=name), as_json=as_json)


def _changed(session: CommandSession, path: str, body: "BaseModel | None", *, method: str = "POST") -> "AlbumDone":
    from agent.features.library.album_schemas import AlbumDone
    from agent.interfaces.cli.in_process_app import backend

    with backend(session) as able:
        return able.call(method, path, AlbumDone, body)


def _id(session: CommandSession, name: str) -> int:
    from agent.features.people.queries.people_queries import PeopleQueries

    with session.library(PeopleQueries) as library:
        return _album_of(library, name).id


def _album_of(library: "PeopleQueries", name: str) -> "Album":
    """Raises AlbumUnknown."""
    found = _named(library.albums(), name)
    if found is None:
        raise AlbumUnknown
    return found


def _named(albums: "Sequence[Album]", name: str) -> "Album | None":
    """The album of exactly this name, or else the one whose name looks like it."""
    exact = (each for each in albums if each.name == name)
    return next(exact, next((each for each in albums if tidy(each.name) == tidy(name)), None))


def _ids_of(library: "PeopleQueries", photos: tuple[str, ...]) -> tuple[int, ...]:
    """Raises AlbumPhotoUnknown for a photo that is not in the library."""
    from agent.interfaces.cli.in_process_app import absolute

    places = [library.place(path) for path in absolute(photos)]
    found = [each.image_id for each in places if each is not None and each.image_id is not None]
    if len(found) < len(photos):
        raise AlbumPhotoUnknown
    return tuple(found)

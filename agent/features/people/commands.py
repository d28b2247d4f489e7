"""`ai-popup people`: lists and manages known people."""

import json
import os
from collections.abc import Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING

import click

from agent.features.people.cluster_commands import clusters
from agent.features.people.find_commands import person_of
from agent.interfaces.cli.command import CommandGroup, json_option
from agent.interfaces.cli.confirm import confirm, yes_option
from agent.interfaces.cli.language import TEXTS
from agent.interfaces.cli.output import is_device, note, output_to, say, tell
from agent.interfaces.cli.params import PERSON_NAME, Paths, There
from agent.interfaces.cli.session import CommandSession

if TYPE_CHECKING:
    from agent.features.library.records import Person, StoredFace
    from agent.features.people.edit_schemas import Edit
    from agent.features.people.queries.people_queries import PeopleQueries


@click.group(cls=CommandGroup, help=TEXTS("cli.help.people"))
def people() -> None: ...


people.add_command(clusters)


@people.command(name="list", help=TEXTS("cli.help.people_list"))
@json_option("json_each")
@click.pass_obj
def list_people(session: CommandSession, as_json: bool) -> None:
    from agent.features.people.queries.people_queries import PeopleQueries

    with session.library(PeopleQueries, checked=True) as library:
        known = library.people()
    if as_json:
        for person in known:
            suggested = person.suggested
            facts = {
                "name": person.name,
                "faces": person.faces,
                "confirmed": person.faces - suggested,
                "suggested": suggested,
                "references": person.references,
                "hidden": person.hidden,
                "never": person.never,
            }
            say(json.dumps(facts, ensure_ascii=False))
        return
    for person in known:
        confirmed = session.texts("count.faces", count=person.faces - person.suggested)
        said = session.texts("cli.people.and_suggested", faces=confirmed, count=person.suggested) if person.suggested else confirmed
        references = session.texts("ui.people.references", count=person.references)
        counts = [said] * bool(person.faces or not person.references) + [references] * bool(person.references)
        say("  ".join([person.name, *counts]))
    if not known:
        note(session.texts("cli.people.none"))


@people.command(help=TEXTS("cli.help.people_show"))
@click.argument("name")
@json_option()
@click.pass_obj
def show(session: CommandSession, name: str, as_json: bool) -> None:
    from agent.features.people.queries.people_queries import PeopleQueries

    texts = session.texts
    with session.library(PeopleQueries, checked=True) as library:
        facts = library.person(person_of(library, name).id)
    assert facts is not None
    lines = {
        "photos": str(facts.photos - facts.suggested),
        "faces": str(facts.person.faces - facts.person.suggested),
        "suggested": str(facts.person.suggested) if facts.person.suggested else None,
        "references": str(facts.person.references) if facts.person.references else None,
        "birth_date": facts.birth_date and facts.birth_date.isoformat(),
        "basis": facts.basis and texts(f"ui.people.basis.{facts.basis.value}"),
        "named": facts.named_at.date().isoformat(),
        "confirmed": facts.confirmed_at and facts.confirmed_at.date().isoformat(),
        "hidden": texts("cli.people.yes") if facts.person.hidden else None,
        "never": texts("cli.people.yes") if facts.person.never else None,
        "watch": facts.watch_at and facts.watch_at.date().isoformat(),
        "notes": facts.notes or None,
    }
    if as_json:
        raw = {**lines, "basis": facts.basis and facts.basis.value, "hidden": facts.person.hidden, "never": facts.person.never}
        counts = {"photos": facts.photos, "faces": facts.person.faces, "references": facts.person.references}
        say(json.dumps({"name": facts.person.name, **raw, **counts}, ensure_ascii=False))
        return
    say(facts.person.name)
    for key, value in lines.items():
        if value is not None:
            say(*f"  {texts('cli.label', name=texts(f'cli.people.{key}'), value=str(value))}".split("\n"))


@people.command(help=TEXTS("cli.help.people_name"))
@click.argument("photo", type=There(dir_okay=False))
@click.argument("name", type=PERSON_NAME)
@click.option("--which", type=click.IntRange(min=1), help=TEXTS("cli.help.people_which"))
@json_option()
@click.pass_obj
def name(session: CommandSession, photo: str, name: str, which: int | None, as_json: bool) -> int:
    from agent.features.people.edit_schemas import NameFaces
    from agent.features.people.queries.people_queries import PeopleQueries

    texts = session.texts
    with session.library(PeopleQueries) as library:
        faces = sorted(_faces_on(library, photo), key=lambda face: face.face.box.x)
    if not faces:
        say(texts("cli.people.no_face", photo=photo), err=True)
        return 1
    if which is None and len(faces) > 1:
        raise click.UsageError(texts("cli.people.which", count=len(faces)))
    if which is not None and which > len(faces):
        raise click.UsageError(texts("cli.find.no_such_face", count=len(faces)))
    _edit(session, NameFaces(kind="name", face_ids=(faces[(which or 1) - 1].id,), name=name))
    tell({"name": name, "faces": 1}, texts("cli.people.named_face", name=name), as_json=as_json)
    return 0


@people.command(help=TEXTS("cli.help.people_rename"))
@click.argument("name")
@click.argument("new", type=PERSON_NAME, metavar="NEW")
@json_option()
@click.pass_obj
def rename(session: CommandSession, name: str, new: str, as_json: bool) -> None:
    from agent.features.people.edit_schemas import DescribePerson

    _edit(session, DescribePerson(kind="describe", person_id=_id(session, name), name=new))
    tell({"name": new, "was": name}, session.texts("cli.people.renamed", name=name, new=new), as_json=as_json)


@people.command(help=TEXTS("cli.help.people_merge"))
@click.argument("names", nargs=-1, required=True)
@click.option("--into", required=True, metavar="NAME", help=TEXTS("cli.help.people_into"))
@click.option("--dry-run", is_flag=True, help=TEXTS("cli.help.dry_run"))
@json_option()
@click.pass_obj
def merge(session: CommandSession, names: tuple[str, ...], into: str, dry_run: bool, as_json: bool) -> None:
    from agent.features.people.edit_schemas import MergePeople
    from agent.features.people.queries.people_queries import PeopleQueries

    with session.library(PeopleQueries) as library:
        people = [person_of(library, name) for name in names]
    ids = tuple(person.id for person in people)
    if dry_run:
        _id(session, into)
        _would(session, "merge", into, people, as_json=as_json)
        return
    moved, suggested = _edit(session, MergePeople(kind="merge", person_ids=ids, into=_id(session, into))), _suggested(people)
    facts = {"name": into, "faces": moved + suggested, "confirmed": moved, "suggested": suggested}
    more = _more_suggested(session, suggested)
    tell(facts, session.texts("cli.people.merged", name=into, count=moved), *more, as_json=as_json)


@people.command(help=TEXTS("cli.help.people_split"))
@click.argument("name")
@click.argument("photos", nargs=-1, required=True, cls=Paths, type=There(dir_okay=False))
@click.option("--to", "new", type=PERSON_NAME, metavar="NAME", help=TEXTS("cli.help.people_to"))
@click.option("--dry-run", is_flag=True, help=TEXTS("cli.help.dry_run"))
@json_option()
@click.pass_obj
def split(session: CommandSession, name: str, photos: tuple[str, ...], new: str | None, dry_run: bool, as_json: bool) -> int:
    from agent.features.people.edit_schemas import NameFaces, UnnameFaces
    from agent.features.people.queries.people_queries import PeopleQueries

    with session.library(PeopleQueries, checked=True) as library:
        person = person_of(library, name)
        faces = [face for photo in photos for face in _faces_on(library, photo)]
    found = [face.id for face in faces if face.identity and face.identity.person_id == person.id]
    if not found:
        say(session.texts("cli.people.not_there", name=name), err=True)
        return 1
    if dry_run:
        told = session.texts("cli.people.would_split", name=name, count=len(found))
        tell({"name": name, "faces": len(found), "dry_run": True}, told, as_json=as_json)
        return 0
    wish: Edit = NameFaces(kind="name", face_ids=tuple(found), name=new) if new else UnnameFaces(kind="unname", face_ids=tuple(found))
    count = _edit(session, wish)
    tell({"name": name, "faces": count}, session.texts("cli.people.split", name=name, count=count), as_json=as_json)
    return 0


@people.command(help=TEXTS("cli.help.people_forget"))
@click.argument("name")
@yes_option
@click.option("--dry-run", is_flag=True, help=TEXTS("cli.help.dry_run"))
@json_option()
@click.pass_obj
def forget(session: CommandSession, name: str, yes: bool, dry_run: bool, as_json: bool) -> None:
    from agent.features.people.queries.people_queries import PeopleQueries
    from agent.features.people.schemas import Forgotten
    from agent.interfaces.cli.in_process_app import backend

    with session.library(PeopleQueries) as library:
        person = person_of(library, name)
    person_id = person.id
    if dry_run:
        _would(session, "forget", name, [person], as_json=as_json)
        return
    confirm(session.texts, session.texts("cli.people.sure", name=name), yes=yes)
    with backend(session) as able:
        gone = able.post_long(f"/api/people/{person_id}/forget", Forgotten)
    told = session.texts("cli.people.forgotten", faces=gone.faces, prints=gone.embeddings, chips=gone.chips, steps=gone.undo)
    tell({"name": name, **gone.model_dump()}, told, as_json=as_json)


def _would(session: CommandSession, what: str, name: str, people: "Sequence[Person]", *, as_json: bool) -> None:
    """Print the result of a dry run, with suggested faces counted apart."""
    suggested = _suggested(people)
    confirmed = sum(person.faces for person in people) - suggested
    facts = {"name": name, "faces": confirmed + suggested, "confirmed": confirmed, "suggested": suggested, "dry_run": True}
    more = _more_suggested(session, suggested)
    tell(facts, session.texts(f"cli.people.would_{what}", name=name, count=confirmed), *more, as_json=as_json)


def _suggested(people: "Sequence[Person]") -> int:
    return sum(person.suggested for person in people)


def _more_suggested(session: CommandSession, suggested: int) -> list[str]:
    return [session.texts("cli.people.would_suggested", count=suggested)] if suggested else []


@people.command(help=TEXTS("cli.help.people_export"))
@click.argument("file", type=click.Path(dir_okay=False, path_type=Path), required=False)
@click.option("--csv", "as_csv", is_flag=True, help=TEXTS("cli.help.people_csv"))
@click.option("--person", metavar="NAME", help=TEXTS("cli.help.people_only"))
@yes_option
@click.pass_obj
def export(session: CommandSession, file: Path | None, as_csv: bool, person: str | None, yes: bool) -> None:
    from agent.features.people import export_files
    from agent.features.people.exchange_commands import rows_of
    from agent.features.people.queries.people_queries import PeopleQueries

    if file is not None and os.path.lexists(file) and not is_device(file):
        confirm(session.texts, session.texts("cli.people.sure_export", file=str(file)), yes=yes)
    with session.library(PeopleQueries, checked=True) as library, output_to(file) as out:
        only = None if person is None else person_of(library, person)
        library.note_export(None if only is None else only.id, now=datetime.now(UTC))
        if as_csv and file is not None and not is_device(file):
            out.write("\ufeff")  # otherwise spreadsheets take UTF-8 for another encoding
        count = (export_files.write_csv if as_csv else export_files.write_json)(rows_of(library, only), out)
    note(session.texts("cli.people.exported" if file is None else "cli.people.exported_to", count=count, file=str(file)))


@people.command(name="import", help=TEXTS("cli.help.people_import"))
@click.argument("source", type=There(path_type=Path))
@click.option("--dry-run", is_flag=True, help=TEXTS("cli.help.dry_run"))
@json_option()
@click.pass_obj
def import_people(session: CommandSession, source: Path, dry_run: bool, as_json: bool) -> int:
    from agent.features.people.exchange_commands import import_folder, import_rows

    return (import_folder if source.is_dir() else import_rows)(session, source, dry_run=dry_run, as_json=as_json)


def _faces_on(library: "PeopleQueries", photo: str) -> "tuple[StoredFace, ...]":
    """Return the library's faces in a photo; none if the photo is unknown."""
    from agent.interfaces.cli.in_process_app import absolute

    place = library.place(absolute((photo,))[0])
    image = library.image(place.image_id) if place is not None and place.image_id is not None else None
    return image.faces if image is not None else ()


def _id(session: CommandSession, name: str) -> int:
    from agent.features.people.queries.people_queries import PeopleQueries

    with session.library(PeopleQueries, checked=True) as library:
        return person_of(library, name).id


def _edit(session: CommandSession, wish: "Edit") -> int:
    from agent.features.people.schemas import Edited
    from agent.interfaces.cli.in_process_app import backend

    with backend(session) as able:
        return able.post_long("/api/people/edits", Edited, wish).count

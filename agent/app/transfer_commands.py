"""`ai-popup move-to`: a desktop's library into the team server of this machine, and back."""

import os
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING

import click

from agent.domain.errors import MoveDiffers, MoveFoldersMissing, MoveRecognitionOff, ServerPackagesMissing
from agent.interfaces.cli.command import CommandGroup, json_option
from agent.interfaces.cli.language import TEXTS
from agent.interfaces.cli.output import note
from agent.interfaces.cli.secret_input import ask
from agent.interfaces.cli.session import CommandSession
from agent.server.workers.path_mapping import Roots

if TYPE_CHECKING:
    from datetime import date

    from agent.infrastructure.core.settings import Settings
    from agent.infrastructure.store.database import Database
    from agent.server.libraries.records import Library
    from agent.server.transfer.plan import Plan


library_option = click.option("--library", "library", required=True, metavar="NAME", help=TEXTS("cli.help.move_library"))
plan_option = click.option("--plan", "only_plan", is_flag=True, help=TEXTS("cli.help.move_plan"))


def _roots(context: click.Context, _: click.Parameter, words: tuple[str, ...]) -> Roots:
    try:
        return Roots.parse(words)
    except ValueError as error:
        raise click.BadParameter(context.find_root().obj.texts("cli.move.root"), param_hint="--root") from error


root_option = click.option("--root", "roots", multiple=True, metavar="HERE=THERE", callback=_roots, help=TEXTS("cli.help.move_root"))


@click.group("move-to", cls=CommandGroup, help=TEXTS("cli.help.move_to"))
def move_to() -> None: ...


@move_to.command("server", help=TEXTS("cli.help.move_to_server"))
@click.argument("source", required=False, type=click.Path(file_okay=False, exists=True, path_type=Path), metavar="[FOLDER]")
@library_option
@root_option
@click.option("--recovery-code", "with_code", is_flag=True, help=TEXTS("cli.help.move_code"))
@plan_option
@json_option()
@click.pass_obj
def to_server(
    session: CommandSession, source: Path | None, library: str, roots: Roots, with_code: bool, only_plan: bool, as_json: bool
) -> int:
    _have_server()
    from agent.app.transfer_endpoints import desktop_library, server_side, stopped_server
    from agent.app.transfer_reports import report, show_plan
    from agent.infrastructure.core.paths import make_private
    from agent.infrastructure.core.service_context import utc_now
    from agent.server.transfer.move import Move
    from agent.server.transfer.plan import plan
    from agent.server.transfer.reader import Reader

    texts = session.texts

    def ask_code() -> str:
        return ask(texts, texts("cli.recovery.ask"), hidden=False)

    with (
        session.alone(),
        desktop_library(session, source or session.paths.library, ask_code if with_code else None) as one,
        stopped_server(session) as database,
    ):
        settings = session.file.snapshot
        reader = Reader(one.side.database, roots)
        watched = [(root, roots.local(root), files) for root, files in reader.roots()]
        two = server_side(session, database, 0)
        gone = one.forgotten.read() | two.forgotten.read()
        required = _consent_required(settings, shared=True)
        planned = plan(one.side.database, reader, watched, database, gone, _today() if required else None)
        absent = [(there, files) for _, there, files in watched if not os.path.isdir(there)]  # noqa: PTH112 - any text
        show_plan(session, planned, absent, one.size, session.paths.data, as_json=as_json, only=only_plan, with_record=True)
        if only_plan:
            return 0
        if absent:
            raise MoveFoldersMissing(folders=len(absent), files=sum(files for _, files in absent))
        if planned.rows["embedding"] and not settings.recognition.enabled:
            raise MoveRecognitionOff(faces=planned.rows["embedding"])
        found = _library(session, database, library, [there for _, there, _ in watched])
        for here, there, _ in watched:
            session.file.add_folder(Path(there), _switches(one.side.records.parent.parent / "config" / "settings.toml", here))
        two = server_side(session, database, found.id)
        make_private(two.side.records)
        two.forgotten.add(sorted(gone))
        with _progress(planned) as step:
            moved = Move(one.side, two.side, reader, gone, required, True, utc_now, step).run()
        receipt = report(session, moved, two.side.records, as_json=as_json)
        _end(session, equal=moved.equal, tables=[each.table for each in moved.tables if not each.equal])
        if not as_json:
            note(texts("cli.move.at_server", receipt=str(receipt), library=found.name))
            if moved.without_consent:
                note(texts("cli.move.without_consent", count=moved.without_consent))
        return 0 if moved.equal else 1


@move_to.command("desktop", help=TEXTS("cli.help.move_to_desktop"))
@click.argument("folder", type=click.Path(file_okay=False, path_type=Path))
@library_option
@root_option
@plan_option
@json_option()
@click.pass_obj
def to_desktop(session: CommandSession, folder: Path, library: str, roots: Roots, only_plan: bool, as_json: bool) -> int:
    _have_server()
    from agent.app.transfer_endpoints import new_desktop, server_side, stopped_server
    from agent.app.transfer_reports import report, show_plan
    from agent.infrastructure.core.service_context import utc_now
    from agent.server.libraries.queries import LibrariesQueries
    from agent.server.transfer.move import Move
    from agent.server.transfer.plan import plan
    from agent.server.transfer.reader import Reader

    with session.alone(), stopped_server(session) as database:
        found = _named(LibrariesQueries(database).libraries(), library)
        if found is None:
            raise click.ClickException(session.texts("cli.libraries.unknown", name=library))
        one = server_side(session, database, found.id)
        reader = Reader(database, roots, found.id)
        watched = [(root, roots.local(root), files) for root, files in reader.roots()]
        if only_plan:
            planned = plan(database, reader, watched, database, one.forgotten.read(), None)
            show_plan(session, planned, [], 0, folder, as_json=as_json, only=True)
            return 0
        with new_desktop(folder.absolute(), f"{one.side.uid}/{found.id}") as (two, file, code):
            gone = one.forgotten.read() | two.forgotten.read()
            planned = plan(database, reader, watched, two.side.database, gone, None)
            show_plan(session, planned, [], 0, folder, as_json=as_json, only=False)
            file.put("recognition.enabled", session.file.snapshot.recognition.enabled)
            for here, there, _ in watched:
                file.add_folder(Path(there), _switches(session.paths.settings, here))
            two.forgotten.add(sorted(gone))
            with _progress(planned) as step:
                moved = Move(one.side, two.side, reader, gone, False, False, utc_now, step).run()
            receipt = report(session, moved, two.side.records, as_json=as_json)
        _end(session, equal=moved.equal, tables=[each.table for each in moved.tables if not each.equal])
        if not as_json:
            note(session.texts("cli.move.at_desktop", receipt=str(receipt), folder=str(folder)))
            session.mention(*session.texts("cli.recovery.new", code=code).split("\n"))
        return 0 if moved.equal else 1


def _have_server() -> None:
    """Raises ServerPackagesMissing."""
    if find_spec("psycopg") is None:
        raise ServerPackagesMissing


def _end(session: CommandSession, *, equal: bool, tables: list[str]) -> None:
    if not equal:
        session.explain(MoveDiffers(tables=", ".join(tables)))


@contextmanager
def _progress(planned: "Plan") -> Iterator[Callable[[str, int], None]]:
    """Show a progress bar over the photos; yields what moves it."""
    from agent.interfaces.cli.output import ProgressBar

    bar, done = ProgressBar(), 0

    def step(_: str, photos: int) -> None:
        nonlocal done
        done += photos
        bar.move(photos, done)

    with bar.showing():
        bar.begin(planned.rows["image"])
        yield step


def _named(libraries: "tuple[Library, ...]", name: str) -> "Library | None":
    return next((each for each in libraries if each.name.casefold() == name.strip().casefold()), None)


def _library(session: CommandSession, database: "Database", name: str, folders: list[str]) -> "Library":
    """Return the library of that name, made if it is new, with the folders in it. A folder of another library is refused."""
    from agent.infrastructure.core.service_context import utc_now
    from agent.server.libraries.library_choice import tidy_name
    from agent.server.libraries.queries import LibrariesQueries
    from agent.server.libraries.records import REST

    queries, now, texts = LibrariesQueries(database), utc_now(), session.texts
    watched = [folder.root for folder in session.file.snapshot.folders]
    queries.begin(texts("cli.serve.first_library"), now)
    found = _named(queries.libraries(), name)
    for each in queries.libraries():
        if (found is None or each.id != found.id) and set(folders) & set(each.sources):
            raise click.ClickException(texts("cli.move.folder_elsewhere", name=each.name))
    if found is None:
        queries.add(tidy_name(name), for_all=False, sources=(), roles={}, watched=watched, now=now)
        found = _named(queries.libraries(), tidy_name(name))
        assert found is not None
    for folder in folders:
        if not {folder, REST} & set(found.sources):
            queries.put_source(found.id, folder, now)
    return found


_SWITCHES = ("recursive", "include", "exclude", "faces", "recognition", "names_in_sidecars")


def _switches(settings: Path, root: str) -> dict[str, object]:
    """Return how a folder is watched, where it says otherwise than usual."""
    from agent.domain.errors import SettingsError
    from agent.infrastructure.core.config_file import SettingsFile
    from agent.infrastructure.core.settings import Folder

    if not settings.exists():
        return {}
    try:
        known = next((each for each in SettingsFile(settings, environ={}).load().folders if each.root == root), None)
    except SettingsError:
        return {}
    if known is None:
        return {}
    said, usual = known.model_dump(mode="json"), Folder(path=known.path).model_dump(mode="json")
    return {name: said[name] for name in _SWITCHES if said[name] != usual[name]}


def _consent_required(settings: "Settings", *, shared: bool) -> bool:
    from agent.infrastructure.core.settings import ConsentRequired

    wanted = settings.consent.required
    return shared if wanted is ConsentRequired.AUTO else wanted is ConsentRequired.ALWAYS


def _today() -> "date":
    from agent.features.people.queries.consent_queries import day_of
    from agent.infrastructure.core.service_context import utc_now

    return day_of(utc_now())

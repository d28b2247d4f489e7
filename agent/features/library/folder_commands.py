"""`ai-popup folders`: lists, adds and removes watched folders."""

import json
from contextlib import closing
from pathlib import Path
from typing import TYPE_CHECKING
from urllib.parse import urlencode

import click

from agent.domain.errors import AgentError
from agent.domain.path_text import printable
from agent.infrastructure.core.settings import Share
from agent.infrastructure.core.user_paths import meant
from agent.interfaces.cli.command import CommandGroup, json_option
from agent.interfaces.cli.language import TEXTS
from agent.interfaces.cli.output import note, say, tell
from agent.interfaces.cli.params import Paths, There
from agent.interfaces.cli.session import CommandSession

if TYPE_CHECKING:
    from agent.interfaces.web.schemas import Problem


@click.group(cls=CommandGroup, help=TEXTS("cli.help.folders"))
def folders() -> None: ...


@folders.command(name="list", help=TEXTS("cli.help.folders_list"))
@json_option("json_each")
@click.pass_obj
def list_folders(session: CommandSession, as_json: bool) -> None:
    problems = _problems(session)
    for folder in session.settings.folders:
        problem = problems.get(folder.root)
        if as_json:
            facts = {**folder.model_dump(mode="json"), "path": folder.root, "problem": problem.code if problem else None}
            say(json.dumps(facts))
            continue
        say(folder.root)
        if problem is not None:
            say(f"{folder.root}: {session.sentences(problem.cause, problem.remedy)} [{problem.code}]", err=True)
    if not session.settings.folders:
        note(session.texts("cli.folders.none"))


@folders.command(help=TEXTS("cli.help.folders_add"))
@click.argument("paths", nargs=-1, required=True, cls=Paths, type=There(file_okay=False))
@json_option("json_each")
@click.pass_obj
def add(session: CommandSession, paths: tuple[str, ...], as_json: bool) -> None:
    for path in paths:
        root = meant(path, (folder.root for folder in session.settings.folders))
        known = any(folder.root == root for folder in session.settings.folders)
        if not known:
            session.file.add_folder(Path(root))
        told = session.texts("cli.folders.known" if known else "cli.folders.added", path=root)
        tell({"path": root, "added": not known}, told, as_json=as_json)


@folders.command(help=TEXTS("cli.help.folders_remove"))
@click.argument("paths", nargs=-1, required=True, type=click.Path())
@click.option("--dry-run", is_flag=True, help=TEXTS("cli.help.dry_run"))
@json_option("json_each")
@click.pass_obj
def remove(session: CommandSession, paths: tuple[str, ...], dry_run: bool, as_json: bool) -> int:
    texts, missed = session.texts, 0
    for path in paths:
        root = meant(path, (folder.root for folder in session.settings.folders))
        if not any(folder.root == root for folder in session.settings.folders):
            missed += 1
            say(texts("cli.folders.unknown", path=root), err=True)
            continue
        photos = _remove(session, root, dry_run=dry_run)
        key = "cli.folders.would_remove" if dry_run else "cli.folders.removed"
        days = session.settings.library.grace_days
        facts = {"path": root, "removed": not dry_run, "photos": photos, "days": days}
        told = texts(key, path=root, count=photos, days=days) if photos else texts(f"{key}_without_photos", path=root)
        tell(facts, told, as_json=as_json)
    return 1 if missed else 0


@folders.command(help=TEXTS("cli.help.folders_share"))
@click.argument("path", type=click.Path())
@click.argument("how", type=click.Choice([each.value for each in Share]))
@click.option("--into", default="", help=TEXTS("cli.help.folders_share_into"))
@json_option()
@click.pass_obj
def share(session: CommandSession, path: str, how: str, into: str, as_json: bool) -> int:
    root = meant(path, (folder.root for folder in session.settings.folders))
    if not any(folder.root == root for folder in session.settings.folders):
        say(session.texts("cli.folders.unknown", path=root), err=True)
        return 1
    session.file.change_folder(root, {"share": how, "share_into": into})
    tell({"path": root, "share": how, "into": into}, session.texts(f"cli.folders.share_{how}", path=root), as_json=as_json)
    return 0


def _problems(session: CommandSession) -> "dict[str, Problem]":
    """Return the running agent's problems of its folders; nothing without an agent."""
    try:
        return {folder.path: folder.problem for folder in session.client().status().folders if folder.problem is not None}
    except AgentError:
        return {}


def _remove(session: CommandSession, root: str, *, dry_run: bool) -> int:
    """Stop watching a folder, on a team server by asking it; returns how many photos leave the library with it."""
    from agent.features.library.folder_schemas import FolderRemoved

    if session.is_served:
        query = urlencode({"path": printable(root), "dry_run": int(dry_run)})
        with closing(session.server()) as server:
            return server.call("DELETE", f"/api/folders?{query}", FolderRemoved).photos
    photos = _leaving(session, root)
    if not dry_run:
        session.file.remove_folder(root)
    return photos


def _leaving(session: CommandSession, root: str) -> int:
    """Return how many photos leave the library with the folder: none while an outer folder is watched recursively."""
    from agent.features.library.queries.library_queries import LibraryQueries
    from agent.infrastructure.core.settings import folder_of

    rest = tuple(folder for folder in session.settings.folders if folder.root != root)
    around = folder_of(root, rest)
    if around is not None and around.recursive:
        return 0
    with session.library(LibraryQueries) as library:
        return library.count_leaving(root, [folder.root for folder in rest])

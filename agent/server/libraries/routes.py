"""Routes of a server's libraries: which there are, their folders, and who has which role in them."""

import asyncio
from pathlib import Path as FilePath
from typing import Annotated

from fastapi import FastAPI, Path

from agent.domain.errors import BadRequest, NotFound
from agent.domain.path_text import is_remote, printable
from agent.features.library.folder_routes import readable_folder
from agent.features.library.watched_folders import resolve_root
from agent.infrastructure.core.config_file import SettingsFile
from agent.interfaces.web.access import Principal, Role, Scope, needs
from agent.interfaces.web.schemas import Id
from agent.interfaces.web.scoped_route import Who
from agent.server.libraries.records import REST, Library
from agent.server.libraries.schemas import (
    LibrariesOut,
    LibraryAdd,
    LibraryChange,
    LibraryFolder,
    LibraryGrant,
    LibraryMember,
    LibraryOut,
    LibrarySource,
)
from agent.server.libraries.service import Libraries

MemberId = Annotated[str, Path(pattern=r"^[0-9a-f]{1,32}$")]
_MANAGE = needs(Scope.MEMBERS_MANAGE)


def libraries_routes(api: FastAPI, libraries: Libraries, settings: SettingsFile) -> None:
    """Add them to `api`."""

    async def all_of(who: Principal) -> LibrariesOut:
        counts = await libraries.photo_counts()
        items = tuple(_out(libraries, each, who, counts.get(each.id, 0)) for each in libraries.all if libraries.role_in(each, who))
        return LibrariesOut(items=items, unassigned=_unassigned(libraries, settings) if who.grants is None else ())

    @api.get("/api/libraries", openapi_extra=needs(Scope.STATUS_READ))
    async def list_libraries(who: Who) -> LibrariesOut:
        """Return the libraries whose photos or record the caller may see."""
        return await all_of(who)

    @api.post("/api/libraries", openapi_extra=_MANAGE)
    async def add(wanted: LibraryAdd, who: Who) -> LibraryOut:
        """Make a library. Folders that are not watched yet are watched from then on."""
        roots = [await _folder(libraries, settings, each) for each in wanted.sources]
        roles = {each.id: Role(each.role) for each in wanted.members}
        made = await libraries.add(wanted.name, for_all=wanted.for_all, sources=roots, roles=roles)
        for root in roots:
            await _watch(settings, root)
        return _out(libraries, made, who, (await libraries.photo_counts()).get(made.id, 0))

    @api.patch("/api/libraries/{library_id}", status_code=204, openapi_extra=_MANAGE)
    async def change(library_id: Id, wanted: LibraryChange) -> None:
        await libraries.change(library_id, name=wanted.name, for_all=wanted.for_all)

    @api.delete("/api/libraries/{library_id}", status_code=204, openapi_extra=_MANAGE)
    async def remove(library_id: Id) -> None:
        """Remove a library. Its folders stay watched, and only administrators see their photos until they are in another library."""
        await libraries.remove(library_id)

    _content_routes(api, libraries, settings)


def _content_routes(api: FastAPI, libraries: Libraries, settings: SettingsFile) -> None:
    @api.put("/api/libraries/{library_id}/sources", status_code=204, openapi_extra=_MANAGE)
    async def put_source(library_id: Id, folder: LibraryFolder) -> None:
        """Put a folder into this library, out of any other. It is watched from then on."""
        root = await _folder(libraries, settings, folder.path)
        await libraries.put_source(library_id, root)
        await _watch(settings, root)

    @api.delete("/api/libraries/{library_id}/sources", status_code=204, openapi_extra=_MANAGE)
    async def drop_source(library_id: Id, path: str) -> None:
        """Take a folder out. It stays watched."""
        await libraries.drop_source(library_id, resolve_root(path, settings.snapshot.folders))

    @api.put("/api/libraries/{library_id}/members/{member_id}", status_code=204, openapi_extra=_MANAGE)
    async def grant(library_id: Id, member_id: MemberId, wanted: LibraryGrant) -> None:
        """Give a member a role in this library, in place of any other."""
        await libraries.grant(library_id, member_id, Role(wanted.role))

    @api.delete("/api/libraries/{library_id}/members/{member_id}", status_code=204, openapi_extra=_MANAGE)
    async def revoke(library_id: Id, member_id: MemberId) -> None:
        await libraries.revoke(library_id, member_id)


async def _folder(libraries: Libraries, settings: SettingsFile, path: str) -> str:
    """The root of a folder that is watched, or can be, or of a bucket.

    Raises SourceMissing, SourceNoAccess, BadRequest inside a watched folder, NotFound for an unknown bucket.
    """
    folders = settings.snapshot.folders
    root = resolve_root(path, folders)
    if is_remote(root):
        if not libraries.is_watched(root):
            raise NotFound
        return root
    if any(each.root == root for each in folders):
        return root
    return await readable_folder(path)


async def _watch(settings: SettingsFile, root: str) -> None:
    if not is_remote(root) and all(each.root != root for each in settings.snapshot.folders):
        await asyncio.to_thread(settings.add_folder, FilePath(root), {})


def _out(libraries: Libraries, library: Library, who: Principal, photos: int) -> LibraryOut:
    manages = Scope.MEMBERS_MANAGE in who.scopes
    role = libraries.role_in(library, who)
    if role is None:
        raise BadRequest(reason="library")
    roots = libraries.roots(library) if manages else ()
    members = tuple(LibraryMember(id=each, role=its) for each, its in sorted(library.roles.items())) if manages else ()
    return LibraryOut(
        id=library.id,
        name=library.name,
        photos=photos,
        role=role,
        for_all=library.for_all,
        rest=REST in library.sources,
        sources=tuple(LibrarySource(path=printable(each.path), shown=each.shown) for each in roots),
        members=members,
    )


def _unassigned(libraries: Libraries, settings: SettingsFile) -> tuple[str, ...]:
    if any(REST in each.sources for each in libraries.all):
        return ()
    named = {source for each in libraries.all for source in each.sources}
    return tuple(printable(each.root) for each in settings.snapshot.folders if each.root not in named)

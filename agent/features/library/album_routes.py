"""Routes of albums: photos chosen by hand, or those of people. What they show is read by the index, with `album`."""

import asyncio
from collections.abc import Callable
from functools import partial

from fastapi import FastAPI

from agent.domain.errors import BadRequest
from agent.domain.names import given
from agent.features.library.album_schemas import AlbumChange, AlbumDone, AlbumMake, AlbumMove, AlbumOut, AlbumPhotos, AlbumsOut
from agent.features.library.queries.library_queries import LibraryQueries
from agent.features.library.records import Album, AlbumStep
from agent.infrastructure.core.service_context import Environment
from agent.interfaces.web.access import Scope, needs
from agent.interfaces.web.schemas import Id
from agent.interfaces.web.version_cache import VersionedCache


def album_routes(api: FastAPI, library: LibraryQueries, environment: Environment) -> None:
    """Add the routes to `api`."""
    kept: VersionedCache[list[Album]] = VersionedCache(library.version, 2)

    async def done(change: Callable[..., AlbumStep]) -> AlbumDone:
        step = await asyncio.to_thread(change, now=environment.clock())
        environment.bus.publish(step.events)
        return AlbumDone(id=step.id, undo=step.token, count=step.count)

    @api.get("/api/albums", openapi_extra=needs(Scope.PHOTOS_READ))
    async def albums() -> AlbumsOut:
        """Return all albums by name, each with the number of photos that it shows to the caller."""
        found = await asyncio.to_thread(kept.get, "albums", library.albums)
        return AlbumsOut(items=tuple(map(AlbumOut.of, found)))

    @api.post("/api/albums", openapi_extra=needs(Scope.PHOTOS_WRITE))
    async def make_album(asked: AlbumMake) -> AlbumDone:
        if asked.images and asked.people:
            raise BadRequest(reason="people")
        make = partial(library.make_album, given(asked.name), images=asked.images, people=asked.people, library_id=asked.library)
        return await done(partial(make, match=asked.match if asked.people else None, certain=asked.certain))

    @api.patch("/api/albums/{album_id}", openapi_extra=needs(Scope.PHOTOS_WRITE))
    async def change_album(album_id: Id, asked: AlbumChange) -> AlbumDone:
        name = None if asked.name is None else given(asked.name)
        return await done(partial(library.change_album, album_id, name=name, cover=asked.cover))

    @api.delete("/api/albums/{album_id}", openapi_extra=needs(Scope.PHOTOS_WRITE))
    async def remove_album(album_id: Id) -> AlbumDone:
        """Remove the album; its photos stay where they are."""
        return await done(partial(library.remove_album, album_id))

    @api.post("/api/albums/{album_id}/images", openapi_extra=needs(Scope.PHOTOS_WRITE))
    async def add_to_album(album_id: Id, asked: AlbumPhotos) -> AlbumDone:
        """Add images at the end; those it has stay where they are."""
        return await done(partial(library.add_to_album, album_id, asked.ids))

    @api.post("/api/albums/{album_id}/images/remove", openapi_extra=needs(Scope.PHOTOS_WRITE))
    async def take_from_album(album_id: Id, asked: AlbumPhotos) -> AlbumDone:
        return await done(partial(library.take_from_album, album_id, asked.ids))

    @api.post("/api/albums/{album_id}/images/move", openapi_extra=needs(Scope.PHOTOS_WRITE))
    async def move_in_album(album_id: Id, asked: AlbumMove) -> AlbumDone:
        """Move images, in the order given, before another image of the album, or to its end."""
        return await done(partial(library.move_in_album, album_id, asked.ids, asked.before))

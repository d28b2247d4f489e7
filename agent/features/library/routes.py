"""Routes of the Library page: the index of all images, their pictures and details, and the user's actions."""

import asyncio
from collections.abc import Callable
from datetime import date
from typing import Annotated

from fastapi import FastAPI, Header, Query, Request
from fastapi.responses import FileResponse, Response

from agent.domain.errors import NotFound
from agent.features.library.actions import Actions
from agent.features.library.index_encoding import IndexAnswers
from agent.features.library.index_snapshot import WholeIndexes
from agent.features.library.originals import original_response
from agent.features.library.previews import Previews
from agent.features.library.queries.library_queries import LibraryQueries
from agent.features.library.records import Match, Shown
from agent.features.library.schemas import ImageOut, ImagePage, Images, LibraryAction, LibraryActionDone, LibraryIndex
from agent.features.library.thumbnails import Thumbnails
from agent.features.library.watched_folders import resolve_root
from agent.infrastructure.core.memory_trimmer import MemoryTrimmer
from agent.infrastructure.core.settings import Settings
from agent.interfaces.web.access import Scope, needs
from agent.interfaces.web.schemas import MOST, Id
from agent.interfaces.web.ui_port import UiPort

MOST_IDS_LENGTH = 2_400  # characters: 200 ids and to spare
MOST_TEXT = 200  # characters
IDS = r"^[0-9]{1,10}(,[0-9]{1,10})*$"


def index_routes(
    api: FastAPI, library: LibraryQueries, indexes: WholeIndexes, settings: Callable[[], Settings], rest: MemoryTrimmer
) -> None:
    """Add the routes to `api`."""
    answers = IndexAnswers(library, indexes)
    rest.also(answers.forget)

    @api.get(
        "/api/library",
        response_model=LibraryIndex,
        responses={200: {"content": {"application/octet-stream": {}}}},
        openapi_extra=needs(Scope.PHOTOS_READ),
    )
    async def index(
        folder: str | None = None,
        after: date | None = None,
        before: date | None = None,
        faces_min: Annotated[int, Query(ge=0, le=MOST)] = 0,
        faces_max: Annotated[int | None, Query(ge=0, le=MOST)] = None,
        hidden: bool = False,
        people: Annotated[str, Query(pattern=IDS, max_length=MOST_IDS_LENGTH, examples=["3,7"])] | None = None,
        match: Match = Match.ALL,
        certain: bool = False,
        unnamed: bool = False,
        images: Annotated[str, Query(pattern=IDS, max_length=MOST_IDS_LENGTH, examples=["3,1,2"])] | None = None,
        favourites: bool = False,
        text: Annotated[str, Query(max_length=MOST_TEXT)] = "",
        album: Id | None = None,
        packed: bool = False,
        if_none_match: Annotated[str | None, Header()] = None,
    ) -> Response:
        """Return the images that match all filters: `folder` is a watched folder or one inside it, recursively; days are inclusive;
        `hidden` lists the hidden images instead of the others.

        `people` are ids: an image shows all of them, any, or exactly them; `certain`: without images where they are only
        probable; `unnamed`: with an unnamed face.
        `images` are the ids of the only images to return, for example those found by a face search. `favourites` returns only favourites;
        `text` returns images whose file name, or a folder name below the watched folder, contains it.
        `album` returns only its images; those of one by hand in its own order, without days.

        `packed` answers in bytes instead of JSON: a 32-bit count of images and one of days, then 32 bits for each id, for each day since
        1970 (signed) and for its count, 16 bits for each ratio; all little-endian.
        """
        root = resolve_root(folder, settings().folders) if folder else None
        only = _ids(images) if images else None
        shown = Shown(
            root, after, before, faces_min, faces_max, hidden, _ids(people or ""), match, unnamed, only, favourites, text, certain, album
        )

        answer = await answers.get(shown, packed=packed)
        headers = {"etag": answer.etag, "cache-control": "private, no-store"}
        if if_none_match == answer.etag:
            return Response(status_code=304, headers=headers)
        return Response(answer.body, media_type="application/octet-stream" if packed else "application/json", headers=headers)


def _ids(joined: str) -> tuple[int, ...]:
    """Numbers that no row has are left out."""
    return tuple(number for each in joined.split(",") if (number := int(each)) <= MOST) if joined else ()


def image_routes(api: FastAPI, library: LibraryQueries, previews: Previews, thumbnails: Thumbnails) -> None:
    """Add the routes to `api`."""

    @api.get("/api/images", openapi_extra=needs(Scope.PHOTOS_READ))
    async def images(limit: Annotated[int, Query(ge=1, le=200)] = 60, before: Id | None = None) -> ImagePage:
        stored = await asyncio.to_thread(library.images, limit=limit, before=before)
        more = stored[-1].id if len(stored) == limit else None
        return ImagePage(items=tuple(map(ImageOut.of, stored)), next=more)

    @api.get("/api/images/by-id", openapi_extra=needs(Scope.PHOTOS_READ))
    async def images_by_id(ids: Annotated[str, Query(pattern=IDS, max_length=MOST_IDS_LENGTH, examples=["3,1,2"])]) -> Images:
        """Return up to 200 images, in the requested order; missing ones are left out."""
        stored = await asyncio.to_thread(library.images_by_id, _ids(ids))
        return Images(items=tuple(map(ImageOut.of, stored)))

    @api.get("/api/images/{image_id}", openapi_extra=needs(Scope.PHOTOS_READ))
    async def image(image_id: Id) -> ImageOut:
        stored = await asyncio.to_thread(library.image, image_id)
        if stored is None:
            raise NotFound
        return ImageOut.of(stored)

    @api.get(
        "/api/images/{image_id}/preview",
        response_class=Response,
        responses={200: {"content": {"image/jpeg": {}}}},
        openapi_extra=needs(Scope.PHOTOS_READ),
    )
    async def preview(image_id: Id, side: Annotated[int, Query(ge=16, le=4096)] = 480) -> Response:
        return Response(await previews.get(image_id, side), media_type="image/jpeg")

    @api.get(
        "/api/images/{image_id}/thumbnail",
        response_class=Response,
        responses={200: {"content": {"image/jpeg": {}}}},
        openapi_extra=needs(Scope.PHOTOS_READ),
    )
    async def thumbnail(image_id: Id, request: Request) -> Response:
        """Return the thumbnail; its longer side has 480 pixels at most."""

        async def wanted() -> bool:
            return not await request.is_disconnected()

        picture = await thumbnails.get(image_id, wanted=wanted)
        return Response(picture, media_type="image/jpeg", headers={"cache-control": "private, no-store"})


def action_routes(api: FastAPI, actions: Actions, desk: UiPort) -> None:
    """Add the routes to `api`."""
    marks = {"hide": actions.hide, "unhide": actions.unhide, "favourite": actions.favourite, "unfavourite": actions.unfavourite}

    @api.get(
        "/api/images/{image_id}/original",
        response_class=FileResponse,
        responses={200: {"content": {"image/*": {}}}},
        openapi_extra=needs(Scope.PHOTOS_EXPORT),
    )
    async def original(image_id: Id) -> Response:
        """Return the file itself. An online-only file is refused, because reading would download it."""
        return original_response(await actions.original(image_id))

    @api.post("/api/images/{image_id}/show", status_code=204, openapi_extra=needs(Scope.DESKTOP))
    async def show(image_id: Id) -> None:
        """Show the image in its folder."""
        await desk.show_file(await actions.file_of(image_id))

    @api.post("/api/images/{image_id}/open", status_code=204, openapi_extra=needs(Scope.DESKTOP))
    async def open_image(image_id: Id) -> None:
        """Open the image with the system's viewer."""
        await desk.open_file(await actions.file_of(image_id))

    @api.post("/api/library/actions", openapi_extra=needs(Scope.PHOTOS_WRITE))
    async def act(asked: LibraryAction) -> LibraryActionDone:
        if asked.action == "look_again":
            return LibraryActionDone(undo=None, count=await actions.rescan(asked.ids))
        token, count = await marks[asked.action](asked.ids)
        return LibraryActionDone(undo=token, count=count)

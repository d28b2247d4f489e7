"""Routes of uploads, by the protocol tus 1.0: creation, parts, how far one is, and its end."""

from collections.abc import AsyncIterator, Iterable
from contextlib import suppress
from datetime import datetime
from typing import Annotated, Any, Final, Self

from fastapi import FastAPI, Path, Request
from fastapi.responses import Response
from starlette.requests import ClientDisconnect

from agent.domain.errors import UploadProtocol
from agent.interfaces.web.access import Scope, needs
from agent.interfaces.web.schema_base import Schema
from agent.interfaces.web.scoped_route import Who
from agent.server.accounts.tokens import TokenInUse
from agent.server.uploads import tus
from agent.server.uploads.records import Limits, NewUpload, Received
from agent.server.uploads.service import Uploads

UploadId = Annotated[str, Path(pattern=r"^[0-9a-f]{32}$")]
_UPLOAD: Final = needs(Scope.PHOTOS_UPLOAD)
# With a body of its own, the route is not under the limit of bodies that are parsed in memory.
_PART: Final = {"requestBody": {"content": {tus.PART_TYPE: {"schema": {"type": "string", "format": "binary"}}}}}
_NOTHING: Final[dict[int | str, dict[str, Any]]] = {
    204: {"description": "`Upload-Offset`: how far it is; `Upload-Outcome`: what became of it"}
}


class UploadOut(Schema):
    id: str
    name: str
    size: int
    """bytes"""
    modified_ms: int | None
    """when the file was last changed, by the browser's clock"""
    offset: int
    """bytes that have arrived"""
    expires_at: datetime

    @classmethod
    def of(cls, received: Received) -> Self:
        upload = received.upload
        modified = None if upload.modified_ns is None else upload.modified_ns // 1_000_000
        return cls.from_record(upload, offset=received.offset, expires_at=received.expires_at, modified_ms=modified)


class UploadLibraryOut(Schema):
    id: int
    name: str


class UploadsOut(Schema):
    """One's own unfinished uploads, and what the server takes."""

    items: tuple[UploadOut, ...]
    libraries: tuple[UploadLibraryOut, ...]
    """those that one may add photos to; of several, one must be named"""
    file_bytes: int
    """the largest file"""
    days: int
    """until an unfinished one is removed"""

    @classmethod
    def of(cls, found: Iterable[Received], libraries: Iterable[tuple[int, str]], limits: Limits) -> Self:
        return cls(
            items=tuple(map(UploadOut.of, found)),
            libraries=tuple(UploadLibraryOut(id=number, name=name) for number, name in libraries),
            file_bytes=limits.file_bytes,
            days=limits.days,
        )


def upload_routes(api: FastAPI, uploads: Uploads) -> None:
    """Add the routes to `api`."""
    with tus.routes_of_tus(api):
        _tus_routes(api, uploads)


def _tus_routes(api: FastAPI, uploads: Uploads) -> None:

    @api.options("/api/uploads", status_code=204, openapi_extra=_UPLOAD)
    async def upload_protocol() -> Response:
        """What of the protocol there is."""
        most = str(uploads.limits.file_bytes)
        said = {"tus-extension": tus.EXTENSIONS, "tus-checksum-algorithm": tus.ALGORITHMS, "tus-max-size": most}
        return Response(status_code=204, headers=said)

    @api.get("/api/uploads", openapi_extra=_UPLOAD)
    async def unfinished_uploads(request: Request, who: Who) -> UploadsOut:
        """Return one's own unfinished uploads."""
        return UploadsOut.of(await uploads.unfinished(who.id, _token(request)), uploads.libraries(), uploads.limits)

    @api.post("/api/uploads", status_code=201, response_class=Response, openapi_extra=_UPLOAD)
    async def begin_upload(request: Request, who: Who) -> Response:
        """Begin one: `Upload-Length`, and in `Upload-Metadata` its `filename`, `modified` in milliseconds since 1970, and the `library`.

        With its `sha256`, another content is not stored, and a program that begins the same one again gets the one it began.
        """
        tus.check_version(request)
        said = tus.metadata_of(request)
        new = NewUpload(
            said.get("filename", ""),
            tus.number_of(request, "Upload-Length"),
            tus.modified_of(said),
            tus.library_of(said),
            tus.sha256_of(said),
            _token(request),
        )
        upload = await uploads.begin(who.id, new)
        headers = {"location": f"/api/uploads/{upload.id}", "upload-expires": tus.expiry(Received(upload, 0).expires_at)}
        return Response(status_code=201, headers=headers)

    @api.head("/api/uploads/{upload_id}", response_class=Response, openapi_extra=_UPLOAD)
    async def upload_state(upload_id: UploadId, request: Request, who: Who) -> Response:
        """Return how far one is."""
        tus.check_version(request)
        return Response(headers=tus.headers_of(await uploads.state(upload_id, who.id)))

    @api.patch("/api/uploads/{upload_id}", status_code=204, responses=_NOTHING, openapi_extra=_PART | _UPLOAD)
    async def upload_part(upload_id: UploadId, request: Request, who: Who) -> Response:
        """Add the next part."""
        tus.check_version(request)
        if request.headers.get("content-type") != tus.PART_TYPE:
            raise UploadProtocol(header="Content-Type")
        offset, checksum = tus.number_of(request, "Upload-Offset"), tus.checksum_of(request)
        return Response(status_code=204, headers=tus.headers_of(await uploads.append(upload_id, who.id, offset, _parts(request), checksum)))

    @api.delete("/api/uploads/{upload_id}", status_code=204, openapi_extra=_UPLOAD)
    async def remove_upload(upload_id: UploadId, request: Request, who: Who) -> None:
        """Remove an unfinished one, and what has arrived of it."""
        tus.check_version(request)
        await uploads.remove(upload_id, who.id)


def _token(request: Request) -> str | None:
    session = request.scope["session"]
    return session.record.id if isinstance(session, TokenInUse) else None


async def _parts(request: Request) -> AsyncIterator[bytes]:
    """What comes of the body before it ends or breaks off."""
    with suppress(ClientDisconnect):
        async for part in request.stream():
            yield part

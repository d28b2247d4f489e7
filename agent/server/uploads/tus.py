"""The protocol of uploads, tus 1.0: https://tus.io/protocols/resumable-upload."""

import base64
import binascii
import re
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from datetime import UTC, datetime
from email.utils import format_datetime
from typing import Final

from fastapi import FastAPI
from starlette.requests import Request
from starlette.types import Message, Receive, Send
from starlette.types import Scope as AsgiScope

from agent.domain.errors import UploadProtocol
from agent.interfaces.web.scoped_route import ScopedRoute
from agent.server.uploads.partial_files import Checksum
from agent.server.uploads.records import Received

VERSION: Final = "1.0.0"
EXTENSIONS: Final = "creation,expiration,termination,checksum"
ALGORITHMS: Final = "sha1,sha256"
PART_TYPE: Final = "application/offset+octet-stream"
_LONGEST: Final = 8_192
_SHA256: Final = re.compile("[0-9a-f]{64}")


class TusRoute(ScopedRoute):
    """Adds the version to each answer, also to errors."""

    async def handle(self, scope: AsgiScope, receive: Receive, send: Send) -> None:
        async def versioned(message: Message) -> None:
            if message["type"] == "http.response.start":
                version = [(b"tus-resumable", VERSION.encode()), (b"tus-version", VERSION.encode())]
                message = {**message, "headers": [*message["headers"], *version]}
            await send(message)

        await super().handle(scope, receive, versioned)


@contextmanager
def routes_of_tus(api: FastAPI) -> Iterator[None]:
    """Routes that are added inside are `TusRoute`s."""
    usual, api.router.route_class = api.router.route_class, TusRoute
    try:
        yield
    finally:
        api.router.route_class = usual


def check_version(request: Request) -> None:
    """Raises UploadProtocol for another version."""
    if request.headers.get("tus-resumable") != VERSION:
        raise UploadProtocol(header="Tus-Resumable")


def number_of(request: Request, header: str) -> int:
    """Return the number in a header. Raises UploadProtocol."""
    said = request.headers.get(header, "")
    if not (said.isascii() and said.isdigit() and len(said) <= 18):
        raise UploadProtocol(header=header)
    return int(said)


def metadata_of(request: Request) -> Mapping[str, str]:
    """Return the header Upload-Metadata: names, and values that come in Base64. Raises UploadProtocol."""
    said = request.headers.get("upload-metadata", "")
    if len(said) > _LONGEST:
        raise UploadProtocol(header="Upload-Metadata")
    try:
        pairs = (pair.strip().partition(" ") for pair in said.split(",") if pair.strip())
        return {name: base64.b64decode(value, validate=True).decode() for name, _, value in pairs}
    except (binascii.Error, UnicodeDecodeError):
        raise UploadProtocol(header="Upload-Metadata") from None


def modified_of(metadata: Mapping[str, str]) -> int | None:
    """Return when the file was last changed, in nanoseconds since 1970; None if it isn't said, or nonsense."""
    said = metadata.get("modified", "")  # milliseconds, as browsers say it
    found = int(said) * 1_000_000 if said.isascii() and said.isdigit() and len(said) <= 13 else None
    return found if found is not None and found < 2**63 else None  # what files and the database hold


def library_of(metadata: Mapping[str, str]) -> int | None:
    """Return which library is meant, of several. Raises UploadProtocol."""
    if (said := metadata.get("library")) is None:
        return None
    if not (said.isascii() and said.isdigit() and len(said) <= 9):
        raise UploadProtocol(header="Upload-Metadata")
    return int(said)


def sha256_of(metadata: Mapping[str, str]) -> str | None:
    """Return the SHA-256 of the whole file, if it is said. Raises UploadProtocol."""
    said = metadata.get("sha256")
    if said is not None and not _SHA256.fullmatch(said):
        raise UploadProtocol(header="Upload-Metadata")
    return said


def checksum_of(request: Request) -> Checksum | None:
    """Return the part's checksum, if it has one. Raises UploadProtocol for an unknown algorithm."""
    said = request.headers.get("upload-checksum")
    if said is None:
        return None
    algorithm, _, digest = said.partition(" ")
    try:
        if algorithm not in ALGORITHMS.split(","):
            raise UploadProtocol(header="Upload-Checksum")
        return Checksum(algorithm, base64.b64decode(digest, validate=True))
    except binascii.Error:
        raise UploadProtocol(header="Upload-Checksum") from None


def headers_of(received: Received) -> dict[str, str]:
    """How far an upload is, and what became of it: `Upload-Outcome` is ours."""
    upload = received.upload
    said = {"upload-offset": str(received.offset), "upload-length": str(upload.size), "cache-control": "no-store"}
    if upload.outcome is not None:
        return said | {"upload-outcome": upload.outcome.value}
    return said | {"upload-expires": expiry(received.expires_at)}


def expiry(at: datetime) -> str:
    return format_datetime(at.astimezone(UTC), usegmt=True)

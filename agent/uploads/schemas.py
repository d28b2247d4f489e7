"""The API schemas of uploads."""

from collections.abc import Iterable
from datetime import datetime
from typing import Self

from agent.uploads.records import Limits, Received
from agent.web.base_schema import Schema


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
        return cls.from_record(upload, offset=received.offset, modified_ms=modified)


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

"""The API schemas of manual scans; `scan --json` prints the same."""

import struct
from dataclasses import asdict
from typing import TYPE_CHECKING, Annotated, Self

from pydantic import Field

from agent.domain.errors import AgentError
from agent.domain.face import Face
from agent.domain.path_text import printable, uri_of_odd
from agent.infrastructure.core.i18n import Texts
from agent.interfaces.web.schema_base import Schema
from agent.interfaces.web.schemas import FilePath, Problem

if TYPE_CHECKING:
    from agent.features.library import scan


class ScanRequest(Schema):
    paths: Annotated[tuple[FilePath, ...], Field(min_length=1, max_length=10_000)]
    embeddings: bool = False
    exclude: Annotated[tuple[Annotated[str, Field(min_length=1, max_length=200)], ...], Field(max_length=100)] = ()
    """files and folders below `paths` that match one of these patterns are left out"""


class ScannedFace(Schema):
    """A face as `scan --json` prints it."""

    box: tuple[float, float, float, float]
    score: float
    landmarks: tuple[tuple[float, float], ...]
    quality: dict[str, float]
    embedding: tuple[float, ...] | None = None

    @classmethod
    def of(cls, face: Face) -> Self:
        box = face.box
        return cls(
            box=(box.x, box.y, box.w, box.h),
            score=face.score,
            landmarks=face.landmarks,
            quality=asdict(face.quality),
            embedding=_floats(face.embedding) if face.embedding else None,
        )


class ScannedError(Schema):
    code: str
    message: str
    """cause and remedy"""

    @classmethod
    def of(cls, error: AgentError, texts: Texts) -> Self:
        return cls(code=error.code, message=texts("ui.sentences", cause=texts.cause(error), remedy=texts.remedy(error)))


class Scanned(Schema):
    """A file as `scan --json` prints it."""

    path: str
    uri: str | None = None
    """file:// address of a path that is not UTF-8, whose `path` has question marks; null for others"""
    sha256: str | None
    width: int | None
    height: int | None
    faces: tuple[ScannedFace, ...]
    error: ScannedError | None
    ms: dict[str, float] | None

    @classmethod
    def of(cls, scanned: "scan.ScanOutcome", texts: Texts) -> Self:
        return cls(
            path=printable(scanned.path),
            uri=uri_of_odd(scanned.path),
            sha256=scanned.sha256,
            width=scanned.width,
            height=scanned.height,
            faces=tuple(map(ScannedFace.of, scanned.faces)),
            error=ScannedError.of(scanned.error, texts) if scanned.error else None,
            ms=asdict(scanned.ms) if scanned.ms else None,
        )


class ScanLine(Schema):
    """One line of a scan's answer: the number of files, a file's result, or the error that ended the scan."""

    total: int | None = None
    image: Scanned | None = None
    stopped: Problem | None = None


def _floats(packed: bytes) -> tuple[float, ...]:
    """Return little-endian float32 values as numbers."""
    return struct.unpack(f"<{len(packed) // 4}f", packed)

"""What crosses the API when files are scanned by hand; `scan --json` prints the same."""

from typing import Annotated

from pydantic import Field

from agent.web.schemas import FilePath, Problem, Schema


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


class ScannedError(Schema):
    code: str
    message: str
    """cause and remedy"""


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


class ScanLine(Schema):
    """One line of a scan's answer: how many files there are, or what came of one, or what ended the scan."""

    total: int | None = None
    image: Scanned | None = None
    stopped: Problem | None = None

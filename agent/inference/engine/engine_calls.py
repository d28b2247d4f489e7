"""The calls of the engine, and the validation of its responses."""

import math
import re
from collections.abc import Sequence
from dataclasses import dataclass

from agent.domain.face import Analysis, Box, Face
from agent.inference.engine.analyser import Analyse
from agent.inference.engine.devices import Device, Trial
from agent.inference.engine.renderer import KeptRegion, Render, Rendered
from agent.inference.engine.rpc import DONE, Call, Codec
from agent.inference.engine.sandbox.report import OPEN, Sandbox
from agent.infrastructure.core.settings import EngineSettings

COPY_FORMATS = frozenset({"jpeg", "png", "webp", "tiff", "bmp", "gif", "avif"})
# Bytes: all kept regions of one picture are returned in one line.
LARGEST_REGIONS = 40_000_000
# The longest time to import the libraries from a cold, slow disk with a virus scanner.
START_LIMIT_S = 60.0
_MOST_KINDS = 30
_MOST_FACES = 100_000
_KIND = re.compile(r"[a-z][a-z-]{0,30}")
_PNG = b"\x89PNG\r\n\x1a\n"
_SHA256 = re.compile(r"[0-9a-f]{64}")


@dataclass(frozen=True, slots=True)
class ModelFile:
    """A model the engine may load."""

    name: str  # in the manifest
    path: str
    sha256: str


@dataclass(frozen=True, slots=True)
class EngineConfig:
    """The configuration of an engine; it reads no settings of its own."""

    models: dict[str, ModelFile]  # by recipe name
    converted: str  # folder with the models in OpenVINO's own format; "": none, each engine converts them for itself
    cache: str  # folder with OpenVINO's compiled kernels; "": none
    device: str = "CPU"
    precision: str = "auto"
    threads: int = 1
    max_megapixels: int = 200
    max_megabytes: int = 500
    scratch: str = ""  # folder that the engine may write to; "": none
    mapped: bool = True  # large photos are mapped, not read into memory

    @classmethod
    def of(cls, settings: EngineSettings, models: dict[str, ModelFile], converted: str, cache: str, threads: int) -> "EngineConfig":
        """Return the configuration for the settings."""
        return cls(
            models=models,
            converted=converted,
            cache=cache,
            device=settings.device,
            precision=settings.precision.value,
            threads=threads,
            max_megapixels=settings.max_megapixels,
            max_megabytes=settings.max_megabytes,
        )


@dataclass(frozen=True, slots=True)
class Hello:
    """The engine's first response."""

    device: str
    precision: str  # of inference: "f32", "bf16", "f16", "int8", "int8_bf16"
    pid: int
    wall: Sandbox = OPEN  # what the sandbox enforces


@dataclass(frozen=True, slots=True)
class PreviewRequest:
    path: str
    side: int
    hidden: tuple[Box, ...] = ()  # covered; in fractions of the image


@dataclass(frozen=True, slots=True)
class RestoreTask:
    path: str
    regions: tuple[KeptRegion, ...]
    output: str


def is_analysis(analysis: Analysis, task: Analyse) -> bool:
    """Return whether it can be the response to `task`."""
    recognises = task.recipe.embedder is not None
    return (
        is_sha256(analysis.sha256)
        and min(analysis.size, analysis.width, analysis.height, analysis.frames) > 0
        and analysis.recipe == task.recipe
        and (analysis.taken_at is None or analysis.taken_at.tzinfo is None)
        and are_faces(analysis.faces)
        and all(recognises or (face.embedding is None and face.chip is None) for face in analysis.faces)
        and all(face.embedding is None or len(face.embedding) % 4 == 0 for face in analysis.faces)
        and (analysis.thumbnail is None or (task.thumbnail is not None and is_jpeg(analysis.thumbnail, task)))
    )


def are_faces(faces: Sequence[Face]) -> bool:
    """Return whether they can be the faces of one picture."""
    return len(faces) <= _MOST_FACES and all(
        min(face.box.w, face.box.h) > 0 and math.isfinite(face.box.area) and 0 <= face.score <= 1 for face in faces
    )


def is_jpeg(picture: bytes, _: object) -> bool:
    """Check the format, because a browser will receive it."""
    return picture.startswith(b"\xff\xd8\xff") and picture.endswith(b"\xff\xd9")


def is_rendered(rendered: Rendered, task: Render) -> bool:
    """Return whether it can be the response to `task`."""
    return (
        is_sha256(rendered.sha256)
        and is_sha256(rendered.copy_sha256)
        and min(rendered.width, rendered.height, rendered.copy_size) > 0
        and rendered.format in COPY_FORMATS
        and rendered.format == (task.format or rendered.format)
        and are_kinds(rendered.removed)
        and len(rendered.regions) <= (len(task.covers) if task.keep_regions else 0)
        and sum(len(region.png) for region in rendered.regions) <= LARGEST_REGIONS
        and all(0 <= region.x < rendered.width and 0 <= region.y < rendered.height for region in rendered.regions)
        and all(region.png.startswith(_PNG) for region in rendered.regions)
    )


def are_kinds(kinds: Sequence[str]) -> bool:
    """Return whether they can be kinds of removed content."""
    return len(kinds) <= _MOST_KINDS and all(_KIND.fullmatch(kind) for kind in kinds)


def is_sha256(digest: str) -> bool:
    return _SHA256.fullmatch(digest) is not None


_CONFIG = Codec(EngineConfig)
HELLO = Call("hello", _CONFIG, Codec(Hello), limit=START_LIMIT_S)
# Each of these replaces `hello`, in a process that does nothing else.
ACCELERATORS = Call("accelerators", _CONFIG, Codec(tuple[Device, ...]))
SELF_TEST = Call("self_test", _CONFIG, Codec(Trial))
PREPARE = Call("prepare", _CONFIG, DONE)  # converts and compiles the models into the folders of the config

ANALYSE = Call("analyse", Codec(Analyse, "path"), Codec(Analysis), is_analysis, files=1)
PREVIEW = Call("preview", Codec(PreviewRequest, "path"), Codec(bytes), is_jpeg, files=1, urgent=True)
RENDER = Call("render", Codec(Render, "path", "output"), Codec(Rendered), is_rendered, files=2)
RESTORE = Call("restore", Codec(RestoreTask, "path", "output"), DONE, files=2, urgent=True)

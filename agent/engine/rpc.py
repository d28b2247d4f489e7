"""What the agent and its engine say to each other: JSON lines, checked strictly on the agent's side before they are believed."""

import json
import math
import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any, Generic, TypeVar
from urllib.parse import quote, unquote

from pydantic import ConfigDict, TypeAdapter

from agent.core.child import Message
from agent.core.settings import Engine
from agent.domain.errors import (
    AgentError,
    CaptureError,
    EngineBadAnswer,
    EngineError,
    ImageError,
    ModelError,
    RedactionError,
    Unexpected,
    from_code,
)
from agent.domain.face import Analysis, Face
from agent.domain.people import Candidate
from agent.engine.analyser import Analyse
from agent.engine.devices import Device, Trial
from agent.engine.renderer import Region, Render, Rendered
from agent.engine.sandbox.wall import OPEN, Wall

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class ModelFile:
    """A model the engine may load."""

    name: str  # in the manifest
    path: str
    sha256: str


@dataclass(frozen=True, slots=True)
class EngineConfig:
    """All that an engine is told when it starts; it reads no settings of its own."""

    models: dict[str, ModelFile]  # by recipe name, for example "centerface-2"
    converted: str  # folder with the models in OpenVINO's own format; "": none, each engine brings them into it for itself
    cache: str  # folder with OpenVINO's compiled kernels; "": none
    device: str = "CPU"
    precision: str = "auto"
    threads: int = 1
    max_megapixels: int = 200
    max_megabytes: int = 500
    scratch: str = ""  # folder that the engine may write to; "": none

    @classmethod
    def of(cls, settings: Engine, models: dict[str, ModelFile], converted: str, cache: str, threads: int) -> "EngineConfig":
        """As the settings want it."""
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
    """The engine's first answer."""

    device: str
    precision: str  # what inference runs in: "f32", "bf16", "f16"
    pid: int
    wall: Wall = OPEN  # what holds it


@dataclass(frozen=True, slots=True)
class PreviewRequest:
    path: str
    side: int


@dataclass(frozen=True, slots=True)
class RestoreRequest:
    path: str
    regions: tuple[Region, ...]
    output: str


F = TypeVar("F", bound=Analyse | PreviewRequest | Render | RestoreRequest)


class Codec(Generic[T]):
    """Turns one type into JSON values and back. Unknown fields, wrong types and numbers that are not finite are refused."""

    def __init__(self, adapter: TypeAdapter[tuple[T]]) -> None:
        self._adapter = adapter

    def dump(self, value: T) -> object:
        return self._adapter.dump_python((value,), mode="json")[0]

    def load(self, raw: object) -> T:
        """Raises ValueError."""
        # As text, because only JSON mode is strict and yet takes a list for a tuple and base64 for bytes.
        return self._adapter.validate_json(json.dumps([raw]))[0]


class FileCodec(Codec[F]):
    """For what names files. A path may hold bytes that are no text, for which strict JSON has no word: plain characters are sent."""

    def __init__(self, adapter: TypeAdapter[tuple[F]], *names: str) -> None:
        """`names` are the fields with a path."""
        super().__init__(adapter)
        self._names = names

    def dump(self, value: F) -> object:
        return super().dump(self._changed(value, lambda path: quote(path, errors="surrogatepass")))

    def load(self, raw: object) -> F:
        return self._changed(super().load(raw), lambda path: unquote(path, errors="surrogatepass"))

    def _changed(self, value: F, change: Callable[[str], str]) -> F:
        paths: dict[str, Any] = {name: change(getattr(value, name)) for name in self._names}
        return replace(value, **paths)


# Pydantic takes settings for plain dataclasses only through something that holds them: a tuple of one.
STRICT = ConfigDict(strict=True, extra="forbid", allow_inf_nan=False, ser_json_bytes="base64", val_json_bytes="base64", defer_build=True)
CONFIG = Codec[EngineConfig](TypeAdapter(tuple[EngineConfig], config=STRICT))
DEVICES = Codec[tuple[Device, ...]](TypeAdapter(tuple[tuple[Device, ...]], config=STRICT))
TRIAL = Codec[Trial](TypeAdapter(tuple[Trial], config=STRICT))
HELLO = Codec[Hello](TypeAdapter(tuple[Hello], config=STRICT))
ANALYSE = FileCodec[Analyse](TypeAdapter(tuple[Analyse], config=STRICT), "path")
ANALYSIS = Codec[Analysis](TypeAdapter(tuple[Analysis], config=STRICT))
PREVIEW = FileCodec[PreviewRequest](TypeAdapter(tuple[PreviewRequest], config=STRICT), "path")
RENDER = FileCodec[Render](TypeAdapter(tuple[Render], config=STRICT), "path", "output")
RENDERED = Codec[Rendered](TypeAdapter(tuple[Rendered], config=STRICT))
RESTORE = FileCodec[RestoreRequest](TypeAdapter(tuple[RestoreRequest], config=STRICT), "path", "output")
PICTURE = Codec[bytes](TypeAdapter(tuple[bytes], config=STRICT))
MATCHES = Codec[list[list[Candidate]]](TypeAdapter(tuple[list[list[Candidate]]], config=STRICT))
DONE = Codec[bool](TypeAdapter(tuple[bool], config=STRICT))
_PARAMS = Codec[dict[str, str | int | float]](TypeAdapter(tuple[dict[str, str | int | float]], config=STRICT))

COPY_FORMATS = frozenset({"jpeg", "png", "webp", "tiff", "bmp", "gif", "avif"})
# Bytes: all that is kept of one picture goes back in one line.
LARGEST_REGIONS = 40_000_000
_MOST_KINDS = 30
_MOST_FACES = 100_000
_KIND = re.compile(r"[a-z][a-z-]{0,30}")
_PNG = b"\x89PNG\r\n\x1a\n"
_SHA256 = re.compile(r"[0-9a-f]{64}")
_CODE = re.compile(r"[a-z_]+\.[a-z_]+")
# What can go wrong in an engine. An error of another kind would speak of the library, the settings or the desktop, and be told as theirs.
_ITS_OWN = (EngineError, ModelError, ImageError, RedactionError, CaptureError, Unexpected)
# Facts are numbers, formats and a model's name; what a job failed with is stored, and shown in a list.
_MOST_FACTS, _LONGEST_FACT = 10, 200


def request(number: int, operation: str, body: object, files: Sequence[int] = ()) -> Message:
    """`files` says which of the files handed over it speaks of, in the operation's order."""
    return {"id": number, "op": operation, "body": body, **({"files": list(files)} if files else {})}


def answer(number: object, body: object) -> Message:
    return {"id": number, "body": body}


def failure(number: object, error: AgentError) -> Message:
    return {"id": number, "error": {"code": error.code, "params": error.params}}


def believe(message: Message, number: int, codec: Codec[T]) -> T:
    """The answer to request `number`. Raises the error the engine named, or EngineBadAnswer for whatever is not an answer."""
    try:
        if message.get("id") != number:
            raise EngineBadAnswer
        if "error" in message:
            raise _named(message["error"])
        return codec.load(message["body"])
    except (KeyError, ValueError, TypeError, RecursionError) as error:
        raise EngineBadAnswer from error


def check_analysis(analysis: Analysis, task: Analyse) -> Analysis:
    """The analysis if it can be the answer to `task`. Raises EngineBadAnswer."""
    recognises = task.recipe.embedder is not None
    sound = (
        _SHA256.fullmatch(analysis.sha256) is not None
        and min(analysis.size, analysis.width, analysis.height, analysis.frames) > 0
        and analysis.recipe == task.recipe
        and (analysis.taken_at is None or analysis.taken_at.tzinfo is None)
        and (task.thumbnail is not None or analysis.thumbnail is None)
        and are_faces(analysis.faces)
        and all(recognises or (face.embedding is None and face.chip is None) for face in analysis.faces)
        and all(face.embedding is None or len(face.embedding) % 4 == 0 for face in analysis.faces)
    )
    if not sound:
        raise EngineBadAnswer
    if analysis.thumbnail is not None:
        check_preview(analysis.thumbnail)
    return analysis


def are_faces(faces: Sequence[Face]) -> bool:
    """Whether they can be those of one picture."""
    return len(faces) <= _MOST_FACES and all(
        min(face.box.w, face.box.h) > 0 and math.isfinite(face.box.area) and 0 <= face.score <= 1 for face in faces
    )


def check_rendered(rendered: Rendered, task: Render) -> Rendered:
    """What was made, if it can be the answer to `task`. Raises EngineBadAnswer."""
    sound = (
        all(_SHA256.fullmatch(each) for each in (rendered.sha256, rendered.copy_sha256))
        and min(rendered.width, rendered.height, rendered.copy_size) > 0
        and rendered.format in COPY_FORMATS
        and rendered.format == (task.format or rendered.format)
        and len(rendered.removed) <= _MOST_KINDS
        and all(_KIND.fullmatch(kind) for kind in rendered.removed)
        and len(rendered.regions) <= (len(task.covers) if task.keep_regions else 0)
        and sum(len(region.png) for region in rendered.regions) <= LARGEST_REGIONS
        and all(0 <= region.x < rendered.width and 0 <= region.y < rendered.height for region in rendered.regions)
        and all(region.png.startswith(_PNG) for region in rendered.regions)
    )
    if not sound:
        raise EngineBadAnswer
    return rendered


def check_preview(picture: bytes) -> bytes:
    """The picture if it is a JPEG, for it is handed on to a browser. Raises EngineBadAnswer."""
    if not (picture.startswith(b"\xff\xd8\xff") and picture.endswith(b"\xff\xd9")):
        raise EngineBadAnswer
    return picture


def _named(raw: object) -> AgentError:
    if not isinstance(raw, Mapping) or not isinstance(raw.get("code"), str) or not _CODE.fullmatch(raw["code"]):
        return EngineBadAnswer()
    error = from_code(raw["code"], _PARAMS.load(raw.get("params")))
    short = all(len(str(each)) <= _LONGEST_FACT for fact in error.params.items() for each in fact)
    return error if isinstance(error, _ITS_OWN) and short and len(error.params) <= _MOST_FACTS else EngineBadAnswer()

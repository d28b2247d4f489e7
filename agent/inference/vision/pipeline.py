"""The path from a file's bytes to its analysis: decode, detect, and, only while recognition is on, align and embed."""

import hashlib
import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, fields, replace
from typing import Any, Final, Protocol, TypeVar

import numpy as np
from numpy.typing import NDArray

from agent.domain.face import Analysis, Face, Quality, StageTimes
from agent.domain.image import Recipe
from agent.inference.vision.aligner import EYE_DISTANCE, face_of
from agent.inference.vision.animations.animation_reading import frames_in
from agent.inference.vision.codecs import DecodeLimits, Image, Pixels, decode, encode_jpeg, encode_small
from agent.inference.vision.codecs.file_bytes import FileBytes
from agent.inference.vision.detection import Detection
from agent.inference.vision.detector import Decoder, DetectorNet
from agent.inference.vision.embedder import to_bytes
from agent.inference.vision.flatten_alpha import opaque_image
from agent.inference.vision.occlusion import covered
from agent.inference.vision.quality import quality

CHIP_QUALITY = 92
M = TypeVar("M", covariant=True)


@dataclass(frozen=True, slots=True)
class Pipeline:
    """The stages, ready to run. Without an embedder the aligner is never called."""

    recipe: Recipe
    precision: str
    detector: Callable[[Decoder, float], list[Detection]]
    aligner: Callable[[Image, Detection], tuple[Pixels, Detection]]  # may correct the landmarks
    embedder: Callable[[NDArray[np.uint8]], NDArray[np.float32]] | None = None
    others: Mapping[str, Any] = field(default_factory=dict)  # the loaded model of each other stage that the recipe names


@dataclass(frozen=True, slots=True)
class Wanted:
    """The requested results."""

    min_score: float = 0.5
    min_face: float = 20.0  # longer side of the box, pixels of the full image
    keep_chips: bool = True
    thumbnail: int | None = None  # longer side of the thumbnail, if wanted
    count_frames: bool = False  # report the number of frames or pages


class FileDecoder:
    """Decodes one file as finely as its stages need, keeps the finest result, and adds up the seconds."""

    def __init__(self, data: FileBytes, limits: DecodeLimits, clock: Callable[[], float]) -> None:
        self._data, self._limits, self._clock = data, limits, clock
        self._image: Image | None = None
        self.seconds = 0.0

    def __call__(self, side: int) -> Image:
        """Return the image with a longer side of at least `side` pixels, if the file has them. Raises ImageError."""
        if self._image is None or (self._image.reduced and max(self._image.pixels.shape) < side):
            begun = self._clock()
            self._image = None  # release the coarser one before allocating the finer
            self._image = decode(self._data, self._limits, side)
            self.seconds += self._clock() - begun
        return self._image

    def without_alpha(self) -> Image | None:
        """Return its colours without transparency, if that may hide a face. Raises ImageError."""
        begun = self._clock()
        image = opaque_image(self._data, self._limits)
        self.seconds += self._clock() - begun
        return image


@dataclass(frozen=True, slots=True)
class Held:
    """A decoded picture, in place of a decoder."""

    image: Image
    seconds: float = 0.0

    def __call__(self, side: int) -> Image:
        return self.image


@dataclass(frozen=True, slots=True)
class StageRun:
    """One image on its way through the stages."""

    decoder: "FileDecoder | Held"
    pipeline: Pipeline
    wanted: Wanted
    results: dict[str, Any] = field(default_factory=dict)  # by the stage's name


class NetModel(Protocol[M]):
    """Makes a model of its net: a class, or a function with these attributes."""

    @property
    def outputs(self) -> tuple[str, ...]: ...

    @property
    def blue_first(self) -> bool: ...

    @property
    def sizes(self) -> Sequence[tuple[int, int]]: ...

    def __call__(self, net: DetectorNet, /) -> M: ...


@dataclass(frozen=True, slots=True)
class Stage:
    """One step of the analysis. It is skipped if the recipe names no model for it, or a stage it needs was skipped."""

    name: str  # in recipes, results and times
    run: Callable[[StageRun], Any]
    needs: tuple[str, ...] = ()  # earlier stages whose results it reads
    models: Mapping[str, NetModel[Any]] = field(default_factory=dict)  # that it can use, by recipe name; faces have theirs in the pipeline


def _detect(run: StageRun) -> list[Detection]:
    found = run.pipeline.detector(run.decoder, run.wanted.min_score)
    return [face for face in found if max(face.box.w, face.box.h) >= run.wanted.min_face]


def _align(run: StageRun) -> tuple[list[Detection], list[Pixels], list[Quality]]:
    """The faces, their chips, none without an embedder, and their quality; whether one is covered shows only on a chip."""
    faces: list[Detection] = run.results["detect"]
    chips: list[Pixels] = []
    if run.pipeline.embedder is not None:
        image = run.decoder(_side_for_chips(run.decoder(1), faces))
        aligned = [run.pipeline.aligner(image, face) for face in faces]
        faces, chips = [face for _, face in aligned], [image.shown(chip) for chip, _ in aligned]
    image = run.decoder(1)  # the finest so far
    qualities = [quality(image, face) for face in faces]
    for number, chip in enumerate(chips):
        qualities[number] = replace(qualities[number], covered=covered(face_of(chip)))
    return faces, chips, qualities


def _embed(run: StageRun) -> tuple[Face, ...]:
    """The faces, with embeddings if there is an embedder."""
    faces: list[Detection]
    faces, chips, qualities = run.results["align"]
    embedder = run.pipeline.embedder
    embeddings = embedder(np.stack([face_of(chip) for chip in chips])) if embedder is not None and chips else None
    return tuple(
        Face(
            face.box,
            face.score,
            face.landmarks,
            qualities[i],
            embedding=None if embeddings is None else to_bytes(embeddings[i]),
            chip=encode_jpeg(chips[i], CHIP_QUALITY) if chips and run.wanted.keep_chips else None,
        )
        for i, face in enumerate(faces)
    )


# In the order in which they run. A model's version is a part of its recipe name.
STAGES: Final = (
    Stage("detect", _detect),
    Stage("align", _align, needs=("detect",)),
    Stage("embed", _embed, needs=("detect", "align")),
)
MODELS: Final[dict[str, NetModel[Any]]] = {name: kind for stage in STAGES for name, kind in stage.models.items()}


def analyse(data: FileBytes, pipeline: Pipeline, wanted: Wanted, limits: DecodeLimits, clock: Callable[[], float]) -> Analysis:
    """Return the analysis of one image. `clock` gives seconds. Raises ImageError."""
    begun = clock()
    decoder = FileDecoder(data, limits, clock)
    results, seconds = _results(StageRun(decoder, pipeline, wanted), begun, clock)
    times = {name: _ms(each) for name, each in {"decode": decoder.seconds, **seconds}.items()}
    image = decoder(1)
    return Analysis(
        sha256=hashlib.sha256(data).hexdigest(),
        size=len(data),
        width=image.width,
        height=image.height,
        format=image.format,
        recipe=pipeline.recipe,
        precision=pipeline.precision,
        faces=results["embed"],
        ms=StageTimes(**{each.name: times[each.name] for each in fields(StageTimes)}),
        taken_at=image.taken_at,
        frames=frames_in(data, limits) if wanted.count_frames else 1,
        thumbnail=None if wanted.thumbnail is None else encode_small(decoder(wanted.thumbnail), wanted.thumbnail),
    )


def faces_on(image: Image, pipeline: Pipeline, wanted: Wanted, clock: Callable[[], float]) -> tuple[Face, ...]:
    """Return the faces of a decoded picture."""
    faces: tuple[Face, ...] = _results(StageRun(Held(image), pipeline, wanted), clock(), clock)[0]["embed"]
    return faces


def _results(run: StageRun, begun: float, clock: Callable[[], float]) -> tuple[dict[str, Any], dict[str, float]]:
    """Return the result of each stage, and the seconds it took without decoding."""
    seconds: dict[str, float] = {}
    for stage in STAGES:
        if all(need in run.results for need in stage.needs) and (not stage.models or stage.name in run.pipeline.others):
            decoding = run.decoder.seconds
            run.results[stage.name] = stage.run(run)
            ended = clock()
            seconds[stage.name] = ended - begun - (run.decoder.seconds - decoding)
            begun = ended
    return run.results, seconds


def _side_for_chips(image: Image, faces: Sequence[Detection]) -> int:
    """Return the longer side of the decoded image that avoids enlarging any face for its chip."""
    smallest = min((math.dist(face.landmarks[0], face.landmarks[1]) for face in faces), default=math.inf)
    return math.ceil(max(image.width, image.height) * min(1.0, EYE_DISTANCE / max(smallest, 1.0)))


def _ms(seconds: float) -> float:
    return round(1000 * seconds, 2)

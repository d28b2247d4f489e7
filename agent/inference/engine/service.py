"""The engine's operations, independent of its process: reads files, runs the pipeline, matches."""

import hashlib
import os
from collections.abc import Callable, Mapping, Sequence
from contextlib import AbstractContextManager
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import Any, Protocol, TypeVar

from agent.domain.errors import ModelMissing
from agent.domain.face import Analysis, Box, Face
from agent.domain.image import NO_FACES, Recipe
from agent.inference.engine.analyser import Analyse
from agent.inference.engine.devices import unquantised
from agent.inference.engine.engine_calls import EngineConfig, ModelFile
from agent.inference.engine.fd_passing import write_out
from agent.inference.engine.inference_session import Size
from agent.inference.engine.renderer import KeptRegion, Render, Rendered
from agent.inference.engine.runtime import Runtime, model_for
from agent.inference.engine.stable_read import check_same, steady
from agent.inference.vision import embedder, redacted
from agent.inference.vision.aligner import align
from agent.inference.vision.codecs import DecodeLimits, Image, Pixels, encode_preview
from agent.inference.vision.codecs.decoded_image import LARGE
from agent.inference.vision.codecs.file_bytes import FileBytes
from agent.inference.vision.detection import Detection
from agent.inference.vision.detector import THOROUGH_FACE, Decoder, Detector, DetectorNet
from agent.inference.vision.detectors import DETECTORS
from agent.inference.vision.embedder import MobileFaceNet
from agent.inference.vision.flatten_alpha import joined
from agent.inference.vision.oriented_landmarks import align_again
from agent.inference.vision.pipeline import MODELS, FileDecoder, Held, NetModel, Pipeline, Wanted, analyse, faces_on
from agent.inference.vision.redacted import RenderOptions, RenderPart
from agent.infrastructure.core.photo_files import open_photo

M = TypeVar("M")


class Engine:
    """Owns the models. Not thread-safe. Models are loaded when a task first needs them."""

    def __init__(self, config: EngineConfig, clock: Callable[[], float]) -> None:
        self._config = config
        self._clock = clock
        self._runtime = _runtime(config)
        exact = unquantised(self._runtime.precision)
        # Where a missed face would be shown, nothing is quantised: quantising costs one in a hundred of the smallest faces there.
        self._exact = self._runtime if exact == self._runtime.precision else _runtime(replace(config, precision=exact), scans=False)
        self._limits = DecodeLimits(config.max_megapixels, config.max_megabytes, config.threads, self.release)
        self._detectors: dict[str, Detector] = {}
        self._exact_detectors = self._detectors if self._exact is self._runtime else {}
        self._others: dict[str, Any] = {}
        self._embedders: dict[str, MobileFaceNet] = {}

    @property
    def limits(self) -> DecodeLimits:
        return self._limits

    @property
    def device(self) -> str:
        return self._runtime.device

    @property
    def precision(self) -> str:
        return self._runtime.precision

    @property
    def threads(self) -> int:
        return self._config.threads

    @property
    def loaded(self) -> frozenset[str]:
        """Recipe names of the models in memory."""
        return frozenset({**self._detectors, **self._exact_detectors}) | frozenset(self._others) | frozenset(self._embedders)

    def load(self) -> None:
        """Load all present models. Raises ModelError or EngineStartFailed."""
        for recipe in self._config.models:
            if recipe == embedder.RECIPE:
                self.embedder(recipe)
            elif recipe in DETECTORS:
                self.detector(recipe)
                self.detector(recipe, exact=True)
            else:
                self._other(recipe)

    def prepare(self) -> None:
        """Load all present models, and put into the cache what engines compile later. Raises ModelError or EngineStartFailed."""
        self.load()
        self._runtime.prepare()

    def analyse(self, task: Analyse, descriptor: int | None = None) -> Analysis:
        """Analyse a file; `descriptor` is the open file, closed here. Raises ImageError, ModelError or EngineStartFailed."""
        with self._content(task.path, descriptor) as data:
            return self._analysed(task, self._pipeline(task), data)

    def analyse_picture(self, task: Analyse, data: bytes) -> Analysis:
        """The same for the bytes of a file that exists only in memory. Raises as `analyse`."""
        return self._analysed(task, self._pipeline(task), data)

    def quick_detect(self, recipe: Recipe, image: Image, min_score: float, min_face: float) -> tuple[Face, ...]:
        """The faces of a decoded picture, by one quick detection. Raises ModelError, EngineStartFailed."""
        pipeline = replace(self._pipeline(Analyse("", recipe)), detector=partial(self.detector(recipe.detector).once, least=min_face))
        return faces_on(image, pipeline, Wanted(min_score, min_face, keep_chips=False), self._clock)

    def _pipeline(self, task: Analyse) -> Pipeline:
        detector = None if task.recipe.detector == NO_FACES else self.detector(task.recipe.detector, exact=task.thorough)
        return Pipeline(
            recipe=task.recipe,
            precision=self._exact.precision if task.thorough else self.precision,
            detector=_no_faces if detector is None else partial(self._detect, detector, task),
            aligner=_as_found if detector is None else partial(align_again, detector.look),
            embedder=None if task.recipe.embedder is None else self.embedder(task.recipe.embedder),
            others={stage: self._other(model) for stage, model in task.recipe.others},
        )

    def _analysed(self, task: Analyse, pipeline: Pipeline, data: FileBytes) -> Analysis:
        min_face = min(task.min_face, THOROUGH_FACE) if task.thorough else task.min_face
        wanted = Wanted(task.min_score, min_face, task.keep_chips, task.thumbnail, count_frames=task.thorough)
        return analyse(data, pipeline, wanted, self._limits, self._clock)

    def preview(self, path: str, side: int, descriptor: int | None = None, *, hidden: Sequence[Box] = ()) -> bytes:
        """A JPEG preview, with `hidden` covered; `descriptor` as above. Raises ImageError."""
        with self._content(path, descriptor) as data:
            return encode_preview(data, self._limits, side, hidden)

    def render(self, task: Render, source: int, target: int) -> Rendered:
        """Both are descriptors, closed here. Raises ImageError, RedactionError; ValueError for an invalid cover."""
        with os.fdopen(target, "wb", buffering=0) as out, self.content(source) as data:
            sha256 = hashlib.sha256(data).hexdigest()
            copy = redacted.render(data, RenderOptions(task.covers, task.format, task.strip, task.keep_regions), self._limits)
            check_same(data, sha256)
            write_out(out, copy.data)
        return Rendered(
            sha256=sha256,
            width=copy.width,
            height=copy.height,
            format=copy.format,
            copy_sha256=hashlib.sha256(copy.data).hexdigest(),
            copy_size=len(copy.data),
            removed=copy.removed,
            regions=tuple(KeptRegion(part.x, part.y, part.png) for part in copy.parts),
        )

    def restore(self, regions: Sequence[KeptRegion], source: int, target: int) -> None:
        """As above. Raises ImageError, RedactionError."""
        with os.fdopen(target, "wb", buffering=0) as out, self.content(source) as data:
            write_out(out, redacted.restore(data, [RenderPart(region.x, region.y, region.png) for region in regions], self._limits))

    def content(self, descriptor: int) -> AbstractContextManager[FileBytes]:
        """The content of a file that was handed over, closed at the end. Raises ImageTooLarge, ImageUnreadable, ImageChanged."""
        return steady(descriptor, self._limits, mapped=self._config.mapped)

    def _content(self, path: str, descriptor: int | None) -> AbstractContextManager[FileBytes]:
        return self.content(open_photo(path) if descriptor is None else descriptor)

    def release(self) -> None:
        """Free memory that can be reallocated."""
        for runtime in {self._runtime, self._exact}:
            runtime.release()

    def forget(self) -> None:
        """Drop the embedders and their buffers with the last faces."""
        self._embedders.clear()

    def _detect(self, detector: Detector, task: Analyse, decoder: Decoder, min_score: float) -> list[Detection]:
        """Detect faces. Before decoding a photo more finely for small faces, the net frees its close-look buffers: not both at once.

        Reallocating for each photo would cost a twentieth of a scan's time and a sixth of a thorough scan's. So where no face is cut out,
        and in thorough scans, only large photos count.
        """
        found = (detector.thorough if task.thorough else detector)(decoder, min_score)
        if task.thorough and isinstance(decoder, FileDecoder) and (without_alpha := decoder.without_alpha()) is not None:
            found = joined(found, detector.thorough(Held(without_alpha), min_score))
        seen = decoder(0)
        finer = task.recipe.embedder is not None and not task.thorough
        if finer or seen.width * seen.height > LARGE:
            (self._exact if task.thorough else self._runtime).slim()
        return found

    def detector(self, recipe: str, *, exact: bool = False) -> Detector:
        """Return a detector; `exact`: not quantised, for when a missed face would be shown. Raises ModelError, EngineStartFailed."""
        runtime, loaded = (self._exact, self._exact_detectors) if exact else (self._runtime, self._detectors)
        if recipe not in loaded:
            loaded[recipe] = detector_of(runtime, recipe, model_for(self._config.models, recipe))
        return loaded[recipe]

    def _other(self, recipe: str) -> Any:
        if recipe not in self._others:
            self._others[recipe] = net_model(self._runtime, MODELS, recipe, model_for(self._config.models, recipe))
        return self._others[recipe]

    def embedder(self, recipe: str) -> MobileFaceNet:
        if recipe not in self._embedders:
            self._embedders[recipe] = MobileFaceNet(self._runtime.embedder(model_for(self._config.models, recipe)))
        return self._embedders[recipe]


class Nets(Protocol):
    """Creates the nets of detectors and other stages: the runtime, or the self-test's checking wrapper."""

    def detector(self, file: ModelFile, outputs: Sequence[str], *, blue_first: bool, sizes: Sequence[Size] = ()) -> DetectorNet: ...


def detector_of(nets: Nets, recipe: str, file: ModelFile) -> Detector:
    """The detector named by a recipe, from its file. Raises ModelError, EngineStartFailed."""
    kinds: Mapping[str, NetModel[Detector]] = DETECTORS
    return net_model(nets, kinds, recipe, file)


def net_model(nets: Nets, kinds: Mapping[str, NetModel[M]], recipe: str, file: ModelFile) -> M:
    """The model of one of these kinds named by a recipe, from its file. Raises ModelError, EngineStartFailed."""
    if (kind := kinds.get(recipe)) is None:
        raise ModelMissing(model=recipe)
    return kind(nets.detector(file, kind.outputs, blue_first=kind.blue_first, sizes=kind.sizes))


def _no_faces(_decoder: Decoder, _min_score: float) -> list[Detection]:
    """The detector for images that are only read."""
    return []


def _as_found(image: Image, face: Detection) -> tuple[Pixels, Detection]:
    return align(image, face.landmarks), face


def _runtime(config: EngineConfig, *, scans: bool = True) -> Runtime:
    cache = _folder(config.scratch or config.cache)
    folders = {"converted": _folder(config.converted), "cache": cache}
    return Runtime(device=config.device, precision=config.precision, threads=config.threads, scans=scans, **folders)


def _folder(name: str) -> Path | None:
    return Path(name) if name else None

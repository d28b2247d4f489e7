"""Labelled faces for recognition benchmarks: each photo's largest face through the program's own stages, in several variants.

A folder holds one folder per person. The results are cached in the user's cache, outside the checkout, because they are face prints.
"""

import asyncio
import hashlib
import tempfile
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from platformdirs import user_cache_path

from agent.app.engines import model_files
from agent.domain.face import Landmarks, Quality
from agent.domain.image import Recipe
from agent.features.models.model_store import ModelStore
from agent.inference.engine.analyser import Analyse
from agent.inference.engine.engine_calls import EngineConfig
from agent.inference.engine.runtime import Runtime
from agent.inference.engine.service import detector_of
from agent.inference.vision import embedder
from agent.inference.vision.aligner import MARGIN, align, face_of, refined
from agent.inference.vision.codecs import DecodeLimits, Image, decode
from agent.inference.vision.detectors import THOROUGH
from agent.inference.vision.embedder import EmbedderNet, Floats, normalised, prepared
from scripts.benchmarks.stage import fetched
from tests.support.inline_engine import InlineAnalyser

# Increase when the variants are computed differently.
EDITION = 2
RECIPE = Recipe(THOROUGH, embedder.RECIPE)
# What each variant adds to the previous one; `product` is what the program stores.
VARIANTS = ("plain", "landmarks", "mirror", "jitter", "product")
_SHIFTS = ((0, 0), (3, 0), (-3, 0), (0, 3), (0, -3))
_LIMITS = DecodeLimits(megapixels=50, megabytes=50)


@dataclass(frozen=True, slots=True)
class Faces:
    """One face per photo, ordered by person and file name."""

    people: NDArray[np.int64]  # [n]: which folder, counted from 0
    qualities: tuple[Quality, ...]
    vectors: dict[str, Floats]  # variant -> [n, 192], rows of length 1

    def __len__(self) -> int:
        return len(self.people)

    def of(self, people: NDArray[np.int64]) -> "Faces":
        """Return the faces of some people only."""
        return self.chosen(np.isin(self.people, people).tolist())

    def chosen(self, kept: Sequence[bool]) -> "Faces":
        """Return the faces for which it is true."""
        rows = np.nonzero(np.array(kept))[0]
        vectors = {name: each[rows] for name, each in self.vectors.items()}
        return Faces(self.people[rows], tuple(self.qualities[row] for row in rows), vectors)


def labelled(folder: Path) -> Faces:
    """Load them from the cache, unless the photos, the recipe or the variants changed. Photos without a detected face are skipped."""
    kept = user_cache_path("ai-popup-bench", appauthor=False) / f"faces-{_state(folder)}.npz"
    if not kept.is_file():
        faces = _measured(folder)
        rows = np.array([list(asdict(quality).values()) for quality in faces.qualities])
        kept.parent.mkdir(parents=True, exist_ok=True)
        np.savez(kept, people=faces.people, qualities=rows, **faces.vectors)  # type: ignore[arg-type]  # names are no options
    with np.load(kept) as said:
        qualities = tuple(Quality(*map(float, row)) for row in said["qualities"])
        return Faces(said["people"], qualities, {name: said[name] for name in VARIANTS})


def strangers(folder: Path) -> Faces:
    """Return all faces of the photos in a folder, each as one of a person of their own."""
    qualities: list[Quality] = []
    vectors: list[Floats] = []
    with config() as settings:
        analyser = InlineAnalyser(settings)
        for path in sorted(path for path in folder.iterdir() if path.suffix in (".jpg", ".png")):
            for face in asyncio.run(analyser.analyse(Analyse(str(path), RECIPE, keep_chips=False))).faces:
                assert face.embedding is not None
                qualities.append(face.quality)
                vectors.append(np.frombuffer(face.embedding, "<f4"))
    return Faces(np.arange(len(qualities)), tuple(qualities), {name: np.stack(vectors) for name in VARIANTS})


@contextmanager
def config() -> Iterator[EngineConfig]:
    """Yield an engine configuration with the samples' models, converted there; compiled kernels are discarded."""
    _, models = fetched()
    with tempfile.TemporaryDirectory(prefix="ai-popup-bench-", ignore_cleanup_errors=True) as kernels:
        yield _config(models, kernels)


def _config(models: ModelStore, kernels: str) -> EngineConfig:
    return EngineConfig(model_files(models), converted=str(models.folder / "ir"), cache=kernels)


def _state(folder: Path) -> str:
    seen = [(str(path.relative_to(folder)), path.stat().st_size) for path in _photos(folder)]
    return hashlib.sha256(repr((EDITION, RECIPE, seen)).encode()).hexdigest()[:24]


def _photos(folder: Path) -> list[Path]:
    return sorted(path for path in folder.glob("*/*") if path.is_file())


def _measured(folder: Path) -> Faces:
    paths = _photos(folder)
    names = sorted({path.parent.name for path in paths})
    with config() as settings:
        parts = _Parts(settings)
        analyser = InlineAnalyser(settings)
        people: list[int] = []
        qualities: list[Quality] = []
        rows: dict[str, list[Floats]] = {name: [] for name in VARIANTS}
        for path in paths:
            analysis = asyncio.run(analyser.analyse(Analyse(str(path), RECIPE, keep_chips=False)))
            face = max(analysis.faces, key=lambda face: face.box.area, default=None)
            if face is None or face.embedding is None:
                continue
            people.append(names.index(path.parent.name))
            qualities.append(face.quality)
            rows["product"].append(np.frombuffer(face.embedding, "<f4"))
            for name, vector in parts.variants(decode(path.read_bytes(), _LIMITS), face.landmarks).items():
                rows[name].append(vector)
    return Faces(np.array(people), tuple(qualities), {name: np.stack(each) for name, each in rows.items()})


class _Parts:
    """The program's stages one by one, to combine them in other ways."""

    def __init__(self, settings: EngineConfig) -> None:
        runtime = Runtime(device="CPU", precision="auto", threads=1, converted=Path(settings.converted), cache=Path(settings.cache))
        self._look = detector_of(runtime, THOROUGH, settings.models[THOROUGH]).look
        self._net: EmbedderNet = runtime.embedder(settings.models[embedder.RECIPE])

    def variants(self, image: Image, landmarks: Landmarks) -> dict[str, Floats]:
        plain = align(image, landmarks)
        better = align(image, refined(image, landmarks, self._look))
        shifted = [better[MARGIN + y : MARGIN + y + 112, MARGIN + x : MARGIN + x + 112] for x, y in _SHIFTS]
        return {
            "plain": self._mean([face_of(plain)]),
            "landmarks": self._mean([face_of(better)]),
            "mirror": self._mean([face_of(better), face_of(better)[:, ::-1]]),
            "jitter": self._mean([face for each in shifted for face in (each, each[:, ::-1])]),
        }

    def _mean(self, faces: list[NDArray[np.uint8]]) -> Floats:
        """Return [192]: the mean embedding of the faces, with length 1."""
        parts = [faces[start : start + embedder.BATCH] for start in range(0, len(faces), embedder.BATCH)]
        rows = normalised(np.concatenate([self._net(prepared(np.stack(part))) for part in parts]))
        return np.asarray(normalised(rows.mean(axis=0, keepdims=True))[0], np.float32)

"""Videos in which one person stays visible, with the real models: two people side by side, and two who cross."""

import math
import struct
from collections.abc import Callable, Sequence
from pathlib import Path

import av
import cv2
import numpy as np
import pytest
from av.video.stream import VideoStream
from numpy.typing import NDArray

from agent.domain.embeddings import UnsavedEmbedding
from agent.domain.face import Box
from agent.domain.identity_matching import Bounds, Candidate, Identity, identify
from agent.domain.redaction import Look, PeopleChoice
from agent.features.library.recipes import redaction_recipe
from agent.features.redaction.video.job_files import VideoJobFolder
from agent.features.redaction.video.video_redactor import Naming, VideoCopy, VideoOptions, VideoRedactor
from agent.features.redaction.video.visibility import Why
from agent.inference.engine.analyser import Analyse
from agent.inference.engine.engine_calls import EngineConfig
from agent.inference.engine.video_engine import EngineVideos
from agent.infrastructure.core.settings import RecognitionSettings
from tests.support.inline_engine import InlineAnalyser, InlineEngine

WIDTH, HEIGHT, SIDE, FRAMES = 640, 320, 90, 50
BOUNDS = Bounds(RecognitionSettings().certain, RecognitionSettings().probable)
OBAMA = 1
Place = Callable[[int], tuple[int, int]]  # frame -> the left top corner of a face


class Faces:
    """The samples' faces with what is around them, brought to one size; and whom a print looks like."""

    def __init__(self, analyser: InlineAnalyser, samples: Path) -> None:
        self._analyser, self._samples = analyser, samples
        self._obama: list[bytes] = []

    async def learn(self) -> None:
        for name in ("obama2.jpg", "obama3.jpg"):
            self._obama.append((await self._face(name))[1])

    async def head(self, name: str) -> NDArray[np.uint8]:
        """The face is the middle third of it, `SIDE` pixels high."""
        box, _ = await self._face(name)
        pixels = np.asarray(cv2.imread(str(self._samples / name)))
        side = round(box.h)
        padded = cv2.copyMakeBorder(pixels, side, side, side, side, cv2.BORDER_REPLICATE)
        left, top = round(box.x + box.w / 2 + side) - 3 * side // 2, round(box.y + box.h / 2 + side) - 3 * side // 2
        cut = padded[top : top + 3 * side, left : left + 3 * side]
        return np.asarray(cv2.resize(cut, (3 * SIDE, 3 * SIDE), interpolation=cv2.INTER_AREA), np.uint8)

    async def who(self, prints: Sequence[UnsavedEmbedding]) -> list[Identity | None]:
        return [identify([self._near(each.embedding)], each.quality, BOUNDS) for each in prints]

    def _near(self, print: bytes) -> Candidate:
        vectors = [struct.unpack("<192f", each) for each in (print, *self._obama)]
        distances = [math.dist(vectors[0], each) for each in vectors[1:]]
        return Candidate(OBAMA, min(distances), sum(each <= BOUNDS.probable for each in distances), len(distances))

    async def _face(self, name: str) -> tuple[Box, bytes]:
        (face,) = (await self._analyser.analyse(Analyse(str(self._samples / name), redaction_recipe(True), keep_chips=False))).faces
        assert face.embedding is not None
        return face.box, face.embedding


@pytest.fixture(scope="module")
def analyser(engine_config: EngineConfig) -> InlineAnalyser:
    return InlineAnalyser(engine_config)


@pytest.fixture
async def faces(analyser: InlineAnalyser, samples_folder: Path) -> Faces:
    made = Faces(analyser, samples_folder)
    await made.learn()
    return made


def clip(path: Path, *heads: tuple[NDArray[np.uint8], Place]) -> str:
    """Those behind first."""
    with av.open(str(path), "w") as container:
        stream = container.add_stream("libx264", rate=25, options={"g": "25"})
        assert isinstance(stream, VideoStream)
        stream.width, stream.height, stream.pix_fmt = WIDTH, HEIGHT, "yuv420p"
        for number in range(FRAMES):
            canvas = np.full((HEIGHT + 4 * SIDE, WIDTH + 4 * SIDE, 3), 120, np.uint8)
            for head, place in heads:
                x, y = place(number)
                inner = head[SIDE // 2 : -SIDE // 2, SIDE // 2 : -SIDE // 2]
                rows, columns = (slice(at + 3 * SIDE // 2, at + 3 * SIDE // 2 + 2 * SIDE) for at in (y, x))
                canvas[rows, columns] = inner
            frame = av.VideoFrame.from_ndarray(np.ascontiguousarray(canvas[2 * SIDE : -2 * SIDE, 2 * SIDE : -2 * SIDE]), "bgr24")
            container.mux(stream.encode(frame))
        container.mux(stream.encode(None))
    return str(path)


async def redacted(
    analyser: InlineAnalyser, faces: Faces, path: str, choice: PeopleChoice, folder: Path
) -> tuple[VideoCopy, list[NDArray[np.bool_]]]:
    """The copy, and per frame which pixels are black."""
    redactor = VideoRedactor(EngineVideos(InlineEngine(analyser.engine)), VideoJobFolder(folder / "jobs"))
    naming = Naming(choice, str(redaction_recipe(True).embedder), faces.who)
    copy = await redactor.redact(VideoOptions(path, str(folder / "copy"), Look(), naming=naming))
    with av.open(str(folder / "copy")) as container:
        return copy, [np.asarray(frame.to_ndarray(format="gray"), np.uint8) < 40 for frame in container.decode(video=0)]


def black(frames: Sequence[NDArray[np.bool_]], place: Place) -> list[float]:
    """Per frame, the share of a face that is, but for its box's edges."""
    found = []
    for number, frame in enumerate(frames):
        x, y = place(number)
        part = frame[max(0, y + 6) : y + SIDE - 6, max(0, x + 6) : max(0, x + SIDE - 6)]
        found.append(float(part.mean()) if part.size >= SIDE * 20 else 1.0)
    return found


@pytest.mark.parametrize("choice", [PeopleChoice(keep=frozenset({OBAMA})), PeopleChoice(only=frozenset({OBAMA}))])
async def test_of_two_side_by_side_the_one_who_is_meant_shows(
    analyser: InlineAnalyser, faces: Faces, tmp_path: Path, choice: PeopleChoice
) -> None:
    def left(number: int) -> tuple[int, int]:
        return 60 + number // 2, 110

    def right(number: int) -> tuple[int, int]:
        return 440 - number // 3, 110

    path = clip(tmp_path / "clip.mp4", (await faces.head("obama.jpg"), left), (await faces.head("biden.jpg"), right))
    copy, frames = await redacted(analyser, faces, path, choice, tmp_path)
    shown, hidden = (left, right) if choice.keep else (right, left)
    assert min(black(frames, hidden)) > 0.99
    assert max(black(frames, shown)) < 0.3
    assert {verdict.why for verdict in copy.verdicts} == {Why.AGREED, Why.AGAINST}


@pytest.mark.parametrize(("behind", "speed"), [("obama.jpg", 5), ("biden.jpg", 12)])
async def test_of_two_who_cross_the_one_who_is_to_be_covered_never_shows(
    analyser: InlineAnalyser, faces: Faces, tmp_path: Path, behind: str, speed: int
) -> None:
    def obama(number: int) -> tuple[int, int]:
        return 275 - speed * (number - FRAMES // 2), 105

    def biden(number: int) -> tuple[int, int]:
        return 275 + speed * (number - FRAMES // 2), 115

    heads = {"obama.jpg": (await faces.head("obama.jpg"), obama), "biden.jpg": (await faces.head("biden.jpg"), biden)}
    first = heads.pop(behind)
    path = clip(tmp_path / "clip.mp4", first, *heads.values())
    _, frames = await redacted(analyser, faces, path, PeopleChoice(keep=frozenset({OBAMA})), tmp_path)
    assert min(black(frames, biden)) > 0.99

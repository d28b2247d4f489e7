"""The covered copy of a clip, made by walled engine processes; a run that ends in the middle goes on where it was."""

import asyncio
import io
import os
import signal
import sys
from collections.abc import AsyncIterator, Callable
from pathlib import Path

import av
import cv2
import numpy as np
import PIL.Image
import PIL.ImageSequence
import pytest
import pytest_asyncio
from av.video.frame import VideoFrame
from av.video.stream import VideoStream

from agent.domain.errors import (
    CopyUnproven,
    CopyUnwritable,
    EngineKilled,
    ImageChanged,
    ImageMissing,
    ImageUnsupported,
    VideoNoPicture,
    VideoUnreadable,
)
from agent.domain.redaction import Look, Style
from agent.domain.video import PartDetections, VerifiedPart, Video, VideoPart
from agent.features.redaction.video.job_files import VideoJobFolder
from agent.features.redaction.video.video_redactor import VideoOptions, VideoProgress, VideoRedactor
from agent.inference.engine.compute_setup import ComputeSetup
from agent.inference.engine.engine_calls import EngineConfig
from agent.inference.engine.pool import EnginePool
from agent.inference.engine.video_engine import EngineAnimations, EngineVideos
from agent.inference.engine.video_ports import DrawPart, Joined, JoinVideo, ProvePart, VideoRenderer
from agent.infrastructure.core.settings import EngineSettings
from tests.support.inline_engine import InlineAnalyser, InlineEngine
from tests.support.synthetic_clips import Made, made_clip, place

LONG = Made(moments=range(0, 80 * 300, 300), size=(160, 120), options=(("g", "16"), ("preset", "ultrafast")), sound=None)
WORKER = [sys.executable, "-c", "from agent.inference.engine.engine_worker import main; raise SystemExit(main())"]

pytestmark = pytest.mark.asyncio(loop_scope="module")


@pytest_asyncio.fixture(params=["pool", "inline"], scope="module", loop_scope="module")
async def renderer(request: pytest.FixtureRequest, engine_config: EngineConfig) -> AsyncIterator[VideoRenderer]:
    if request.param == "inline":
        yield EngineVideos(InlineEngine(InlineAnalyser(engine_config).engine))
        return
    pool = _pool(engine_config)
    yield EngineVideos(pool)
    await pool.close()


def _pool(config: EngineConfig) -> EnginePool:
    return EnginePool(
        EngineSettings(workers=1), config.models, ComputeSetup(converted=Path(config.converted), cache=Path(config.cache)), command=WORKER
    )


@pytest_asyncio.fixture(params=["pool", "inline"], scope="module", loop_scope="module")
async def films(request: pytest.FixtureRequest, engine_config: EngineConfig) -> AsyncIterator[VideoRenderer]:
    if request.param == "inline":
        yield EngineAnimations(InlineEngine(InlineAnalyser(engine_config).engine))
        return
    pool = _pool(engine_config)
    yield EngineAnimations(pool)
    await pool.close()


@pytest.fixture(scope="module")
def long_clip(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Five parts."""
    return made_clip(tmp_path_factory.mktemp("clips") / "long.mp4", LONG)


def face_clip(path: Path, samples: Path, frames: int = 20) -> Path:
    """A face that goes to the right, in front of grey."""
    photo = cv2.resize(np.asarray(cv2.imread(str(samples / "biden.jpg"))), None, fx=0.25, fy=0.25, interpolation=cv2.INTER_AREA)[:400]
    with av.open(str(path), "w") as container:
        stream = container.add_stream("libx264", rate=25, options={"g": "10"})
        assert isinstance(stream, VideoStream)
        stream.width, stream.height, stream.pix_fmt = 640, 480, "yuv420p"
        for number in range(frames):
            pixels = np.full((480, 640, 3), 120, np.uint8)
            left = 10 + 8 * number
            pixels[40 : 40 + photo.shape[0], left : left + photo.shape[1]] = photo
            container.mux(stream.encode(VideoFrame.from_ndarray(pixels, "bgr24")))
        container.mux(stream.encode(None))
    return path


def blacks(path: Path) -> list[float]:
    """Per frame, how much of it is covered."""
    with av.open(str(path)) as container:
        return [float((frame.to_ndarray(format="gray") < 20).mean()) for frame in container.decode(video=0)]


class Stopping:
    """A renderer whose process is gone after so many calls, as it is when the program is killed."""

    def __init__(self, renderer: VideoRenderer, calls: int) -> None:
        self._renderer, self.left = renderer, calls
        self.looked: list[VideoPart] = []
        self.drawn: list[VideoPart] = []

    at_once = 1

    async def probe(self, path: str) -> Video:
        return await self._renderer.probe(path)

    async def look(self, path: str, part: VideoPart, tick: float, embedder: str | None = None) -> PartDetections:
        self._one()
        self.looked.append(part)
        return await self._renderer.look(path, part, tick, embedder)

    async def draw(self, task: DrawPart) -> int:
        self._one()
        self.drawn.append(task.part)
        return await self._renderer.draw(task)

    async def still(self, path: str, seconds: float, side: int) -> bytes:
        return await self._renderer.still(path, seconds, side)

    async def join(self, task: JoinVideo) -> Joined:
        self._one()
        return await self._renderer.join(task)

    async def prove(self, task: ProvePart) -> VerifiedPart:
        return await self._renderer.prove(task)

    def _one(self) -> None:
        self.left -= 1
        if self.left < 0:
            raise EngineKilled


async def test_a_face_is_covered_in_every_frame(renderer: VideoRenderer, samples_folder: Path, tmp_path: Path) -> None:
    original, told = face_clip(tmp_path / "clip.mp4", samples_folder), list[VideoProgress]()
    redactor = VideoRedactor(renderer, VideoJobFolder(tmp_path / "jobs"))
    copy = await redactor.redact(VideoOptions(str(original), str(tmp_path / "copy"), Look()), told.append)
    assert len(copy.verdicts) == 1
    assert min(blacks(tmp_path / "copy")) > max(blacks(original)) + 0.02
    assert len(blacks(tmp_path / "copy")) == 20
    assert copy.copy_size == (tmp_path / "copy").stat().st_size
    assert [each.done for each in told] == [1, 2, 3, 4]
    assert not list((tmp_path / "jobs").iterdir())


@pytest.mark.parametrize("kind", ["GIF", "WEBP", "PNG", "TIFF"])
async def test_a_face_is_covered_in_every_frame_of_a_film(films: VideoRenderer, samples_folder: Path, tmp_path: Path, kind: str) -> None:
    with PIL.Image.open(samples_folder / "biden.jpg") as opened:
        face = opened.convert("RGB").reduce(4).crop((0, 0, 250, 200))
    frames = [PIL.Image.new("RGB", (320, 240), (120, 120, 120)) for _ in range(5)]
    for number, frame in enumerate(frames):
        frame.paste(face, (10 + 15 * number, 20))
    original = tmp_path / "film"
    frames[0].save(original, kind, save_all=True, append_images=frames[1:])
    copy = await VideoRedactor(films, VideoJobFolder(tmp_path / "jobs")).redact(VideoOptions(str(original), str(tmp_path / "copy"), Look()))

    def dark(path: Path) -> list[float]:
        with PIL.Image.open(path) as opened:
            return [float((np.asarray(frame.convert("L")) < 20).mean()) for frame in PIL.ImageSequence.Iterator(opened)]

    assert len(dark(tmp_path / "copy")) == 5
    assert min(dark(tmp_path / "copy")) > max(dark(original)) + 0.02
    assert (copy.clip.format, len(copy.verdicts)) == (kind.lower(), 5 if kind == "TIFF" else 1)
    assert not list((tmp_path / "jobs").iterdir())


async def test_what_is_no_film_is_named_and_leaves_nothing(films: VideoRenderer, tmp_path: Path) -> None:
    (tmp_path / "text").write_bytes(b"no film")
    redactor = VideoRedactor(films, VideoJobFolder(tmp_path / "jobs"))
    for name, error in (("nothing", ImageMissing), ("text", ImageUnsupported)):
        with pytest.raises(error):
            await redactor.redact(VideoOptions(str(tmp_path / name), str(tmp_path / "copy"), Look()))
    assert not (tmp_path / "copy").exists()


async def test_of_a_clip_the_frame_at_a_moment_can_be_seen(renderer: VideoRenderer, tmp_path: Path) -> None:
    made = Made(moments=range(0, 50 * 24, 24), sound=None)
    path = made_clip(tmp_path / "clip.mp4", made)
    for seconds, number in ((0.0, 0), (0.9, 22), (99.0, 49), (-5.0, 0)):
        picture = np.asarray(PIL.Image.open(io.BytesIO(await renderer.still(str(path), seconds, 160))).convert("RGB"))
        assert picture.shape == (120, 160, 3)
        red = np.nonzero((picture[:, :, 0] > 150) & (picture[:, :, 1] < 90))[1]
        assert abs(2 * red.min() - place(number, made.size)[0]) <= 4


async def test_of_a_film_the_frame_of_a_moment_is_seen(films: VideoRenderer, tmp_path: Path) -> None:
    first, second = (PIL.Image.new("RGB", (60, 40), colour) for colour in ((250, 0, 0), (0, 0, 250)))
    first.save(tmp_path / "film", "WEBP", save_all=True, append_images=[second], lossless=True)
    for seconds, colour in ((0.0, 0), (-3.0, 0), (0.1, 2), (9.0, 2)):
        with PIL.Image.open(io.BytesIO(await films.still(str(tmp_path / "film"), seconds, 30))) as picture:
            assert picture.size == (30, 20)
            assert picture.getpixel((9, 9))[colour] > 200  # type: ignore[index]


@pytest.mark.parametrize("calls", [0, 1, 4, 5, 7, 10])
async def test_a_run_that_ended_goes_on_where_it_was(renderer: VideoRenderer, long_clip: Path, tmp_path: Path, calls: int) -> None:
    jobs, wish = VideoJobFolder(tmp_path / "jobs"), VideoOptions(str(long_clip), str(tmp_path / "copy"), Look())
    first = Stopping(renderer, calls)
    with pytest.raises(EngineKilled):
        await VideoRedactor(first, jobs).redact(wish)
    assert not (tmp_path / "copy").exists()
    again = Stopping(renderer, 100)
    await VideoRedactor(again, jobs).redact(wish)
    assert len(blacks(tmp_path / "copy")) == 80
    parts = (await renderer.probe(str(long_clip))).parts
    assert sorted(part.start for part in (*first.looked, *again.looked)) == [part.start for part in parts]
    assert sorted(part.start for part in (*first.drawn, *again.drawn)) == [part.start for part in parts]


async def test_another_look_begins_anew(renderer: VideoRenderer, long_clip: Path, tmp_path: Path) -> None:
    jobs = VideoJobFolder(tmp_path / "jobs")
    with pytest.raises(EngineKilled):
        await VideoRedactor(Stopping(renderer, 6), jobs).redact(VideoOptions(str(long_clip), str(tmp_path / "copy"), Look()))
    other = Stopping(renderer, 6)
    with pytest.raises(EngineKilled):
        await VideoRedactor(other, jobs).redact(VideoOptions(str(long_clip), str(tmp_path / "copy"), Look(Style.MOSAIC)))
    assert len(other.looked) == 5


async def test_a_process_that_is_killed_costs_its_part_only(engine_config: EngineConfig, long_clip: Path, tmp_path: Path) -> None:
    pool = _pool(engine_config)
    try:
        jobs, wish = VideoJobFolder(tmp_path / "jobs"), VideoOptions(str(long_clip), str(tmp_path / "copy"), Look())
        run = VideoRedactor(EngineVideos(pool), jobs)
        pid = (await pool.hello()).pid

        def kill(progress: VideoProgress) -> None:
            if progress.done == 7:
                os.kill(pid, signal.SIGKILL)

        with pytest.raises(EngineKilled):
            await run.redact(wish, kill)
        assert sorted(name.partition(".")[2] for _, _, names in os.walk(tmp_path) for name in names) == ["part"] * 2 + ["seen"] * 5
        told = list[VideoProgress]()
        await run.redact(wish, told.append)
        assert len(blacks(tmp_path / "copy")) == 80
    finally:
        await pool.close()


class Spoiling(Stopping):
    """A renderer whose finished copy is spoiled before it is checked."""

    def __init__(self, renderer: VideoRenderer, spoil: Callable[[Path], object]) -> None:
        super().__init__(renderer, 1000)
        self._spoil = spoil

    async def join(self, task: JoinVideo) -> Joined:
        joined = await super().join(task)
        self._spoil(Path(task.output))
        return joined


def cut_off(copy: Path) -> None:
    data = copy.read_bytes()
    copy.write_bytes(data[: len(data) * 2 // 3])


@pytest.mark.parametrize("spoilt", ["uncovered", "damaged", "cut off", "shortened"])
async def test_a_copy_that_is_spoilt_before_it_is_done_is_noticed(
    renderer: VideoRenderer, samples_folder: Path, tmp_path: Path, spoilt: str
) -> None:
    original = face_clip(tmp_path / "clip.mp4", samples_folder)
    short = face_clip(tmp_path / "short.mp4", samples_folder, frames=19)
    spoil: dict[str, Callable[[Path], object]] = {
        "uncovered": lambda copy: copy.write_bytes(original.read_bytes()),
        "damaged": lambda copy: copy.write_bytes(copy.read_bytes()[:40] + bytes(len(copy.read_bytes()) - 40)),
        "cut off": cut_off,
        "shortened": lambda copy: copy.write_bytes(short.read_bytes()),
    }
    redactor = VideoRedactor(Spoiling(renderer, spoil[spoilt]), VideoJobFolder(tmp_path / "jobs"))
    with pytest.raises(CopyUnproven):
        await redactor.redact(VideoOptions(str(original), str(tmp_path / "copy.mp4"), Look()))
    assert list((tmp_path / "jobs").glob("*")) == []
    assert not (tmp_path / "copy.mp4").exists()


async def test_a_clip_that_is_changed_meanwhile_has_no_copy(renderer: VideoRenderer, tmp_path: Path) -> None:
    original = made_clip(tmp_path / "clip.mp4")

    def change(progress: VideoProgress) -> None:
        if progress.done == 2 * (progress.total - 1) // 3:  # before the parts are joined, which are checked then
            made_clip(original, Made(size=(160, 120)))

    with pytest.raises(ImageChanged):
        await VideoRedactor(renderer, VideoJobFolder(tmp_path / "jobs")).redact(
            VideoOptions(str(original), str(tmp_path / "copy"), Look()), change
        )
    assert not (tmp_path / "copy").exists()


async def test_what_can_not_be_done_is_named_and_leaves_nothing(renderer: VideoRenderer, tmp_path: Path) -> None:
    redactor = VideoRedactor(renderer, VideoJobFolder(tmp_path / "jobs"))
    (tmp_path / "text").write_text("no clip")
    with av.open(str(tmp_path / "sound.wav"), "w") as container:
        stream = container.add_stream("pcm_s16le", rate=8000)
        frame = av.AudioFrame.from_ndarray(np.zeros((1, 800), np.int16), "s16", "mono")
        frame.sample_rate = 8000
        container.mux(stream.encode(frame))
    for name, error in (("nothing", ImageMissing), ("text", VideoUnreadable), ("sound.wav", VideoNoPicture)):
        with pytest.raises(error):
            await redactor.redact(VideoOptions(str(tmp_path / name), str(tmp_path / "copy"), Look()))
    original = made_clip(tmp_path / "clip.mp4")
    with pytest.raises(CopyUnwritable):
        await redactor.redact(VideoOptions(str(original), str(tmp_path / "no" / "copy"), Look()))
    assert not (tmp_path / "copy").exists()


async def test_a_run_that_is_given_up_stops(renderer: VideoRenderer, long_clip: Path, tmp_path: Path) -> None:
    begun = asyncio.Event()
    redactor = VideoRedactor(renderer, VideoJobFolder(tmp_path / "jobs"))
    task = asyncio.create_task(redactor.redact(VideoOptions(str(long_clip), str(tmp_path / "copy"), Look()), lambda _: begun.set()))
    await begun.wait()
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    assert not (tmp_path / "copy").exists()

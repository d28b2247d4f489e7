"""The engine's operations on clips: every request is bounded, and no state is kept between requests."""

import os
import shutil
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager
from functools import partial
from typing import BinaryIO

from agent.domain.errors import VideoMissing
from agent.domain.video import PartDetections, VerifiedPart, Video
from agent.inference.engine import video_calls
from agent.inference.engine.fd_passing import not_written
from agent.inference.engine.service import Engine
from agent.inference.engine.stable_read import spent
from agent.inference.engine.video_ports import Joined
from agent.inference.vision.animations import animation_frames, animation_writing
from agent.inference.vision.detectors import THOROUGH
from agent.inference.vision.frame_embeddings import prints_of


class VideoService:
    """All methods take descriptors and close them. All raise VideoMissing without the extra, in addition to their own errors."""

    def __init__(self, engine: Engine) -> None:
        self._engine = engine

    def probe(self, source: int) -> Video:
        """Raises VideoUnreadable, VideoNoPicture, ImageTooLarge."""
        with _files([source]) as (file,):
            from agent.inference.vision.video.probe import probe

            return probe(file, self._engine.limits)

    def look(self, asked: video_calls.VideoLookRequest, source: int) -> PartDetections:
        """Raises VideoUnreadable, VideoNoPicture, ModelError, EngineStartFailed."""
        with _files([source]) as (file,):
            from agent.inference.vision.video.part_detection import look_through

            with self._released():
                look = self._engine.detector(THOROUGH, exact=True).look
                prints = None if asked.embedder is None else partial(prints_of, look, self._engine.embedder(asked.embedder))
                return look_through(file, asked.part, asked.tick, look, self._engine.threads, prints)

    def still(self, asked: video_calls.Still, source: int) -> bytes:
        """Raises VideoUnreadable, VideoNoPicture."""
        with _files([source]) as (file,):
            from agent.inference.vision.video.frame_grab import still

            return still(file, asked.seconds, asked.side)

    def draw(self, asked: video_calls.Draw, source: int, target: int) -> video_calls.DrawnPart:
        """Raises RedactionError; ValueError for a cover that is none."""
        with _files([source], target) as (file, output):
            from agent.inference.vision.video.part_writer import write_part

            with self._released():
                frames = write_part(file, asked.part, asked.ways, asked.format, output, self._engine.threads)
            return video_calls.DrawnPart(frames, _finished(output))

    @contextmanager
    def _released(self) -> Iterator[None]:
        """Release the free memory of frames and nets after each part: a long clip takes no more than a short one."""
        try:
            yield
        finally:
            self._engine.release()

    def join(self, asked: video_calls.Join, source: int, made: int, target: int) -> Joined:
        """Raises RedactionError."""
        with _files([source, made], target) as (file, parts, output):
            from agent.inference.vision.video.part_joiner import join

            written = join(file, parts, asked.pieces, asked.format, output, strip=asked.strip)
            return Joined(_finished(output), written.removed, written.frames, written.last)

    def prove(self, asked: video_calls.Prove, source: int, copy: int) -> VerifiedPart:
        """Raises CopyUnproven, VideoUnreadable, VideoNoPicture."""
        with _files([source, copy]) as (file, written):
            from agent.inference.vision.video.verification import prove_part

            with self._released():
                return prove_part(file, written, asked.part, asked.ways, self._engine.threads)


@contextmanager
def _files(sources: Sequence[int], target: int | None = None) -> Iterator[list[BinaryIO]]:
    """The files behind descriptors: the ones to read, then the one to write. Maps their errors."""
    try:
        with ExitStack() as stack:
            files: list[BinaryIO] = [stack.enter_context(os.fdopen(each, "rb")) for each in sources]
            if target is not None:
                files.append(stack.enter_context(os.fdopen(target, "wb")))
            yield files
    except ImportError as error:
        raise VideoMissing from error
    except OSError as error:
        raise not_written(error) from error


def _finished(output: BinaryIO) -> int:
    """Flush the output to disk. Returns its size."""
    output.flush()
    os.fsync(output.fileno())
    return os.fstat(output.fileno()).st_size


# -- The engine's operations on animations and multi-page files --------------------------------------------------------------------
class AnimationService:
    """All take descriptors, and close them. They raise ImageError, FilmTooLong, and the errors given below."""

    def __init__(self, engine: Engine) -> None:
        self._engine = engine

    def probe(self, source: int) -> Video:
        with self._engine.content(source) as data:
            return animation_frames.probe(data, self._engine.limits)

    def look(self, asked: video_calls.VideoLookRequest, source: int) -> PartDetections:
        """Return the detections. Raises ModelError, EngineStartFailed."""
        with self._engine.content(source) as data:
            detector = self._engine.detector(THOROUGH, exact=True)
            prints = None if asked.embedder is None else partial(prints_of, detector.look, self._engine.embedder(asked.embedder))
            try:
                return animation_frames.look_through(data, self._engine.limits, detector.thorough, prints)
            finally:
                self._engine.release()

    def draw(self, asked: video_calls.Draw, source: int, target: int) -> video_calls.DrawnPart:
        """Write the covered copy. Raises RedactionError; ValueError for an invalid cover."""
        with os.fdopen(target, "wb") as output, self._engine.content(source) as data:
            try:
                frames = animation_writing.write(data, asked.ways, self._engine.limits, output, strip=asked.strip)
                output.flush()
                os.fsync(output.fileno())
            except OSError as error:
                raise not_written(error) from error
            return video_calls.DrawnPart(frames, os.fstat(output.fileno()).st_size)

    def join(self, asked: video_calls.Join, source: int, made: int, target: int) -> Joined:
        """Write the final file. Raises RedactionError."""
        with spent(made) as whole, os.fdopen(target, "wb") as output:
            with self._engine.content(source) as data:
                kinds = animation_writing.removed(data, self._engine.limits, strip=asked.strip)
            try:
                shutil.copyfileobj(whole, output)
                output.flush()
                os.fsync(output.fileno())
            except OSError as error:
                raise not_written(error) from error
            return Joined(os.fstat(output.fileno()).st_size, kinds)

    def prove(self, _asked: video_calls.Prove, source: int, copy: int) -> VerifiedPart:
        """An animation's copy was checked when it was drawn."""
        os.close(source)
        os.close(copy)
        return VerifiedPart(0, -1)

    def still(self, asked: video_calls.Still, source: int) -> bytes:
        with self._engine.content(source) as data:
            return animation_frames.still(data, self._engine.limits, asked.seconds, asked.side)

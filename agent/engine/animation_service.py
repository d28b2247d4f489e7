"""The engine's operations on animations and multi-page files."""

import os
import shutil
from functools import partial

from agent.domain.video import Clip, Seen
from agent.engine import video_calls
from agent.engine.open_files import not_written
from agent.engine.service import Engine, read_steady, spent
from agent.engine.video_ports import Joined
from agent.vision.animations import animation_frames, animation_writing
from agent.vision.detectors import THOROUGH
from agent.vision.prints import prints_of


class FilmService:
    """All take descriptors, and close them. They raise ImageError, FilmTooLong, and the errors given below."""

    def __init__(self, engine: Engine) -> None:
        self._engine = engine

    def probe(self, source: int) -> Clip:
        return animation_frames.probe(self._read(source), self._engine.limits)

    def look(self, asked: video_calls.Look, source: int) -> Seen:
        """Return the detections. Raises ModelError, EngineStartFailed."""
        data, detector = self._read(source), self._engine.detector(THOROUGH)
        prints = None if asked.embedder is None else partial(prints_of, detector.look, self._engine.embedder(asked.embedder))
        try:
            return animation_frames.look_through(data, self._engine.limits, detector.thorough, prints)
        finally:
            self._engine.release()

    def draw(self, asked: video_calls.Draw, source: int, target: int) -> video_calls.Drawn:
        """Write the covered copy. Raises RedactionError; ValueError for an invalid cover."""
        with os.fdopen(target, "wb") as output:
            data = self._read(source)
            try:
                frames = animation_writing.write(data, asked.ways, self._engine.limits, output, strip=asked.strip)
                output.flush()
                os.fsync(output.fileno())
            except OSError as error:
                raise not_written(error) from error
            return video_calls.Drawn(frames, os.fstat(output.fileno()).st_size)

    def join(self, asked: video_calls.Join, source: int, made: int, target: int) -> Joined:
        """Write the final file. Raises RedactionError."""
        with spent(made) as whole, os.fdopen(target, "wb") as output:
            kinds = animation_writing.removed(self._read(source), self._engine.limits, strip=asked.strip)
            try:
                shutil.copyfileobj(whole, output)
                output.flush()
                os.fsync(output.fileno())
            except OSError as error:
                raise not_written(error) from error
            return Joined(os.fstat(output.fileno()).st_size, kinds)

    def still(self, asked: video_calls.Still, source: int) -> bytes:
        return animation_frames.still(self._read(source), self._engine.limits, asked.seconds, asked.side)

    def _read(self, source: int) -> bytes:
        with spent(source) as file:
            return read_steady(file, self._engine.limits)

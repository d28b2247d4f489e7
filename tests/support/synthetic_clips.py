"""Small clips for tests, written with the library itself: a red square goes through grey noise, and is the face."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path

import av
import numpy as np
from av.audio.frame import AudioFrame
from av.audio.stream import AudioStream
from av.codec import CodecContext
from av.video.codeccontext import VideoCodecContext
from av.video.frame import VideoFrame
from av.video.stream import VideoStream
from numpy.typing import NDArray

from agent.domain.face import Box
from agent.inference.vision.codecs import Pixels
from agent.inference.vision.detection import Detection, five

SQUARE = 40


@dataclass(frozen=True, slots=True)
class Made:
    """How a clip is to be. `moments` are in ticks of 1/600 s."""

    size: tuple[int, int] = (320, 240)
    moments: Sequence[int] = tuple(range(0, 50 * 24, 24))
    form: str = "yuv420p"
    codec: str = "libx264"
    options: tuple[tuple[str, str], ...] = (("g", "12"),)
    sound: str | None = "aac"
    rate: int = 48_000  # of the sound
    rotation: int = 0  # degrees counter-clockwise, as the file says
    flip: tuple[int, int, int, int] | None = None  # where right and down go, as the file says: two numbers each
    tags: tuple[tuple[str, str], ...] = ()


def place(number: int, size: tuple[int, int]) -> tuple[int, int]:
    """Where the square's left top corner is in a frame."""
    return (20 + 4 * number) % (size[0] - SQUARE), size[1] // 3


def made_clip(path: Path, made: Made | None = None) -> Path:
    made = made or Made()
    with av.open(str(path), "w") as container:
        container.metadata.update(dict(made.tags))
        picture = container.add_stream(made.codec, rate=25, options=dict(made.options))
        assert isinstance(picture, VideoStream)
        picture.width, picture.height, picture.pix_fmt = *made.size, made.form
        picture.time_base = picture.codec_context.time_base = Fraction(1, 600)
        if made.rotation:
            picture.set_display_rotation(made.rotation)
        if made.flip:
            a, b, c, d = (each << 16 for each in made.flip)
            picture.set_display_matrix((a, b, 0, c, d, 0, 0, 0, 1 << 30))
        sound = None if made.sound is None else container.add_stream(made.sound, rate=made.rate)
        assert sound is None or isinstance(sound, AudioStream)
        for number, moment in enumerate(made.moments):
            frame = VideoFrame.from_ndarray(drawn(number, made.size), "rgb24").reformat(format=made.form)
            frame.pts, frame.time_base = moment, Fraction(1, 600)
            container.mux(picture.encode(frame))
        container.mux(picture.encode(None))
        if sound is not None:
            for noise in _noise(float(made.moments[-1]) / 600):
                container.mux(sound.encode(noise))
            container.mux(sound.encode(None))
    return path


def changing_clip(path: Path, codec: str, sizes: Sequence[tuple[int, int]], forms: Sequence[str], options: dict[str, str]) -> Path:
    """Twenty frames of each size and form, each with an encoder of its own, as calls that are recorded have them."""
    with av.open(str(path), "w") as container:
        picture = container.add_stream(codec, rate=25)
        assert isinstance(picture, VideoStream)
        picture.width, picture.height, picture.pix_fmt = *sizes[0], forms[0]
        for part, (size, form) in enumerate(zip(sizes, forms, strict=True)):
            encoder = CodecContext.create(codec, "w")
            assert isinstance(encoder, VideoCodecContext)
            (encoder.width, encoder.height), encoder.pix_fmt, encoder.time_base = size, form, Fraction(1, 25)
            encoder.options = options
            packets = []
            for number in range(20):
                frame = VideoFrame.from_ndarray(drawn(number, size), "rgb24").reformat(format=form)
                frame.pts, frame.time_base = 20 * part + number, Fraction(1, 25)
                packets += encoder.encode(frame)
            for packet in [*packets, *encoder.encode(None)]:
                packet.stream, packet.time_base = picture, Fraction(1, 25)
                container.mux(packet)
    return path


def drawn(number: int, size: tuple[int, int]) -> Pixels:
    pixels = np.random.default_rng(number % 3).integers(90, 150, (size[1], size[0], 1), np.uint8).repeat(3, axis=2)
    x, y = place(number, size)
    pixels[y : y + SQUARE, x : x + SQUARE] = (230, 20, 20)
    return pixels


def look(canvas: NDArray[np.uint8], _: float) -> list[Detection]:
    """In the place of a net: finds what is red."""
    pixels = canvas[0].astype(np.int16)
    red = (pixels[:, :, 0] > 150) & (pixels[:, :, 1] < 100)
    rows, columns = np.nonzero(red.sum(axis=1) > 3)[0], np.nonzero(red.sum(axis=0) > 3)[0]
    if not rows.size or not columns.size:
        return []
    box = Box(float(columns[0]), float(rows[0]), float(columns[-1] - columns[0] + 1), float(rows[-1] - rows[0] + 1))
    upright = ((0.3, 0.35), (0.7, 0.35), (0.5, 0.55), (0.35, 0.75), (0.65, 0.75))
    return [Detection(box, 0.9, five([(box.x + x * box.w, box.y + y * box.h) for x, y in upright]))]


def red_share(pixels: NDArray[np.uint8]) -> float:
    """Of a picture in RGB."""
    red = (pixels[:, :, 0].astype(np.int16) - pixels[:, :, 1]) > 60
    return float(red.mean())


def _noise(seconds: float) -> Iterator[AudioFrame]:
    for start in range(0, int(seconds * 48_000), 1024):
        samples = np.random.default_rng(start).normal(0, 0.1, (1, 1024)).astype(np.float32)
        frame = AudioFrame.from_ndarray(samples, "fltp", "mono")
        frame.sample_rate, frame.pts, frame.time_base = 48_000, start, Fraction(1, 48_000)
        yield frame

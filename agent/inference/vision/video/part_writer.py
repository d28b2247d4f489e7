"""Writes a part of a video with its covers."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from fractions import Fraction
from typing import BinaryIO, Final

import av
from av.codec import Codec
from av.codec.codec import UnknownCodecError
from av.container import OutputContainer
from av.error import FFmpegError
from av.video.frame import PictureType, VideoFrame
from av.video.stream import VideoStream

from agent.domain.errors import VideoMissing, VideoUnwritable
from agent.domain.face import Box
from agent.domain.redaction import Cover
from agent.domain.video import Covered, VideoPart, covers_at
from agent.inference.vision.video.geometry import Turn
from agent.inference.vision.video.planes import convert_frame, draw, drawable, drawable_form
from agent.inference.vision.video.video_opening import Opened, frames, moment_of, opened

# Parts are stored in a container with any time base and the stream's own settings; it allows no negative times.
CONTAINER: Final = "nut"
_X264: Final = "x264-params"
# The first one that this build of the library has. There are no B-frames, so that parts can be joined unchanged.
# Two features that the fastest preset omits cost little and gain much: deblocking and CABAC.
_H264: Final = {
    "libx264": {"preset": "ultrafast", "crf": "23", "bf": "0", "a53cc": "0", _X264: "no-deblock=0:cabac=1"},
    "libopenh264": {"bf": "0"},
}
_VP9: Final = {
    "libvpx-vp9": {"deadline": "realtime", "cpu-used": "8", "crf": "32", "b": "0", "row-mt": "1", "lag-in-frames": "0"},
}
ENCODERS: Final = {"webm": _VP9, "mp4": _H264, "mov": _H264, "mkv": _H264}
# Pixels this many times wider than high, or the reverse, are an error in the file.
_MOST_ASPECT: Final = 4
# The library's numbers for field orders: unknown, none; bottom field first.
_WHOLE, _BOTTOM_FIRST = (0, 1), (3, 4)


@dataclass(frozen=True, slots=True)
class _Wanted:
    """The common properties of all parts of a video, which joining requires."""

    form: str
    threads: int
    time_base: Fraction
    rate: Fraction
    aspect: Fraction | None  # a pixel's width by its height, if declared
    fields: str  # parameters of x264
    size: tuple[int, int]  # of the video's first frame, as stored in the file
    pixels: str | None  # the pixel format for drawing covers

    @classmethod
    def of(cls, clip: Opened, form: str, threads: int) -> "_Wanted":
        order = clip.stream.codec_context.field_order
        fields = "" if order in _WHOLE else ":bff=1" if order in _BOTTOM_FIRST else ":tff=1"
        aspect, pixels = clip.stream.sample_aspect_ratio, None if clip.form is None else drawable_form(clip.form)
        return cls(form, threads, clip.time_base, clip.stream.average_rate or Fraction(25), aspect, fields, clip.size, pixels)

    @property
    def vp9(self) -> bool:
        return ENCODERS[self.form] is _VP9

    def stream(self, container: OutputContainer, frame: VideoFrame) -> VideoStream:
        """Create the stream for frames like this one."""
        name, options = _encoder(self.form)
        if name == "libx264":
            options = {**options, _X264: options[_X264] + self.fields}
        stream = container.add_stream(name, rate=self.rate, options=options)
        assert isinstance(stream, VideoStream)
        context = stream.codec_context
        stream.width, stream.height = self._shape(frame)
        stream.pix_fmt = self.pixels or frame.format.name
        stream.time_base = context.time_base = self.time_base
        if self.aspect and not self.vp9:
            context.sample_aspect_ratio = self.aspect
        context.colorspace, context.color_range = frame.colorspace, frame.color_range
        context.color_primaries, context.color_trc = frame.color_primaries, frame.color_trc
        context.thread_count = self.threads
        return stream

    def _shape(self, frame: VideoFrame) -> tuple[int, int]:
        """Return the frame size. Parts of VP9 may differ in size, but it has no pixel aspect ratio, and PyAV lets no container set one."""
        if not self.vp9:
            return self.size[0] + self.size[0] % 2, self.size[1] + self.size[1] % 2
        if self.aspect is None or not 1 / _MOST_ASPECT <= self.aspect <= _MOST_ASPECT:
            return frame.width, frame.height
        return max(1, round(frame.width * self.aspect)), frame.height


def write_part(file: BinaryIO, part: VideoPart, ways: Sequence[Covered], form: str, output: BinaryIO, threads: int = 1) -> int:
    """Return the number of frames written. Raises VideoUnreadable, VideoNoPicture, VideoMissing, VideoUnwritable, OSError."""
    with opened(file) as clip:
        wanted = _Wanted.of(clip, form, threads)
    written = 0
    try:
        with av.open(output, "w", format=CONTAINER) as container:
            stream: VideoStream | None = None
            for frame in frames(file, part, threads):
                moment = moment_of(frame)
                assert moment is not None
                plain = _covered(frame, moment, ways, wanted.size)
                plain.pts, plain.time_base, plain.pict_type = moment - part.start, wanted.time_base, PictureType.NONE
                if stream is None:
                    stream = wanted.stream(container, plain)
                plain = convert_frame(plain, stream.width, stream.height, stream.pix_fmt or plain.format.name)
                container.mux(stream.encode(plain))
                written += 1
            if stream is not None:
                container.mux(stream.encode(None))
    except FFmpegError as error:
        raise VideoUnwritable from error
    return written


def _covered(frame: VideoFrame, moment: int, ways: Sequence[Covered], size: tuple[int, int]) -> VideoFrame:
    """Return the covers; `ways` use the coordinates of the video's first frame, which has that size."""
    width, height, turn = frame.width, frame.height, Turn.of(frame)
    covers = covers_at(ways, moment)
    if (width, height) != size:
        covers = [scaled(cover, turn.upright(*size), turn.upright(width, height)) for cover in covers]
    plain = drawable(frame)
    if covers:
        plain.make_writable()
        draw(plain, [turn.in_file(cover, width, height) for cover in covers])
    return plain


def scaled(cover: Cover, given: tuple[int, int], wanted: tuple[int, int]) -> Cover:
    box, across, down = cover.box, wanted[0] / given[0], wanted[1] / given[1]
    return replace(cover, box=Box(box.x * across, box.y * down, box.w * across, box.h * down))


def _encoder(form: str) -> tuple[str, dict[str, str]]:
    for name, options in ENCODERS[form].items():
        try:
            Codec(name, "w")
        except UnknownCodecError:
            continue
        return name, options
    raise VideoMissing

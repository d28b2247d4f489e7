"""Opens videos from open files, and yields their frames in display order."""

import math
from collections import deque
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from fractions import Fraction
from itertools import chain, dropwhile
from typing import BinaryIO, Final

import av
from av.container import InputContainer
from av.error import FFmpegError, InvalidDataError
from av.packet import Packet
from av.stream import Disposition
from av.video.format import VideoFormat
from av.video.frame import VideoFrame
from av.video.stream import VideoStream

from agent.domain.errors import VideoNoPicture, VideoUnreadable
from agent.domain.video import VideoPart

# No playlists or other formats that refer to further files.
_FORMATS: Final = "mov,matroska,avi,mpegts,mpeg,flv,asf,ogg,nut,ivf,h264,hevc,mpegvideo,m4v,mxf,dv,obu,wav,mp3,aac,flac"
# Seconds: decoding starts this much earlier if a part's first frame can't be decoded from its own key frame.
_RUN_UP_S: Final = 12.0


@dataclass(frozen=True, slots=True)
class Opened:
    """A video and its main video stream."""

    container: InputContainer
    stream: VideoStream
    size: tuple[int, int]  # of the first frame, as stored in the file
    form: VideoFormat | None  # of its pixels

    @property
    def time_base(self) -> Fraction:
        return self.stream.time_base or Fraction(1, 90_000)

    @property
    def frame_ticks(self) -> int:
        """Return the usual ticks from one frame to the next."""
        rate = self.stream.average_rate or self.stream.guessed_rate or Fraction(25)
        return max(1, round(1 / (rate * self.time_base)))

    @property
    def zero(self) -> Fraction:
        """Return the seconds on its own clock that are zero in the copy.

        MP4 itself declares what precedes its first frame; other clocks start anywhere: in a broadcast, or a camera's previous video.
        """
        begins = self.container.start_time or 0
        return Fraction(max(0, begins), av.time_base) if "mp4" not in self.container.format.name else Fraction(0)

    @property
    def timed_as_stored(self) -> bool:
        """Return whether times follow the storage order: AVI has no others, and the library does not correct those of H.264."""
        return self.container.format.name == "avi" and self.stream.codec_context.name == "h264"

    def can_begin_at(self, packet: "Packet[VideoStream]") -> bool:
        """Return whether all frames from its own on can be decoded at their right times."""
        return packet.is_keyframe and (not self.timed_as_stored or is_sync_point(bytes(packet), self.stream.codec_context.extradata))


@contextmanager
def opened(file: BinaryIO, threads: int = 1) -> Iterator[Opened]:
    """Open it from its beginning. Raises VideoUnreadable, or VideoNoPicture if there is only audio."""
    try:
        file.seek(0)
        container = av.open(file, "r", options={"format_whitelist": _FORMATS, "protocol_whitelist": ""}, metadata_errors="replace")
    except (FFmpegError, OSError, ValueError) as error:
        raise VideoUnreadable from error
    with container:
        stream = _main_picture(container)
        stream.codec_context.thread_count = threads
        stream.thread_type = "AUTO" if threads > 1 else "SLICE"
        yield Opened(container, stream, (stream.width, stream.height), stream.codec_context.format)


def moment_of(frame: "VideoFrame | Packet[VideoStream]") -> int | None:
    """Return its display time, in ticks of its stream."""
    return frame.dts if frame.pts is None else frame.pts


def packets(clip: Opened) -> "Iterator[Packet[VideoStream]]":
    """Yield the packets of the video stream, as far as the file can be read."""
    try:
        for packet in clip.container.demux(clip.stream):
            if packet.size:
                yield packet
    except (FFmpegError, OSError):
        return


def frames(file: BinaryIO, part: VideoPart, threads: int = 1, *, coarse: bool = False) -> Iterator[VideoFrame]:
    """Yield the frames of a part, in order; undecodable ones are left out. `coarse` saves time and is good enough for detection.

    If the part's first frame needs earlier frames that a seek skips, decoding begins earlier.
    """
    for run_up in (0.0, _RUN_UP_S, math.inf):
        with opened(file, threads) as clip:
            if coarse:
                clip.stream.codec_context.options = {"skip_loop_filter": "noref"}
            found = _decoded(clip, part, run_up)
            first = next(found, None)
            if run_up == math.inf or (first is not None and moment_of(first) == part.start):
                if first is not None:
                    yield first
                    yield from found
                return


def frames_from_start(file: BinaryIO) -> Iterator[VideoFrame]:
    """Yield all frames."""
    with opened(file) as clip:
        yield from decoded(clip)


def _decoded(clip: Opened, part: VideoPart, run_up: float) -> Iterator[VideoFrame]:
    begin = part.start - run_up / clip.time_base if run_up < math.inf else None
    start = clip.stream.start_time
    if begin is not None and (start is None or begin > start):
        try:
            clip.container.seek(max(int(begin), start or 0), stream=clip.stream)
        except FFmpegError:
            return
    last: int | None = None
    for frame in decoded(clip, sought=begin is not None):
        moment = moment_of(frame)
        if moment is None or moment < part.start or (last is not None and moment <= last):
            continue
        if moment >= part.end:
            return
        last = moment
        yield frame


def decoded(clip: Opened, *, sought: bool = False) -> Iterator[VideoFrame]:
    """Yield all frames from the current position; after a seek (`sought`), from the first identifiable one."""
    decoder = clip.stream.codec_context
    found = packets(clip)
    if sought and clip.timed_as_stored:
        found = dropwhile(lambda packet: not clip.can_begin_at(packet), found)
    due: deque[int | None] = deque()  # times of frames not shown yet, if they belong to others
    for packet in chain(found, (None,)):
        if packet is not None and clip.timed_as_stored:
            due.append(moment_of(packet))
        try:
            for frame in decoder.decode(packet):
                if due:
                    frame.pts = due.popleft()
                yield frame
        except InvalidDataError:
            if due:
                due.pop()
            continue  # damaged: the following frames may be intact
        except FFmpegError:
            return


def _main_picture(container: InputContainer) -> VideoStream:
    """Return the main picture, not an album cover. Raises VideoNoPicture, VideoUnreadable."""
    # For an undecodable stream, not even the size is known.
    known = [stream for stream in container.streams.video if stream.codec_context is not None]
    if not known and container.streams.video:
        raise VideoUnreadable
    pictures = [stream for stream in known if not is_still(stream)]
    if not pictures:
        raise VideoNoPicture
    stream = max(pictures, key=lambda stream: (bool(stream.disposition & Disposition.default), stream.width * stream.height))
    if not stream.width or not stream.height:
        raise VideoUnreadable
    return stream


def is_still(stream: VideoStream) -> bool:
    """Return whether it is a still picture: a cover, or thumbnails for the time line."""
    return bool(stream.disposition & (Disposition.attached_pic | Disposition.timed_thumbnails | Disposition.still_image))


# -- The properties of H.264 itself that a file does not report --------------------------------------------------------------------
_START: Final = b"\x00\x00\x01"
_IDR: Final = 5  # the type of unit across which no later frame refers back (ITU-T H.264, table 7-1)


def is_sync_point(packet: bytes, extradata: bytes | None) -> bool:
    """Return whether no frame stored after this one needs, or is shown before, it.

    `extradata`, stored once for the whole stream, tells whether units are prefixed by their length, as in MP4, or a start code.
    """
    prefixed = extradata is not None and len(extradata) > 4 and extradata[0] == 1
    return _IDR in (_by_length(packet, 1 + (extradata[4] & 3)) if prefixed and extradata else _by_start(packet))


def _by_length(packet: bytes, size: int) -> Iterator[int]:
    at = 0
    while at + size < len(packet):
        yield packet[at + size] & 31
        at += size + int.from_bytes(packet[at : at + size])


def _by_start(packet: bytes) -> Iterator[int]:
    return (unit[0] & 31 for unit in packet.split(_START)[1:] if unit)

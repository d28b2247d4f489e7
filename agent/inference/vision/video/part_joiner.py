"""Joins the parts of a covered video, and adds the original's audio."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from fractions import Fraction
from heapq import merge
from io import SEEK_CUR, SEEK_END, SEEK_SET, RawIOBase
from typing import Any, BinaryIO, Final

import av
from av.audio.stream import AudioStream
from av.container import InputContainer, OutputContainer
from av.error import FFmpegError
from av.packet import Packet
from av.stream import Stream
from av.video.stream import VideoStream

from agent.domain.errors import VideoUnwritable
from agent.domain.video import Piece
from agent.inference.vision.video.geometry import Turn
from agent.inference.vision.video.part_writer import CONTAINER
from agent.inference.vision.video.sound import MUXERS, audio_streams_for, clear_comments, packets_of
from agent.inference.vision.video.video_opening import Opened, frames_from_start, moment_of, opened, packets

# Metadata of a container and its streams themselves; the copy has its own.
_TECHNICAL: Final = frozenset(
    {"major_brand", "minor_version", "compatible_brands", "encoder", "duration", "vendor_id", "handler_name", "language"}
    | {"bps", "number_of_frames", "number_of_bytes"}
)
# To open a piece the library decodes some of its frames, a tenth of a second each: their properties are known from the first piece.
_NOT_DECODED: Final = {"skip_frame": "all"}
_WHERE: Final = ("location", "xyz", "gps")
_WITH: Final = ("make", "model", "software", "firmware", "device", "camera", "lens", "android")
_WHEN: Final = ("creation", "date", "timecode")
# Of all other metadata a copy keeps who made the recording: texts that people write about it may name who is covered.
_MAKERS: Final = frozenset({"artist", "author", "copyright", "publisher", "license", "rights"})


@dataclass(frozen=True, slots=True)
class JoinedParts:
    removed: tuple[str, ...]  # kinds that were removed because of `strip`
    frames: int
    last: int  # the moment of the last frame


class Stretch(RawIOBase):
    """A section of a file as a separate file."""

    def __init__(self, file: BinaryIO, piece: Piece) -> None:
        self._file, self._piece, self._at = file, piece, 0

    def readable(self) -> bool:
        return True

    def seekable(self) -> bool:
        return True

    def seek(self, offset: int, whence: int = SEEK_SET) -> int:
        self._at = max(0, offset + {SEEK_SET: 0, SEEK_CUR: self._at, SEEK_END: self._piece.length}[whence])
        return self._at

    def tell(self) -> int:
        return self._at

    def readinto(self, buffer: memoryview) -> int:  # type: ignore[override]  # the base says "anything writable"
        self._file.seek(self._piece.offset + self._at)
        data = self._file.read(max(0, min(len(buffer), self._piece.length - self._at)))
        buffer[: len(data)] = data
        self._at += len(data)
        return len(data)


def join(file: BinaryIO, made: BinaryIO, pieces: Sequence[Piece], form: str, output: BinaryIO, *, strip: bool) -> JoinedParts:
    """Write the copy. `file` is the original, `made` contains the pieces.

    Raises VideoUnreadable, VideoNoPicture, VideoUnwritable.
    """
    turn, written = Turn.of(next(frames_from_start(file))), list[int]()
    lasts = _last_lasts(file, pieces[-1].start)
    with opened(file) as clip:
        try:
            with (
                av.open(Stretch(made, pieces[0]), "r", format=CONTAINER) as first,
                av.open(output, "w", format=MUXERS[form]) as container,
            ):
                template = first.streams.video[0]
                picture = container.add_stream_from_template(template)
                picture.time_base = clip.time_base
                if turn.matrix is not None:
                    picture.set_display_matrix(turn.numbers)
                sounds = audio_streams_for(clip.container, container)
                removed = _say(clip.container, container, sounds, strip=strip)
                shown = _longer(_pictures(made, pieces, picture, clip, template.codec_context.extradata, written), lasts)
                both: list[Iterator[Packet[Any]]] = [shown, packets_of(clip.container, sounds)]
                for packet in merge(*both, key=_seconds):
                    container.mux(_earlier(packet, clip.zero))
        except FFmpegError as error:
            raise VideoUnwritable from error
    return JoinedParts(removed, len(written), written[-1] if written else -1)


def _pictures(
    made: BinaryIO, pieces: Sequence[Piece], picture: VideoStream, clip: Opened, extradata: bytes | None, written: list[int]
) -> "Iterator[Packet[Any]]":
    for piece in pieces:
        with av.open(Stretch(made, piece), "r", format=CONTAINER, options=_NOT_DECODED) as part:
            stream = part.streams.video[0]
            if stream.codec_context.extradata != extradata:
                raise VideoUnwritable  # another encoder's part can't be shown with the first one's settings
            ticks = (stream.time_base or clip.time_base) / clip.time_base
            for packet in part.demux(stream):
                if packet.size and packet.pts is not None:
                    # There are no B-frames: each frame is decoded when it is shown.
                    packet.pts = packet.dts = round(packet.pts * ticks) + piece.start
                    packet.duration, packet.time_base = clip.frame_ticks, clip.time_base
                    packet.stream = picture
                    written.append(packet.pts)
                    yield packet


def _last_lasts(file: BinaryIO, near: int) -> int:
    """Return for how many ticks the last frame, which begins at or after `near`, is shown; 0 if the file does not say."""
    with opened(file) as clip:
        try:
            clip.container.seek(near, stream=clip.stream)
        except FFmpegError:
            return 0
        told = ((moment_of(packet), packet.duration or 0) for packet in packets(clip))
        return max(((moment, ticks) for moment, ticks in told if moment is not None), default=(0, 0))[1]


def _longer(shown: "Iterator[Packet[Any]]", lasts: int) -> "Iterator[Packet[Any]]":
    """Yield the packets, the last one shown for at least that long: each earlier one ends with the next."""
    last: Packet[Any] | None = None
    for packet in shown:
        if last is not None:
            yield last
        last = packet
    if last is not None:
        last.duration = max(last.duration or 0, lasts)
        yield last


def _earlier(packet: "Packet[Any]", seconds: Fraction) -> "Packet[Any]":
    ticks = round(seconds / packet.time_base)
    packet.pts, packet.dts = (None if moment is None else moment - ticks for moment in (packet.pts, packet.dts))
    return packet


def _seconds(packet: "Packet[Stream]") -> float:
    return float((packet.dts or 0) * packet.time_base)


def _say(given: InputContainer, container: OutputContainer, sounds: Mapping[int, AudioStream], *, strip: bool) -> tuple[str, ...]:
    """Copy the video's metadata. Return the kinds of what is left out."""
    heard = [stream for stream in given.streams.audio if stream.index in sounds]
    spoken = [given.metadata, *(stream.metadata for stream in (given.streams if strip else heard))]
    told = [key.lower() for tags in spoken for key in tags if not _is_technical(key) and (strip or not _keeps(key))]
    for stream in heard:
        sound = sounds[stream.index]
        sound.disposition = stream.disposition  # marks the default one
        sound.metadata.clear()
        sound.metadata.update({} if strip else {key: value for key, value in stream.metadata.items() if key == "language" or _keeps(key)})
        if clear_comments(sound):
            told.append("comment")
    if not strip:
        container.metadata.update({key: value for key, value in given.metadata.items() if _keeps(key)})
    return tuple(sorted(set(map(_kind, told))))


def _is_technical(key: str) -> bool:
    return key.lower() in _TECHNICAL or key.lower().startswith("_statistics")


def _keeps(key: str) -> bool:
    name = key.lower().partition("-")[0].rpartition(".")[2]
    return not _is_technical(key) and (name in _MAKERS or _kind(key.lower()) != "comment")


def _kind(key: str) -> str:
    for kind, words in (("gps", _WHERE), ("date", _WHEN), ("device", _WITH)):
        if any(word in key for word in words):
            return kind
    return "comment"

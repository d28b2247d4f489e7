"""Reads a video's properties and its possible parts without decoding more than its first frame."""

import hashlib
from collections.abc import Iterator, Sequence
from typing import BinaryIO, Final

from av.audio.stream import AudioStream
from av.container import InputContainer
from av.video.stream import VideoStream

from agent.domain.errors import VideoUnreadable
from agent.domain.video import Video, VideoPart
from agent.inference.vision.codecs import DecodeLimits
from agent.inference.vision.video.geometry import Turn
from agent.inference.vision.video.sound import holds
from agent.inference.vision.video.video_opening import Opened, frames, is_still, moment_of, opened, packets

# Seconds: parts are as short as independent decoding allows, but not shorter than this, and not longer than that.
SHORTEST_S, LONGEST_S = 3.0, 30.0
# A video that ends this much (seconds, share) before its declared end was cut off.
_SHORT_S, _SHORT_SHARE = 0.5, 0.98
_BLOCK = 1 << 20
# What MP4 can hold as well; other audio is kept in Matroska.
_MP4_SOUND: Final = frozenset({"aac", "mp3", "ac3", "eac3", "alac", "flac", "opus", "mp2"})
_WEBM_PICTURE, _WEBM_SOUND = frozenset({"vp8", "vp9", "av1"}), frozenset({"opus", "vorbis"})


def probe(file: BinaryIO, limits: DecodeLimits) -> Video:
    """Return the properties. Raises VideoUnreadable, VideoNoPicture, ImageTooLarge."""
    digest, size = _fingerprint(file)
    with opened(file) as clip:
        limits.check_pixels(clip.stream.width, clip.stream.height)
        moments, keys, there = _moments(clip)
        if not moments:
            raise VideoUnreadable
        tick, step = float(clip.time_base), clip.frame_ticks
        ordered = sorted(set(moments))
        parts = tuple(_parts(ordered, keys, tick))
        truncated = _cut_off(clip, there, (ordered[-1] + step - min(0, ordered[0])) * tick)
        form, sound, removed = _format(clip.container), bool(clip.container.streams.audio), tuple(_removed(clip.container))
        zero, shape = float(clip.zero), clip.size
    first = next(frames(file, parts[0]), None)
    if first is None:
        raise VideoUnreadable
    width, height = Turn.of(first).upright(*shape)
    return Video(digest, size, width, height, tick, step * tick, len(moments), form, parts, sound, truncated, removed, zero=zero)


def _fingerprint(file: BinaryIO) -> tuple[str, int]:
    """Return the SHA-256 of the whole file, and its size."""
    file.seek(0)
    digest = hashlib.sha256()
    while block := file.read(_BLOCK):
        digest.update(block)
    return digest.hexdigest(), file.tell()


def _moments(clip: Opened) -> tuple[list[int], list[int], int]:
    """Return the times of all frames, in file order; those of key frames; and the number of frames including hidden ones."""
    moments, keys, there = [], [], 0
    for packet in packets(clip):
        there += 1
        moment = moment_of(packet)
        if moment is not None and not packet.is_discard:
            moments.append(moment)
            if clip.can_begin_at(packet):
                keys.append(moment)
    return moments, keys, there


def _parts(moments: Sequence[int], keys: Sequence[int], tick: float) -> Iterator[VideoPart]:
    shortest, longest = SHORTEST_S / tick, LONGEST_S / tick
    free = set(keys)
    start = moments[0]
    for moment in moments:
        if (moment in free and moment - start >= shortest) or moment - start >= longest:
            yield VideoPart(start, moment)
            start = moment
    yield VideoPart(start, moments[-1] + 1)


def _cut_off(clip: Opened, there: int, lasts: float) -> bool:
    said = clip.stream.duration
    seconds = float(said * clip.time_base) if said else (clip.container.duration or 0) / 1e6
    short = lasts < seconds - _SHORT_S and lasts < seconds * _SHORT_SHARE
    # AVI counts times, including those without a frame.
    counted = clip.stream.frames if clip.container.format.name != "avi" else 0
    return there < counted * _SHORT_SHARE if counted else short


def _format(container: InputContainer) -> str:
    names = set(container.format.name.split(","))
    # What Matroska can't hold either is re-encoded, and fits everywhere; undecodable audio is not in the copy.
    heard = [stream for stream in container.streams.audio if stream.codec_context is not None]
    sounds = {_codec(stream) for stream in heard if _codec(stream) in _MP4_SOUND or holds("mkv", stream)}
    if "matroska" in names or "webm" in names:
        webm = {_codec(stream) for stream in container.streams.video} <= _WEBM_PICTURE and sounds <= _WEBM_SOUND
        return "webm" if webm else "mkv"
    if "mp4" in names and container.metadata.get("major_brand", "").strip() == "qt":
        return "mov"
    return "mp4" if sounds <= _MP4_SOUND else "mkv"


def _codec(stream: AudioStream | VideoStream) -> str:
    """Return the codec's own name, not its decoder's."""
    return stream.codec_context.codec.canonical_name if stream.codec_context is not None else "none"


def _has_alpha(stream: VideoStream) -> bool:
    """Return whether it has alpha: WebM stores it beside the picture, and declares it; others in it."""
    form = stream.codec_context.format if stream.codec_context is not None else None
    return stream.metadata.get("alpha_mode") == "1" or (form is not None and any(part.is_alpha for part in form.components))


def _removed(container: InputContainer) -> Iterator[str]:
    """Yield the kinds that no copy contains: most of them may show or name a person."""
    if any(is_still(stream) for stream in container.streams.video):
        yield "thumbnail"
    if any(_has_alpha(stream) for stream in container.streams.video if not is_still(stream)):
        yield "alpha"
    if container.streams.subtitles:
        yield "subtitles"
    if container.streams.data:
        yield "data"
    if container.streams.attachments:
        yield "attachment"
    if any(stream.codec_context is None for stream in container.streams.audio):
        yield "sound"
    if container.chapters():
        yield "chapters"
    if sum(not is_still(stream) for stream in container.streams.video) > 1:
        yield "preview"

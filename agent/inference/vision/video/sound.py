"""The audio of a copy: as in the original or, if the copy's container can't hold it, re-encoded."""

import io
from collections.abc import Iterator, Mapping
from typing import Any, Final

import av
from av.audio.stream import AudioStream
from av.container import InputContainer, OutputContainer
from av.error import FFmpegError, InvalidDataError
from av.packet import Packet

MUXERS: Final = {"mp4": "mp4", "mov": "mov", "mkv": "matroska", "webm": "webm"}
# The replacement that every container supports; its sample rates.
_ANEW: Final = "aac"
_RATES: Final = frozenset({7350, 8000, 11025, 12000, 16000, 22050, 24000, 32000, 44100, 48000, 64000, 88200, 96000})
_USUAL_RATE: Final = 48_000
# Vorbis' comment header: no vendor, no comments, and the final bit.
_NO_COMMENT: Final = b"\3vorbis" + bytes(8) + b"\1"
_FEW: Final = {1: "mono", 2: "stereo"}  # what some files leave unspecified


def holds(form: str, sound: AudioStream) -> bool:
    """Return whether the container can hold it unchanged."""
    with av.open(io.BytesIO(), "w", format=MUXERS[form]) as container:
        return _copied(container, sound) is not None


def audio_streams_for(given: InputContainer, container: OutputContainer) -> dict[int, AudioStream]:
    """Return a stream of the copy for each decodable one, by its number in the original."""
    heard = [sound for sound in given.streams.audio if sound.codec_context is not None]
    return {sound.index: _copied(container, sound) or _anew(container, sound) for sound in heard}


def packets_of(given: InputContainer, sounds: Mapping[int, AudioStream]) -> "Iterator[Packet[Any]]":
    """Yield the packets as far as the file can be read."""
    if not sounds:
        return
    heard = [sound for sound in given.streams.audio if sound.index in sounds]
    anew = {sound.index for sound in heard if sounds[sound.index].codec_context.is_encoder}
    try:
        for packet in given.demux(*heard):
            target = sounds[packet.stream.index]
            if packet.stream.index in anew:
                yield from _encoded(packet, target)
            elif packet.size and packet.dts is not None:
                packet.stream = target
                yield packet
    except FFmpegError:
        return


def clear_comments(sound: AudioStream) -> bool:
    """Remove the recording's metadata from a stream's settings; return whether there was any: Vorbis stores a title and names there."""
    context = sound.codec_context
    headers = _headers(context.extradata or b"") if context.codec.canonical_name == "vorbis" else None
    if headers is None:
        return False
    first, comments, setup = headers
    context.extradata = bytes((2, *_laced(len(first)), *_laced(len(_NO_COMMENT)))) + first + _NO_COMMENT + setup
    maker = int.from_bytes(comments[7:11], "little")
    return any(comments[11 + maker : 15 + maker])


def _headers(extradata: bytes) -> tuple[bytes, bytes, bytes] | None:
    """Return Vorbis' headers as Matroska stores them: how many follow the first, all lengths but the last in steps of 255, then all."""
    at, lengths = 1, []
    for _ in range(2):
        full = next((number for number, step in enumerate(extradata[at:]) if step < 255), None)
        if extradata[:1] != b"\2" or full is None:
            return None
        lengths.append(255 * full + extradata[at + full])
        at += full + 1
    middle, end = at + lengths[0], at + sum(lengths)
    return extradata[at:middle], extradata[middle:end], extradata[end:]


def _laced(length: int) -> list[int]:
    return [255] * (length // 255) + [length % 255]


def _encoded(packet: Any, target: AudioStream) -> "Iterator[Packet[Any]]":
    """Encode; an empty packet is the last one."""
    try:
        frames = packet.decode()
    except InvalidDataError:
        return  # damaged: the following packets may be intact
    for frame in frames:
        yield from target.encode(frame)
    if not packet.size:
        yield from target.encode(None)


def _copied(container: OutputContainer, sound: AudioStream) -> AudioStream | None:
    try:
        return container.add_stream_from_template(sound)
    except ValueError:  # the library's way of saying that the container does not support this audio
        return None


def _anew(container: OutputContainer, sound: AudioStream) -> AudioStream:
    rate = sound.rate if sound.rate in _RATES else _USUAL_RATE
    stream = container.add_stream(_ANEW, rate=rate, layout=_FEW.get(sound.channels, sound.layout.name))
    assert isinstance(stream, AudioStream)
    return stream

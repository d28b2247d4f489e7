"""Clips that were damaged anywhere: each is covered as far as it goes, or refused by name."""

import io
import random
from pathlib import Path

import pytest

from agent.domain.errors import AgentError
from agent.domain.video import Piece, parts_of_copy
from agent.inference.vision.codecs import DecodeLimits
from agent.inference.vision.video.part_detection import look_through
from agent.inference.vision.video.part_joiner import join
from agent.inference.vision.video.part_writer import write_part
from agent.inference.vision.video.probe import probe
from agent.inference.vision.video.verification import prove_part
from tests.support.synthetic_clips import Made, look, made_clip

SMALL = Made(size=(96, 64), moments=range(0, 288, 24))
NAMES = ("clip.mp4", "clip.mkv", "clip.ts")
TRIES = 25


@pytest.mark.parametrize("name", NAMES)
def test_a_damaged_clip_is_covered_or_refused(tmp_path: Path, name: str) -> None:
    whole = made_clip(tmp_path / name, SMALL).read_bytes()
    done = 0
    for number in range(TRIES):
        data = _damaged(whole, random.Random(number))
        try:
            _all_steps(data)
            done += 1
        except AgentError:
            continue
    assert done


def test_a_stream_that_nothing_can_decode_is_refused(tmp_path: Path) -> None:
    data = made_clip(tmp_path / "clip.mkv", SMALL).read_bytes()
    with pytest.raises(AgentError):
        _all_steps(data.replace(b"V_MPEG4/ISO/AVC", b"V_MPEG4/ISO/XYZ"))


def _all_steps(data: bytes) -> None:
    """Raises AgentError."""
    file = io.BytesIO(data)
    clip = probe(file, DecodeLimits(megapixels=50, megabytes=100))
    made, pieces = io.BytesIO(), []
    for part in clip.parts:
        look_through(file, part, clip.tick, look)
        output = io.BytesIO()
        if write_part(file, part, [], clip.format, output):
            pieces.append(Piece(part.start, made.tell(), len(output.getvalue())))
            made.write(output.getvalue())
    if pieces:
        copy = io.BytesIO()
        written = join(file, made, pieces, clip.format, copy, strip=True)
        shown = [prove_part(file, copy, part, []) for part in parts_of_copy(clip)]
        assert sum(each.frames for each in shown) == written.frames


def _damaged(whole: bytes, chance: random.Random) -> bytes:
    data = bytearray(whole)
    for _ in range(chance.choice((1, 3, 20, 200))):
        # What tells how the file is read lies at its beginning or at its end.
        place = chance.choice((chance.randrange(len(data)), chance.randrange(2000), len(data) - 1 - chance.randrange(2000)))
        match chance.randrange(10):
            case 0:
                del data[place : place + chance.randrange(64)]
            case 1:
                data[place:place] = data[place : place + chance.randrange(64)]
            case _:
                data[place] = chance.randrange(256)
    return bytes(data)

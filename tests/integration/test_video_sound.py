"""Sound that a copy's container can't hold as it is: what came out is told by ffprobe, a program of its own."""

from pathlib import Path

import pytest

from tests.integration.test_video import redacted, shows_red, stream, times
from tests.made_clips import Made, made_clip


@pytest.mark.parametrize(("name", "sound"), [("clip.avi", "adpcm_ms"), ("clip.flv", "adpcm_swf")])
def test_what_neither_mp4_nor_matroska_holds_is_encoded_anew(tmp_path: Path, name: str, sound: str) -> None:
    made = Made(codec="flv" if name == "clip.flv" else "mpeg4", sound=sound, options=(("g", "12"), ("qscale", "2")), rate=44_100)
    original = made_clip(tmp_path / name, made)
    copy = redacted(original)
    assert copy.path.suffix == ".mp4"
    assert shows_red(copy.path) == 0
    assert stream(copy.path, "a")["codec_name"] == "aac"
    sound_of, before = times(copy.path, "a"), times(original, "a")
    assert sound_of[0] - times(copy.path)[0] == pytest.approx(before[0] - times(original)[0], abs=0.1)
    assert sound_of[-1] - sound_of[0] == pytest.approx(before[-1] - before[0], abs=0.1)


def test_sound_that_nothing_here_can_decode_is_left_out_and_told(tmp_path: Path) -> None:
    original = made_clip(tmp_path / "clip.mp4")
    original.write_bytes(original.read_bytes().replace(b"mp4a", b"ac-4").replace(b"esds", b"free"))
    copy = redacted(original)
    assert copy.path.suffix == ".mp4"
    assert copy.clip.removed == ("sound",)
    assert stream(copy.path, "a") == {}

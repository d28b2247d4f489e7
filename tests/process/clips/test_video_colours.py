"""Clips that tell red, green and blue: their copies say in a way that every player knows what their colours mean."""

from pathlib import Path

import av
import numpy as np
import pytest

from tests.process.clips.test_video import redacted, shows_red, stream
from tests.support.synthetic_clips import Made, made_clip

KINDS = {
    "clip.mp4": Made(codec="libx264rgb", form="rgb24"),
    "clip.mov": Made(codec="png", form="rgb24", options=()),
    "clip.avi": Made(codec="rawvideo", form="bgr24", options=(), sound=None),
    "clip.webm": Made(codec="libvpx-vp9", form="gbrp", options=(("deadline", "realtime"), ("cpu-used", "8")), sound=None),
}


@pytest.mark.parametrize("name", KINDS)
def test_red_green_and_blue_become_colours_with_a_meaning(tmp_path: Path, name: str) -> None:
    original = made_clip(tmp_path / name, KINDS[name])
    copy = redacted(original)
    said = stream(copy.path)
    assert (said["pix_fmt"], said["color_range"], said["color_space"]) == ("yuv420p", "tv", "bt709")
    assert shows_red(copy.path) == 0
    assert mean(copy.path) == pytest.approx(mean(original), abs=5)


def mean(path: Path) -> list[float]:
    """Of what is right of the square's first place, in the first frame."""
    with av.open(str(path)) as container:
        pixels = next(container.decode(video=0)).to_ndarray(format="rgb24")[:, 120:]
    return [float(each) for each in np.asarray(pixels).mean(axis=(0, 1))]

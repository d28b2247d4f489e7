"""A real video for benchmarks, beside the generated one: a talking man who moves his head, scaled to 1080p; downloaded and created once."""

import contextlib
import shutil
import sys
from fractions import Fraction
from pathlib import Path

import av
import cv2
import numpy as np

from agent.features.models.model_store import ModelStore
from scripts.benchmarks.clips import HEIGHT, WIDTH
from scripts.benchmarks.rows import ROOT

# Increase when the video is generated differently.
EDITION = 1
TIMES = 2  # it has 4 seconds: repeated, it also has a cut


def talking_head() -> Path:
    """Return H.264 at 29.97 frames per second; the narrow picture's edges are extended at both sides. Raises ModelError."""
    folder = ROOT / "build" / "bench"
    path = folder / f"talking-head-{EDITION}.mp4"
    if not path.is_file():
        store = ModelStore(folder / "talking-head", ROOT / "scripts" / "benchmarks" / "talking_head.toml")
        with contextlib.redirect_stdout(sys.stderr):
            given = store.fetch("talking-head")
        fresh = path.with_suffix(".part.mp4")
        _enlarge(given, fresh)
        shutil.move(fresh, path)
    return path


def _enlarge(source: Path, target: Path) -> None:
    with av.open(str(source)) as given:
        video = given.streams.video[0]
        rate = Fraction(video.average_rate or 25)
        pictures = [frame.to_ndarray(format="rgb24") for frame in given.decode(video=0)]
    scale = HEIGHT / pictures[0].shape[0]
    free = WIDTH - round(scale * pictures[0].shape[1])
    sides = (free // 2, free - free // 2)
    with av.open(str(target), "w") as output:
        stream = output.add_stream("libx264", rate=rate, options={"preset": "medium", "crf": "20"})
        stream.width, stream.height, stream.pix_fmt = WIDTH, HEIGHT, "yuv420p"
        for picture in pictures * TIMES:
            large = cv2.resize(picture, (WIDTH - free, HEIGHT), interpolation=cv2.INTER_CUBIC)
            whole = cv2.copyMakeBorder(large, 0, 0, *sides, cv2.BORDER_REPLICATE)
            output.mux(stream.encode(av.VideoFrame.from_ndarray(np.asarray(whole, np.uint8), "rgb24")))
        output.mux(stream.encode(None))

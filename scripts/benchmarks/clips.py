"""A video for benchmarks: faces of the samples on known trajectories through two scenes; created once, below build/."""

import json
import math
import shutil
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from fractions import Fraction
from functools import cache
from pathlib import Path

import av
import cv2
import numpy as np
from av.video.stream import VideoStream
from numpy.typing import NDArray

from scripts.benchmarks.photos import SAMPLES, background, head
from scripts.benchmarks.rows import ROOT
from scripts.benchmarks.stage import fetched

# Increase when the video is generated differently.
EDITION = 2
WIDTH, HEIGHT, RATE = 1920, 1080, 25
SCENE, SCENES = 150, 2  # frames per scene, and number of scenes
GRAIN = 3.0
SHUTTER = 0.5  # share of a frame's time that is exposed: moving faces are blurred over that share of their path


@dataclass(frozen=True, slots=True)
class Pose:
    """A face: its centre, the height of its box, degrees clockwise."""

    x: float
    y: float
    height: float
    tilt: float = 0.0


Way = Callable[[float], Pose]  # share of the scene, 0 to 1 -> where the face is
Outline = NDArray[np.float32]  # [4, 2]: the corners of a face's box, tilted with it


@dataclass(frozen=True, slots=True)
class Clip:
    path: Path
    faces: tuple[tuple[Outline, ...], ...]  # per frame, those behind first


def clip() -> Clip:
    """Return the video, created at the first call."""
    folder = ROOT / "build" / "bench" / f"clip-{EDITION}"
    path, said = folder / "clip.mp4", folder / "faces.json"
    if not said.is_file():
        for old in folder.parent.glob("clip-*"):
            shutil.rmtree(old)
        folder.mkdir(parents=True)
        samples, _ = fetched()
        truth = _write(path, samples)
        said.write_text(json.dumps([[outline.round(2).tolist() for outline in frame] for frame in truth]), encoding="utf-8")
    truth = json.loads(said.read_text(encoding="utf-8"))
    return Clip(path, tuple(tuple(np.array(outline, np.float32) for outline in frame) for frame in truth))


def looped(source: Path, target: Path, seconds: float) -> None:
    """Repeat the same video, without re-encoding, up to that length."""
    with av.open(str(target), "w") as output:
        stream: VideoStream | None = None
        shift, end, tick = 0, 0, Fraction(1)
        while end * tick < seconds:
            with av.open(str(source)) as given:
                video = given.streams.video[0]
                if stream is None:
                    stream = output.add_stream_from_template(video)
                    stream.time_base = tick = video.time_base or tick
                for packet in given.demux(video):
                    if packet.pts is None or packet.dts is None:
                        continue
                    packet.pts, packet.dts = packet.pts + shift, packet.dts + shift
                    end = max(end, packet.pts + (packet.duration or 0))
                    packet.stream = stream
                    output.mux(packet)
            shift = end


def _ways() -> list[list[tuple[str, Way]]]:
    """Return the trajectories per scene, those behind first."""
    biden, *obama = sorted(SAMPLES)

    def line(x0: float, y0: float, x1: float, y1: float, height: float, tilt: float = 0.0) -> Way:
        return lambda t: Pose(x0 + t * (x1 - x0), y0 + t * (y1 - y0), height, tilt)

    first: list[tuple[str, Way]] = [
        (obama[0], lambda t: Pose(250 + 20 * math.sin(9 * t), 150, 24)),  # far away
        (biden, line(900, 160, 1300, 190, 32)),
        (obama[1], line(-120, 420, 2050, 470, 90)),  # enters, crosses, leaves
        (biden, line(1800, 500, 200, 380, 110)),  # moves the other way, in front
        (obama[2], lambda t: Pose(1500, 780, 300, 45 * math.sin(2 * math.pi * t))),  # turns
        (obama[0], lambda t: Pose(500 + 330 * math.sin(6 * math.pi * t), 850, 140)),  # fast: blurred
        (biden, lambda t: Pose(960, 1250 - 500 * math.sin(math.pi * t), 180)),  # from below, and back down
    ]
    second: list[tuple[str, Way]] = [
        (obama[1], lambda t: Pose(400, 300, 24 * (300 / 24) ** t)),  # approaches
        (biden, lambda t: Pose(1500, 400, 300 * (40 / 300) ** t, 20 * math.sin(8 * t))),  # recedes
        (obama[2], lambda t: Pose(900 + 250 * math.cos(5 * t), 700 + 200 * math.sin(5 * t), 60, 45 * math.sin(12 * t))),
        (obama[0], line(2100, 900, -200, 850, 200)),  # across the whole picture
        (biden, lambda t: Pose(1150, 130, 28)),
        (obama[0], lambda t: Pose(1250, 140, 26)),  # two side by side
    ]
    return [first, second]


def _write(path: Path, samples: Path) -> list[list[Outline]]:
    truth: list[list[Outline]] = []
    with av.open(str(path), "w") as output:
        stream = output.add_stream("libx264", rate=RATE, options={"preset": "medium", "crf": "20", "g": "25"})
        stream.width, stream.height, stream.pix_fmt = WIDTH, HEIGHT, "yuv420p"
        stream.time_base = Fraction(1, 12800)
        for picture, outlines in _frames(samples):
            frame = av.VideoFrame.from_ndarray(picture, "rgb24")
            frame.pts, frame.time_base = len(truth) * 12800 // RATE, Fraction(1, 12800)
            output.mux(stream.encode(frame))
            truth.append(outlines)
        output.mux(stream.encode(None))
    return truth


def _frames(samples: Path) -> Iterator[tuple[NDArray[np.uint8], list[Outline]]]:
    chance = np.random.default_rng(5)
    grain = [GRAIN * chance.standard_normal((HEIGHT, WIDTH, 1), np.float32) for _ in range(5)]
    for scene, ways in enumerate(_ways()):
        wide = background(40 + scene, (WIDTH + SCENE, HEIGHT))
        for number in range(SCENE):
            canvas = wide[:, number : number + WIDTH].copy()  # the camera pans slowly
            outlines = [_draw(canvas, samples, name, way, number) for name, way in ways]
            canvas += grain[number % len(grain)]
            yield np.clip(canvas, 0, 255).astype(np.uint8), outlines


def _draw(canvas: NDArray[np.float32], samples: Path, name: str, way: Way, number: int) -> Outline:
    """Draw one head, blurred along its path. Return its face's outline in the middle of the exposure."""
    pixels, face = _shrunk(samples, name, way(number / SCENE).height)
    pose = way(number / SCENE)
    soon = way((number + SHUTTER) / SCENE)
    steps = max(1, math.ceil(math.hypot(soon.x - pose.x, soon.y - pose.y)))
    total, weights = np.zeros((0, 0, 3), np.float32), np.zeros((0, 0, 1), np.float32)
    rows, columns = pixels.shape[:2]
    scale = pose.height / face[3]
    reach = math.ceil(scale * math.hypot(rows, columns) + steps) + 2
    x0, y0 = round(pose.x) - reach, round(pose.y) - reach
    total = np.zeros((2 * reach, 2 * reach, 3), np.float32)
    weights = np.zeros((2 * reach, 2 * reach, 1), np.float32)
    soft = _soft(rows, columns)
    for step in range(steps):
        part = way((number + SHUTTER * (step + 0.5) / steps - SHUTTER / 2) / SCENE)
        matrix = cv2.getRotationMatrix2D((face[0] + face[2] / 2, face[1] + face[3] / 2), -part.tilt, scale)
        matrix[:, 2] += np.array((part.x - x0 - face[0] - face[2] / 2, part.y - y0 - face[1] - face[3] / 2))
        size = (2 * reach, 2 * reach)
        total += cv2.warpAffine(pixels * soft, matrix, size)
        weights += cv2.warpAffine(soft, matrix, size)[:, :, None]
    total /= steps
    weights /= steps
    left, top, right, bottom = max(0, x0), max(0, y0), min(WIDTH, x0 + 2 * reach), min(HEIGHT, y0 + 2 * reach)
    if left < right and top < bottom:
        inside = (slice(top - y0, bottom - y0), slice(left - x0, right - x0))
        canvas[top:bottom, left:right] = canvas[top:bottom, left:right] * (1 - weights[inside]) + total[inside]
    half_w, half_h = scale * face[2] / 2, scale * face[3] / 2
    turn = math.radians(pose.tilt)
    corners = np.array([(-half_w, -half_h), (half_w, -half_h), (half_w, half_h), (-half_w, half_h)], np.float32)
    around = np.array([(math.cos(turn), math.sin(turn)), (-math.sin(turn), math.cos(turn))], np.float32)
    return np.asarray(corners @ around + (pose.x, pose.y), np.float32)


def _shrunk(samples: Path, name: str, height: float) -> tuple[NDArray[np.float32], tuple[float, float, float, float]]:
    """Return the sample at about twice the wanted size, to avoid aliasing; and its face's box."""
    _, face = head(samples, name)
    factor = min(1.0, 2 ** math.ceil(math.log2(height / face.h)))
    return _at(samples, name, factor), (face.x * factor, face.y * factor, face.w * factor, face.h * factor)


@cache
def _at(samples: Path, name: str, factor: float) -> NDArray[np.float32]:
    pixels, _ = head(samples, name)
    size = (max(1, round(pixels.shape[1] * factor)), max(1, round(pixels.shape[0] * factor)))
    return np.asarray(cv2.resize(pixels, size, interpolation=cv2.INTER_AREA), np.float32)


def _soft(rows: int, columns: int) -> NDArray[np.float32]:
    down, across = (np.minimum(1, np.minimum(np.arange(n) + 1, np.arange(n, 0, -1)) / (0.08 * n)) for n in (rows, columns))
    return np.minimum.outer(down, across).astype(np.float32)[:, :, None]

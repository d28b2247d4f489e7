"""Passes of a net over a picture: the whole of it at some scale, or only the surroundings of some places."""

from collections.abc import Sequence

from agent.domain.face import Box
from agent.inference.vision.codecs import Image, resize
from agent.inference.vision.detection import NMS_IOU, Detection, Look, scaled, suppress, whole
from agent.inference.vision.tiles import Area, canvas_size, frame_size, grid, on_canvas, windows


def detect_whole(look: Look, image: Image, ratio: float, least: float) -> list[Detection]:
    """Return the detections of at least that score in the whole image scaled to `ratio` of its full size."""
    width, height = _scaled_size(image, ratio)
    return _merged(look, image, grid(width, height), (width, height), least)


def detect_on_canvas(look: Look, image: Image, ratio: float, least: float) -> list[Detection]:
    """The same in one piece, on one of few canvases: a scan's photos then all need the same sizes."""
    width, height = _scaled_size(image, ratio)
    return _merged(look, image, [(0, 0, width, height)], (width, height), least, frame_size(width, height))


def detect_regions(look: Look, image: Image, ratio: float, least: float, places: Sequence[Box]) -> list[Detection]:
    """The same only in windows around some places."""
    width, height = _scaled_size(image, ratio)
    return _merged(look, image, windows([place.scaled(ratio) for place in places], width, height), (width, height), least)


def _scaled_size(image: Image, ratio: float) -> tuple[int, int]:
    return max(1, round(image.width * ratio)), max(1, round(image.height * ratio))


def _merged(
    look: Look, image: Image, areas: Sequence[Area], size: tuple[int, int], least: float, canvas: tuple[int, int] | None = None
) -> list[Detection]:
    found = [face for area in areas for face in _window(look, image, area, size, least, canvas)]
    return suppress(sorted(found, key=lambda face: -face.score), NMS_IOU)


def _window(look: Look, image: Image, area: Area, size: tuple[int, int], least: float, canvas: tuple[int, int] | None) -> list[Detection]:
    """Return the detections in a part of the image, whose whole has that width and height in pixels."""
    (left, top, right, bottom), (width, height) = area, size
    rows, columns = image.pixels.shape[:2]
    # The part in whole decoded pixels, and the size of one net pixel in the full image.
    x0, y0 = left * columns // width, top * rows // height
    x1, y1 = -(-right * columns // width), -(-bottom * rows // height)
    pixels = resize(image.pixels[y0:y1, x0:x1], right - left, bottom - top)
    fx, fy = (x1 - x0) / (right - left) * image.width / columns, (y1 - y0) / (bottom - top) * image.height / rows
    dx, dy = x0 * image.width / columns, y0 * image.height / rows
    cut = (left > 0, top > 0, right < width, bottom < height)
    seen = look(on_canvas(pixels, canvas or canvas_size(right - left, bottom - top)), least)
    return [scaled(face, fx, fy, dx, dy) for face in suppress(seen, NMS_IOU) if whole(face.box, right - left, bottom - top, cut)]

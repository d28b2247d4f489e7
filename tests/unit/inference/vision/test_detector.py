"""The detector's arithmetic, and when it looks again."""

from collections.abc import Callable
from dataclasses import replace

import numpy as np
import pytest
from numpy.typing import NDArray

from agent.domain.face import Box
from agent.inference.vision.codecs import Image, Pixels
from agent.inference.vision.detection import Detection, back, five, suppress
from agent.inference.vision.detector import close_ratio
from agent.inference.vision.detectors.centerface import CenterFace, decode
from agent.inference.vision.orientation import turned

Net = Callable[[NDArray[np.uint8]], list[NDArray[np.float32]]]
Whole = Callable[[Pixels], Image]
POINTS = ((0.0, 0.0),) * 5
LARGE = (4000, 3000)


def scene(width: int, height: int, *boxes: tuple[int, int, int, int]) -> Pixels:
    """White rectangles on black."""
    pixels = np.zeros((height, width, 3), np.uint8)
    for x, y, w, h in boxes:
        pixels[y : y + h, x : x + w] = 255
    return pixels


def large(*boxes: tuple[int, int, int, int]) -> Image:
    """A photo of 12 megapixels as JPEGs are decoded where no more is asked for: at half its size."""
    halves = [(x // 2, y // 2, w // 2, h // 2) for x, y, w, h in boxes]
    pixels = scene(LARGE[0] // 2, LARGE[1] // 2, *halves)
    # Slowly brighter to the bottom and bluer to the right: a colour photo without any place that looks like skin.
    pixels = np.maximum(pixels, np.linspace(0, 60, len(pixels)).astype(np.uint8)[:, None, None])
    pixels[:, :, 2] = np.maximum(pixels[:, :, 2], np.linspace(0, 60, pixels.shape[1]).astype(np.uint8))
    return Image(pixels, 0.5, *LARGE, "jpeg")


class Recording:
    """A net that remembers the shapes it was given."""

    def __init__(self, net: Net) -> None:
        self._net = net
        self.shapes: list[tuple[int, ...]] = []

    def __call__(self, image: NDArray[np.uint8]) -> list[NDArray[np.float32]]:
        self.shapes.append(image.shape)
        return self._net(image)


def found_boxes(net: Net, image: Image) -> list[tuple[int, ...]]:
    found = CenterFace(net)(lambda side: image, 0.5)
    return sorted(tuple(round(v) for v in (face.box.x, face.box.y, face.box.w, face.box.h)) for face in found)


def test_a_face_is_read_from_the_four_maps() -> None:
    heat, scale, offset = (np.zeros((1, n, 10, 20), np.float32) for n in (1, 2, 2))
    landmarks = np.zeros((1, 10, 10, 20), np.float32)
    heat[0, 0, 5, 7] = 0.8
    scale[0, :, 5, 7] = np.log(6), np.log(4)  # height 24, width 16
    offset[0, :, 5, 7] = 0.25, -0.25
    landmarks[0, :, 5, 7] = (0.4, 0.25, 0.4, 0.75, 0.6, 0.5, 0.8, 0.3, 0.8, 0.7)
    (face,) = decode([heat, scale, offset, landmarks], 0.5)
    cx, cy = (7 - 0.25 + 0.5) * 4, (5 + 0.25 + 0.5) * 4
    assert (face.box.x, face.box.y, face.box.w, face.box.h) == pytest.approx((cx - 8, cy - 12, 16, 24))
    assert face.score == pytest.approx(0.8)
    assert face.landmarks[0] == pytest.approx((cx - 8 + 0.25 * 16, cy - 12 + 0.4 * 24))
    assert face.landmarks[4] == pytest.approx((cx - 8 + 0.7 * 16, cy - 12 + 0.8 * 24))


def test_of_overlapping_detections_the_best_stays() -> None:
    best, near, apart = (Detection(Box(x, 0, 10, 10), score, POINTS) for x, score in ((0, 0.9), (2, 0.8), (30, 0.7)))
    assert suppress([best, near, apart], 0.3) == [best, apart]


def test_boxes_come_back_in_pixels_of_the_full_image(blob_net: Net, whole: Whole) -> None:
    assert found_boxes(blob_net, whole(scene(1280, 960, (400, 200, 160, 200)))) == [(400, 200, 160, 200)]


def test_an_image_decoded_reduced_gives_boxes_at_full_size(blob_net: Net) -> None:
    image = Image(scene(640, 480, (200, 100, 80, 100)), 0.5, 1280, 960, "jpeg")
    assert found_boxes(blob_net, image) == [(400, 200, 160, 200)]


def test_a_photo_without_small_faces_is_looked_at_once(blob_net: Net, whole: Whole) -> None:
    net = Recording(blob_net)
    assert len(found_boxes(net, whole(scene(1400, 1050, (400, 200, 400, 400))))) == 1
    assert net.shapes == [(1, 512, 640, 3)]


def test_a_large_photo_gets_one_look_and_a_coarse_one_on_canvases_of_fixed_sizes(blob_net: Net) -> None:
    net = Recording(blob_net)
    assert len(found_boxes(net, large((400, 200, 400, 400)))) == 1
    assert net.shapes == [(1, 192, 256, 3), (1, 608, 800, 3)]


def test_hints_of_small_faces_are_followed_to_the_finest_look(blob_net: Net, whole: Whole) -> None:
    small = [(300, 300, 24, 24), (1190, 900, 24, 24), (2300, 1500, 24, 24)]  # the second lies where tiles overlap
    image = whole(scene(2400, 1800, *small))
    net = Recording(blob_net)
    assert found_boxes(net, image) == small
    assert all(shape[1] <= 1280 and shape[2] <= 1280 for shape in net.shapes)


def test_large_faces_keep_their_box_when_small_ones_are_looked_for(blob_net: Net, whole: Whole) -> None:
    boxes = [(100, 100, 300, 300), (1000, 800, 16, 16)]
    assert found_boxes(blob_net, whole(scene(1280, 960, *boxes))) == boxes


def test_a_small_image_with_small_faces_is_enlarged(blob_net: Net, whole: Whole) -> None:
    boxes = [(40, 40, 8, 8), (200, 100, 8, 8)]
    assert found_boxes(blob_net, whole(scene(400, 300, *boxes))) == [pytest.approx(box, abs=1) for box in boxes]


def test_a_face_that_fills_the_picture_is_found_coarser(blob_net: Net, whole: Whole) -> None:
    assert found_boxes(blob_net, whole(scene(1280, 1280, (100, 100, 1000, 1000)))) == [(100, 100, 1000, 1000)]


def test_a_picture_made_of_faces_is_bounded() -> None:
    shape = (320, 320)
    heat, flat = np.full((1, 1, *shape), 0.9, np.float32), np.zeros((1, 2, *shape), np.float32)
    assert len(decode([heat, flat, flat, np.zeros((1, 10, *shape), np.float32)], 0.5)) == 4000


def test_nothing_is_found_in_nothing(blob_net: Net, whole: Whole) -> None:
    assert found_boxes(blob_net, whole(scene(3, 1))) == []


@pytest.mark.parametrize("tone", [(1.0, 1.0, 1.0), (1.0, 0.87, 0.68)], ids=["black-and-white", "sepia"])
def test_a_large_photo_without_colours_gets_a_finer_pass_and_a_closer_one_around_hints(blob_net: Net, tone: tuple[float, ...]) -> None:
    boxes = [(1000, 800, 70, 70), (2000, 1200, 56, 56)]  # in a pass at 800 the second leaves a hint only
    image = large(*boxes)
    image.pixels[:] = image.pixels[:, :, :1] * np.array(tone)
    net = Recording(blob_net)
    assert found_boxes(net, image) == [pytest.approx(box, abs=3) for box in boxes]
    assert net.shapes[:2] == [(1, 512, 640, 3), (1, 768, 1024, 3)] and len(net.shapes) > 2


def test_the_places_of_hints_are_looked_at_closely_in_one_mosaic(blob_net: Net) -> None:
    small = [(300, 300, 40, 40), (1600, 310, 40, 40), (3700, 2600, 40, 40)]
    net = Recording(blob_net)
    assert found_boxes(net, large(*small)) == [pytest.approx(box, abs=2) for box in small]
    # The first brought three faces, so it would be followed by another if there were more places.
    assert net.shapes == [(1, 192, 256, 3), (1, 608, 800, 3), (1, 320, 320, 3)]


def test_in_a_crowd_neighbours_without_a_hint_are_found(blob_net: Net) -> None:
    hinting = [(300 + 100 * i, 300, 40, 40) for i in range(5)]
    silent = (500, 400, 22, 22)
    net = Recording(blob_net)
    assert found_boxes(net, large(*hinting, silent)) == [pytest.approx(box, abs=2) for box in sorted((*hinting, silent))]
    assert sum(height * width for _, height, width, _ in net.shapes[2:]) < 2000 * 1500 / 4


def test_a_small_face_that_leaves_no_hint_is_found_by_its_colour(blob_net: Net) -> None:
    boxes = [(1000, 800, 22, 22)]
    image = large(*boxes)
    assert found_boxes(blob_net, image) == []
    image.pixels[400:411, 500:511] = 220, 150, 120
    assert found_boxes(blob_net, image) == [pytest.approx(box, abs=3) for box in boxes]


class Facing(CenterFace):
    """A detector that is surer of upright faces: white ones whose lower half, and mouth, is magenta."""

    def look(self, canvas: NDArray[np.uint8], min_score: float) -> list[Detection]:
        return [face for face in (self._facing(canvas[0], face) for face in super().look(canvas, 0.3)) if face.score >= min_score]

    def _facing(self, pixels: Pixels, face: Detection) -> Detection:
        box = face.box
        rows, columns = (slice(max(0, round(start)), round(start + side)) for start, side in ((box.y, box.h), (box.x, box.w)))
        ys, xs = np.nonzero(pixels[rows, columns, 1] < 100)
        x, y = box.x + box.w / 2, box.y + box.h / 2
        right, down = (
            np.sign(mean) if abs(mean) > side / 8 else 0
            for mean, side in ((xs.mean() + 0.5 - box.w / 2, box.w), (ys.mean() + 0.5 - box.h / 2, box.h))
        )
        reach, across = (box.h if down else box.w) / 4, (box.w if down else box.h) / 4

        def point(along: float, aside: float) -> tuple[float, float]:
            return float(x + along * right * reach + aside * down * across), float(y + along * down * reach - aside * right * across)

        landmarks = five([point(-1, -1), point(-1, 1), point(0, 0), point(1, -1), point(1, 1)])
        return replace(face, score=0.9 if down > 0 else 0.6, landmarks=landmarks)


@pytest.mark.parametrize("turn", [1, 2, 3])
def test_faces_of_a_turned_photo_come_back_where_they_are(blob_net: Net, turn: int) -> None:
    image = large((400, 200, 400, 500), (2600, 1800, 300, 400))
    image.pixels[225:350, 200:400, 1] = 0
    image.pixels[1000:1100, 1300:1450, 1] = 0
    lying = turned(image, turn)
    upright, found = Facing(blob_net)(lambda _: image, 0.5), Facing(blob_net)(lambda _: lying, 0.5)
    assert [face.score for face in found] == [0.9, 0.9]
    for right, face in zip(upright, found, strict=True):
        there = back(face, turn, image.width, image.height)
        assert there.box.iou(right.box) > 0.98
        assert np.allclose(there.landmarks, right.landmarks, atol=6)


def test_the_smallest_hint_says_how_close_a_look_must_be() -> None:
    assert close_ratio(4000, 48) == 0.5 == close_ratio(4000, 20), "no closer than half a 12-megapixel photo"
    assert close_ratio(4000, 80) == pytest.approx(0.3)
    assert close_ratio(400, 8) == 2.0, "small images are enlarged, but at most twice"


def test_a_thorough_look_finds_small_faces_that_left_no_hint_and_large_ones_beside_them(blob_net: Net, whole: Whole) -> None:
    boxes = [(1500, 1200, 8, 8), (40, 40, 1000, 1000)]
    detector = CenterFace(blob_net)
    image = whole(scene(2000, 1500, *boxes))
    plain, thorough = ({round(face.box.w) for face in find(lambda _: image, 0.5)} for find in (detector, detector.thorough))
    assert (plain, thorough) == ({1000}, {8, 1000})


def test_a_thorough_look_counts_what_is_less_sure(blob_net: Net, whole: Whole) -> None:
    image = whole(scene(1280, 960, (300, 300, 6, 6)))
    assert CenterFace(blob_net).thorough(lambda _: image, 0.5)[0].score == pytest.approx(0.3)


def test_in_a_large_picture_hints_are_followed_closer(blob_net: Net, whole: Whole) -> None:
    image = whole(scene(4000, 3000, (3000, 2000, 16, 16)))  # 7 pixels at the finest look at the whole
    (face,) = CenterFace(blob_net).thorough(lambda _: image, 0.5)
    assert face.score == pytest.approx(0.9)

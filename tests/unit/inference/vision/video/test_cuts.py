"""Where another scene begins."""

from functools import cache

import numpy as np
from numpy.typing import NDArray

from agent.inference.vision.video.part_detection import Cuts


@cache
def wide(seed: int) -> NDArray[np.int64]:
    return np.kron(np.random.default_rng(seed).integers(20, 235, (9, 24)), np.ones((60, 60), np.int64))


def scene(seed: int, shift: int = 0, depth: int = 8) -> NDArray[np.uint8] | NDArray[np.uint16]:
    pixels = wide(seed)[:, shift : shift + 960]
    return (pixels << (depth - 8)).astype(np.uint16) if depth > 8 else pixels.astype(np.uint8)


def begun(frames: list[NDArray[np.uint8] | NDArray[np.uint16]], depth: int = 8) -> list[int]:
    cuts = Cuts()
    return [number for number, frame in enumerate(frames) if cuts.begins([frame], depth)]


def test_another_scene_is_a_cut_and_only_its_first_frame() -> None:
    assert begun([scene(1)] * 5 + [scene(2)] * 5) == [5]


def test_a_picture_of_another_size_begins_a_scene() -> None:
    assert begun([scene(1)] * 3 + [scene(1)[::2, ::2]] * 3) == [3]


def test_also_in_ten_bits() -> None:
    assert begun([scene(1, depth=10)] * 3 + [scene(2, depth=10)] * 3, depth=10) == [3]


def test_a_camera_that_pans_fast_makes_no_cut() -> None:
    assert begun([scene(1, shift=5 * number) for number in range(20)]) == []


def test_noise_and_slow_light_make_no_cut() -> None:
    chance = np.random.default_rng(3)
    noise = (6 * chance.standard_normal((540, 960), np.float32) for _ in range(10))
    shown = scene(1).astype(np.float32)
    frames = [np.clip(shown * (0.5 + 0.02 * number) + each, 0, 255).astype(np.uint8) for number, each in enumerate(noise)]
    assert begun(list(frames)) == []


def test_a_small_picture_is_compared_as_well() -> None:
    dark, light = np.zeros((5, 7), np.uint8), np.full((5, 7), 200, np.uint8)
    assert begun([dark, dark, light]) == [2]


def test_scenes_that_are_equally_bright_differ_in_their_colours() -> None:
    grey, red, blue = (np.full((90, 160), value, np.uint8) for value in (128, 160, 96))
    cuts = Cuts()
    shown = [cuts.begins([grey, *colours]) for colours in ((red, blue), (red, blue), (blue, red), (blue, red))]
    assert shown == [False, False, True, False]

"""Dark glasses and masks drawn on the sample portraits are noticed, and turned photos give the same face prints."""

from pathlib import Path

import cv2
import numpy as np
import PIL.Image
import pytest
from numpy.typing import NDArray

from agent.domain.face import Landmarks
from agent.domain.identity_matching import is_clear
from agent.domain.image import Recipe
from agent.inference.engine.analyser import Analyse
from agent.inference.engine.service import Engine

RECOGNISE = Recipe("centerface-2", "mobilefacenet-2")
PORTRAITS = ("biden.jpg", "obama.jpg", "obama2.jpg", "obama3.jpg")


def glasses(pixels: NDArray[np.uint8], face: Landmarks) -> NDArray[np.uint8]:
    apart = float(np.linalg.norm(np.subtract(face[1], face[0])))
    drawn = pixels.copy()
    for x, y in face[:2]:
        cv2.ellipse(drawn, (round(x), round(y + 0.05 * apart)), (round(0.4 * apart), round(0.3 * apart)), 0, 0, 360, (15, 15, 18), -1)
    cv2.line(drawn, _whole(face[0]), _whole(face[1]), (15, 15, 18), round(0.06 * apart))
    return drawn


def mask(pixels: NDArray[np.uint8], face: Landmarks) -> NDArray[np.uint8]:
    nose, mouth = np.array(face[2]), np.mean(face[3:], axis=0)
    apart = float(np.linalg.norm(np.subtract(face[1], face[0])))
    shape = [(-0.95, -0.75), (0, None), (0.95, -0.75), (0.9, 0.25), (0.45, 0.85), (-0.45, 0.85), (-0.9, 0.25)]
    points = [mouth + np.array([x, y]) * apart if y is not None else nose - [0, 0.18 * apart] for x, y in shape]
    drawn = pixels.copy()
    cv2.fillPoly(drawn, [np.round(points).astype(np.int32)], (150, 190, 220))
    return drawn


def _whole(point: tuple[float, float]) -> tuple[int, int]:
    return round(point[0]), round(point[1])


@pytest.mark.parametrize("name", PORTRAITS)
def test_a_mask_and_dark_glasses_are_noticed(engine: Engine, samples_folder: Path, tmp_path: Path, name: str) -> None:
    (face,) = engine.analyse(Analyse(str(samples_folder / name), RECOGNISE)).faces
    assert 0 < face.quality.covered < 0.5 and is_clear(face.quality)
    pixels = np.asarray(PIL.Image.open(samples_folder / name).convert("RGB"))
    for draw in (glasses, mask):
        PIL.Image.fromarray(draw(pixels, face.landmarks)).save(tmp_path / "drawn.png")
        (found,) = engine.analyse(Analyse(str(tmp_path / "drawn.png"), RECOGNISE)).faces
        assert found.quality.covered > 0.5 and not is_clear(found.quality), draw.__name__


def test_without_recognition_it_is_not_measured(engine: Engine, samples_folder: Path) -> None:
    (face,) = engine.analyse(Analyse(str(samples_folder / "obama.jpg"), Recipe("centerface-2"))).faces
    assert face.quality.covered == 0


@pytest.mark.parametrize("quarters", [1, 2, 3])
@pytest.mark.parametrize("name", PORTRAITS)
def test_a_turned_photo_gives_the_same_print(engine: Engine, samples_folder: Path, tmp_path: Path, name: str, quarters: int) -> None:
    pixels = np.asarray(PIL.Image.open(samples_folder / name).convert("RGB"))
    prints = []
    for turned in (pixels, np.rot90(pixels, quarters)):
        PIL.Image.fromarray(np.ascontiguousarray(turned)).save(tmp_path / "turned.png")
        (face,) = engine.analyse(Analyse(str(tmp_path / "turned.png"), RECOGNISE)).faces
        assert face.embedding is not None
        prints.append(np.frombuffer(face.embedding, "<f4"))
    assert np.linalg.norm(prints[0] - prints[1]) < 0.4

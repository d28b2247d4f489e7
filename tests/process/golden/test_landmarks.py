"""The second look on real faces: from points that are off it comes back to the same places."""

from pathlib import Path

import numpy as np
import pytest

from agent.inference.engine.engine_calls import EngineConfig
from agent.inference.engine.runtime import Runtime
from agent.inference.engine.service import detector_of
from agent.inference.vision.aligner import refined
from agent.inference.vision.codecs import DecodeLimits, decode
from agent.inference.vision.detection import five
from agent.inference.vision.detectors import THOROUGH

# Of the distance between the eyes: how far the points are put off, and how far apart they may then come back.
OFF, APART = 0.12, 0.09


@pytest.mark.parametrize("name", ["obama.jpg", "obama2.jpg", "obama3.jpg", "biden.jpg"])
def test_points_that_are_off_come_back(engine_config: EngineConfig, samples_folder: Path, name: str) -> None:
    runtime = Runtime(device="CPU", precision="f32", threads=1, converted=Path(engine_config.converted), cache=Path(engine_config.cache))
    finder = detector_of(runtime, THOROUGH, engine_config.models[THOROUGH])
    image = decode((samples_folder / name).read_bytes(), DecodeLimits(megapixels=50, megabytes=50))
    (face,) = finder(lambda _: image, 0.5)
    points = np.array(face.landmarks)
    eyes = float(np.linalg.norm(points[0] - points[1]))
    middle = points.mean(axis=0)
    spoilt = [
        points + np.array([OFF * eyes, 0]),
        points - np.array([0, OFF * eyes]),
        middle + (points - middle) * (1 + OFF),
        middle + (points - middle) * (1 - OFF),
    ]
    found = [np.array(refined(image, five([(float(x), float(y)) for x, y in each]), finder.look)) for each in (points, *spoilt)]
    assert max(np.linalg.norm(each - found[0], axis=1).max() for each in found) <= APART * eyes

"""The public-domain sample photos: their faces, who is who, and that nothing of recognition runs while it is off."""

import time
from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray

from agent.domain.face import Box
from agent.domain.image import Recipe
from agent.inference.engine.analyser import Analyse
from agent.inference.engine.engine_calls import EngineConfig
from agent.inference.engine.service import Engine

DETECT = Recipe("centerface-2")
RECOGNISE = Recipe("centerface-2", "mobilefacenet-2")
# Looked at: each box holds the face from forehead to chin.
FACES = {
    "32bit.png": Box(200, 237, 281, 403),
    "biden.jpg": Box(427, 161, 290, 409),
    "obama.jpg": Box(369, 86, 251, 348),
    "obama2.jpg": Box(200, 237, 281, 403),
    "obama3.jpg": Box(641, 248, 280, 364),
    "obama_partial_face.jpg": Box(-4, 88, 186, 342),
    "obama_partial_face2.jpg": Box(376, 88, 208, 342),
}


@pytest.mark.parametrize("name", FACES)
def test_each_sample_has_one_face_where_it_is(engine: Engine, samples_folder: Path, name: str) -> None:
    (face,) = engine.analyse(Analyse(str(samples_folder / name), DETECT)).faces
    assert face.box.iou(FACES[name]) > 0.9
    assert face.score > 0.8
    left_eye, right_eye, nose, left_mouth, right_mouth = face.landmarks
    assert left_eye[0] < nose[0] < right_eye[0]
    assert max(left_eye[1], right_eye[1]) < nose[1] < min(left_mouth[1], right_mouth[1])
    assert face.quality.size > 90
    assert face.quality.sharpness > 500
    assert abs(face.quality.yaw) < 30 and abs(face.quality.roll) < 15


@pytest.mark.smoke
def test_one_man_is_near_himself_and_far_from_another(engine: Engine, samples_folder: Path) -> None:
    embeddings: dict[str, NDArray[np.float32]] = {}
    for name in FACES:
        (face,) = engine.analyse(Analyse(str(samples_folder / name), RECOGNISE)).faces
        assert face.embedding is not None
        embeddings[name] = np.frombuffer(face.embedding, "<f4")
    biden = embeddings.pop("biden.jpg")
    obama = np.stack(list(embeddings.values()))
    # 0.747 at most in bf16; another processor's rounding may add a little.
    assert np.linalg.norm(obama[:, None] - obama[None], axis=-1).max() < 0.78
    assert np.linalg.norm(obama - biden, axis=-1).min() > 1.3


def test_while_recognition_is_off_the_embedder_is_not_even_loaded(engine_config: EngineConfig, samples_folder: Path) -> None:
    engine = Engine(engine_config, time.perf_counter)
    analysis = engine.analyse(Analyse(str(samples_folder / "obama.jpg"), DETECT))
    assert engine.loaded == {"centerface-2"}
    assert [(face.embedding, face.chip) for face in analysis.faces] == [(None, None)]
    engine.analyse(Analyse(str(samples_folder / "obama.jpg"), RECOGNISE))
    assert engine.loaded == {"centerface-2", "mobilefacenet-2"}

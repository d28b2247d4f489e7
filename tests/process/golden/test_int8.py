"""The quantised detector on the samples: the ranges belong to the model, and its results stay near those at full precision."""

import json
import time
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from agent.domain.image import Recipe
from agent.inference.engine.analyser import Analyse
from agent.inference.engine.engine_calls import EngineConfig
from agent.inference.engine.openvino_models import calibration_of, load
from agent.inference.engine.openvino_session import adds_bytes_exactly
from agent.inference.engine.selftest import self_test
from agent.inference.engine.service import Engine
from agent.inference.vision.detectors.centerface import CenterFace
from agent.infrastructure.core.resources import resource

ASSET = resource("models") / "int8" / "centerface.json"


def test_the_ranges_belong_to_the_model_of_the_manifest(engine_config: EngineConfig) -> None:
    file = engine_config.models[CenterFace.recipe]
    assert calibration_of(file) == ASSET
    assert calibration_of(replace(file, sha256="0a" * 32)) is None
    assert {"calibration", "made_by"} <= json.loads(ASSET.read_text(encoding="utf-8")).keys()


def test_quantising_is_deterministic(engine_config: EngineConfig, tmp_path: Path) -> None:
    file = engine_config.models[CenterFace.recipe]
    for name in ("one", "other"):
        load(file, tmp_path / name, int8=True)
    (one,), (other,) = ((tmp_path / name).glob("*.bin") for name in ("one", "other"))
    assert one.name == other.name and one.read_bytes() == other.read_bytes()


@pytest.mark.parametrize("precision", ["int8", "int8_bf16"])
def test_this_processor_passes(engine_config: EngineConfig, precision: str) -> None:
    trial = self_test(replace(engine_config, precision=precision), time.perf_counter)
    assert trial.fault is None and trial.precision.startswith("int8") == adds_bytes_exactly()


def test_the_samples_faces_stay_where_they_are(engine_config: EngineConfig, samples_folder: Path) -> None:
    exact, quantised = (Engine(replace(engine_config, precision=each), time.perf_counter) for each in ("f32", "int8"))
    assert (quantised.precision == "int8") == adds_bytes_exactly()
    for path in sorted(samples_folder.iterdir()):
        task = Analyse(str(path), Recipe(CenterFace.recipe))
        (expected,), (found,) = exact.analyse(task).faces, quantised.analyse(task).faces
        assert found.box.iou(expected.box) > 0.9 and abs(found.score - expected.score) < 0.05
        moved = np.linalg.norm(np.array(found.landmarks) - np.array(expected.landmarks), axis=1)
        assert moved.mean() < 0.02 * max(expected.box.w, expected.box.h)


def test_where_a_missed_face_would_be_shown_nothing_is_quantised(engine_config: EngineConfig, samples_folder: Path) -> None:
    exact, quantised = (Engine(replace(engine_config, precision=each), time.perf_counter) for each in ("f32", "int8"))
    task = Analyse(str(samples_folder / "obama.jpg"), Recipe(CenterFace.recipe), thorough=True)
    found = quantised.analyse(task)
    assert not found.precision.startswith("int8")
    assert found.precision != "f32" or found.faces == exact.analyse(task).faces

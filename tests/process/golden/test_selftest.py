"""The people drawn for the self-test are taken for faces, so that a device that sees none is found out."""

import time
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest

from agent.inference.engine.engine_calls import EngineConfig
from agent.inference.engine.runtime import Runtime
from agent.inference.engine.selftest import accelerators, self_test
from agent.inference.engine.selftest_sample import group, one
from agent.inference.engine.service import detector_of
from agent.inference.vision.codecs import Image


@pytest.mark.parametrize(("draw", "people"), [(one, 1), (group, 6)])
def test_every_drawn_person_is_found(engine_config: EngineConfig, draw: Callable[[], Image], people: int) -> None:
    runtime = Runtime(device="CPU", precision="f32", threads=1, converted=Path(engine_config.converted), cache=Path(engine_config.cache))
    detector = detector_of(runtime, "centerface-2", engine_config.models["centerface-2"])
    image = draw()
    found = detector(lambda _: image, 0.35)
    assert len(found) == people


@pytest.mark.parametrize("precision", ["auto", "f32", "bf16", "f16"])
def test_this_processor_passes_at_each_precision_it_has(engine_config: EngineConfig, precision: str) -> None:
    trial = self_test(replace(engine_config, precision=precision), time.perf_counter)
    assert trial.fault is None and trial.precision in ("f32", "bf16", "f16") and trial.ms > 0


def test_what_openvino_offers_besides_the_processor_is_named() -> None:
    assert all(device.name.partition(".")[0] in ("GPU", "NPU") and device.model for device in accelerators())

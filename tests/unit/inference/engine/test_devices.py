"""Which device is chosen from what self-tests found, and what is said of one that is not used."""

from dataclasses import replace

import pytest

from agent.inference.engine.devices import (
    Device,
    DeviceChoice,
    DeviceNote,
    Fault,
    Trial,
    best_precision,
    by_onnx_runtime,
    candidates,
    choose,
    key_of,
    on_processor,
    precisions,
    unquantised,
)
from agent.infrastructure.core.i18n import LANGUAGES, Texts

FASTER = Trial(None, "f16", 5.0)
SOUND, FAST, SLOW = Trial(None, "bf16", 50.0), Trial(None, "f16", 20.0), Trial(None, "f16", 90.0)
LIES, HANGS = Trial(Fault.COUNT, "f16", 1.0), Trial(Fault.HUNG)
GPU, GPU_1, NPU = (Device(name, "model", "1.0") for name in ("GPU.0", "GPU.1", "NPU"))


@pytest.mark.parametrize(
    ("wanted", "names"), [("AUTO", ["GPU.0", "GPU.1", "NPU"]), ("GPU", ["GPU.0"]), ("GPU.1", ["GPU.1"]), ("NPU", ["NPU"]), ("GPU.7", [])]
)
def test_graphics_are_tried_before_the_npu_and_only_what_was_asked_for(wanted: str, names: list[str]) -> None:
    assert [device.name for device in candidates(wanted, [NPU, GPU, GPU_1])] == names


def test_what_onnx_runtime_drives_is_tried_after_what_openvino_drives_and_its_processor_last() -> None:
    there = [Device(name, "", "") for name in ("ONNX-CPU", "DIRECTML", "TENSORRT", "CUDA", "GPU")]
    assert [device.name for device in candidates("AUTO", there)] == ["GPU", "CUDA", "DIRECTML", "ONNX-CPU"]
    assert [device.name for device in candidates("TENSORRT", there)] == ["TENSORRT"]
    assert [device.name for device in candidates("CUDA.1", there)] == ["CUDA.1"]
    assert candidates("COREML", there) == candidates("ROCM.1", there) == []


def test_it_is_known_which_library_drives_a_device_and_which_are_the_processor() -> None:
    assert all(by_onnx_runtime(name) for name in ("CUDA", "CUDA.1", "TENSORRT", "MIGRAPHX", "ROCM", "COREML", "DIRECTML", "ONNX-CPU"))
    assert not any(by_onnx_runtime(name) for name in ("CPU", "GPU", "GPU.1", "NPU", "AUTO"))
    assert on_processor("CPU") and on_processor("ONNX-CPU") and not any(map(on_processor, ("GPU", "CUDA", "AUTO", "NPU")))


@pytest.mark.parametrize(
    ("trials", "choice"),
    [
        ({}, DeviceChoice("CPU", "auto")),
        ({"GPU": FAST, "NPU": FAST}, DeviceChoice("GPU", "auto")),
        ({"GPU": SLOW, "NPU": FAST}, DeviceChoice("NPU", "auto")),
        ({"GPU": FAST, "CUDA": FASTER}, DeviceChoice("CUDA", "auto")),
        ({"GPU": SLOW}, DeviceChoice("CPU", "auto")),
        ({"GPU": LIES, "NPU": FAST}, DeviceChoice("NPU", "auto")),
        ({"GPU": LIES, "NPU": HANGS}, DeviceChoice("CPU", "auto", DeviceNote("GPU", Fault.COUNT))),
    ],
)
def test_by_itself_the_fastest_sound_one_if_it_is_faster_than_the_processor(trials: dict[str, Trial], choice: DeviceChoice) -> None:
    assert choose("AUTO", "auto", SOUND, trials) == choice


def test_one_that_was_asked_for_is_used_if_it_is_sound_even_if_it_is_slower() -> None:
    assert choose("GPU", "f16", SOUND, {"GPU": SLOW}) == DeviceChoice("GPU", "f16")
    assert choose("GPU", "f16", SOUND, {"GPU": LIES}) == DeviceChoice("CPU", "f16", DeviceNote("GPU", Fault.COUNT))
    assert choose("GPU", "auto", SOUND, {}) == DeviceChoice("CPU", "auto", DeviceNote("GPU", Fault.ABSENT))


def test_a_processor_that_is_too_coarse_computes_exactly() -> None:
    coarse = Trial(Fault.PRINTS, "bf16", 10.0)
    assert choose("CPU", "auto", coarse, {}) == DeviceChoice("CPU", "f32", DeviceNote("CPU", Fault.PRINTS))
    assert choose("AUTO", "auto", coarse, {"GPU": LIES}) == DeviceChoice("CPU", "f32", DeviceNote("GPU", Fault.COUNT))


def test_a_trial_counts_until_device_driver_openvino_precision_or_models_change() -> None:
    models = {"a": "1", "b": "2"}
    key = key_of(GPU, "2026.4", "auto", models)
    assert key == key_of(GPU, "2026.4", "auto", dict(reversed(models.items())))
    others = {
        key_of(NPU, "2026.4", "auto", models),
        key_of(replace(GPU, model="other"), "2026.4", "auto", models),
        key_of(replace(GPU, driver="1.1"), "2026.4", "auto", models),
        key_of(GPU, "2026.5", "auto", models),
        key_of(GPU, "2026.4", "f32", models),
        key_of(GPU, "2026.4", "auto", {**models, "b": "3"}),
    }
    assert len(others) == 6 and key not in others


def test_every_fault_has_words_that_name_the_device() -> None:
    for language in LANGUAGES:
        texts = Texts(language)
        assert all("GPU" in DeviceNote("GPU", fault).text(texts) for fault in Fault)
        assert "f32" in DeviceNote("CPU", Fault.PRINTS).text(texts)
        assert "CUDA" in (said := DeviceNote("CUDA", Fault.ABSENT).text(texts)) and "ONNX Runtime" in said
    assert DeviceNote("GPU", Fault.BOXES).text(Texts("en")) == "GPU gave different results from the processor, so the processor is used."


@pytest.mark.parametrize(
    ("wanted", "trials", "best"),
    [
        ("auto", {"auto": SOUND, "int8_bf16": FAST}, "int8_bf16"),
        ("auto", {"auto": FAST, "int8_bf16": SOUND}, "auto"),
        ("auto", {"auto": SOUND, "int8_bf16": replace(FAST, fault=Fault.COUNT)}, "auto"),
        ("auto", {"auto": LIES, "int8_bf16": LIES}, "auto"),
        ("int8", {"int8": SLOW, "auto": FAST}, "int8"),
        ("int8", {"int8": LIES, "auto": SLOW}, "auto"),
        ("f32", {"f32": SOUND}, "f32"),
    ],
)
def test_a_precision_is_the_wanted_one_or_the_fastest_that_passes(wanted: str, trials: dict[str, Trial], best: str) -> None:
    assert set(trials) == set(precisions(wanted))
    assert best_precision(wanted, trials) == best


def test_what_is_not_quantised_keeps_its_precision() -> None:
    found = {each: unquantised(each) for each in ("int8", "int8_bf16", "bf16", "f32")}
    assert found == {"int8": "f32", "int8_bf16": "bf16", "bf16": "bf16", "f32": "f32"}

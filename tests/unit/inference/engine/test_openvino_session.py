"""Which precision OpenVINO computes in, from the wanted one and what the device supports."""

import pytest

from agent.inference.engine.openvino_session import choose_precision

PLAIN, HALF = {"FP32", "INT8"}, {"FP32", "BF16", "INT8"}


@pytest.mark.parametrize(
    ("wanted", "able", "used"),
    [
        ("auto", PLAIN, "f32"),
        ("auto", HALF, "bf16"),
        ("bf16", PLAIN, "f32"),
        ("int8", HALF, "int8"),
        ("int8", {"FP32", "FP16"}, "f16"),
        ("int8_bf16", HALF, "int8_bf16"),
        ("int8_bf16", PLAIN, "int8"),
        ("int8_bf16", {"FP32"}, "f32"),
    ],
)
def test_it_is_the_wanted_one_or_the_nearest(wanted: str, able: set[str], used: str) -> None:
    assert choose_precision(wanted, able) == used

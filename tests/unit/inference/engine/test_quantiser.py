"""The quantiser on a small net: its results stay near, each channel keeps its precision, and foreign ranges are refused."""

from dataclasses import replace
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

from agent.inference.engine.openvino_config import core, ops, ov
from agent.inference.engine.quantiser import Calibration, Range, convolutions, layer_name, quantised

Floats = NDArray[np.float32]
CHANNELS = 8


def net() -> ov.Model:
    """A convolution, a depthwise one and another convolution; of the channels between, one is 200 times as strong as the last."""
    chance = np.random.default_rng(1)

    def floats(*shape: int) -> Floats:
        return chance.normal(0, 1, shape).astype(np.float32)

    def convolved(source: Any, weights: Floats, name: str) -> Any:
        build = ops.convolution if weights.ndim == 4 else ops.group_convolution
        node = build(source, ops.constant(weights), [1, 1], [1, 1], [1, 1], [1, 1])
        added = ops.add(node, ops.constant(floats(1, CHANNELS, 1, 1)))
        added.output(0).set_names({name})
        return added

    given = ops.parameter([1, 3, -1, -1], np.float32)
    given.output(0).set_names({"image"})
    strengths = np.geomspace(0.05, 10, CHANNELS).astype(np.float32).reshape(-1, 1, 1, 1)
    first = ops.relu(convolved(given, floats(CHANNELS, 3, 3, 3) * strengths, "a"))
    first.output(0).set_names({"a+"})
    second = ops.relu(convolved(first, floats(CHANNELS, 1, 1, 3, 3), "b"))
    second.output(0).set_names({"b+"})
    return ov.Model([convolved(second, floats(CHANNELS, CHANNELS, 3, 3), "c")], [given])


def ran(model: ov.Model, *names: str) -> list[Floats]:
    model.add_outputs([name for name in names if name != "c"])
    compiled = core().compile_model(model, "CPU", {"INFERENCE_PRECISION_HINT": "f32"})
    found = compiled({0: np.random.default_rng(2).uniform(0, 1, (1, 3, 24, 24)).astype(np.float32)})
    return [np.array(found[name]) for name in names]


@pytest.fixture
def calibration() -> Calibration:
    hidden = dict(zip(("a+", "b+"), ran(net(), "a+", "b+"), strict=True))
    ranges = {name: Range(np.zeros(CHANNELS, np.float32), values[0].max((1, 2))) for name, values in hidden.items()}
    return Calibration("0a" * 32, 0.3, frozenset(), {"image": Range(np.zeros(3, np.float32), np.ones(3, np.float32)), **ranges})


def off(model: ov.Model) -> float:
    (expected,), (found,) = ran(net(), "c"), ran(model, "c")
    return float(np.sqrt(np.mean((expected - found) ** 2)) / expected.std())


def test_a_quantised_net_computes_nearly_the_same(calibration: Calibration) -> None:
    assert 0 < off(quantised(net(), calibration)) < 0.02


def test_layers_are_named_by_their_results() -> None:
    model = net()
    assert [layer_name(node) for node in convolutions(model)] == ["a", "b", "c"]


def test_weak_channels_gain_by_equalising(calibration: Calibration) -> None:
    assert off(quantised(net(), calibration)) < off(quantised(net(), replace(calibration, equalised=0.0)))


def test_named_layers_stay_exact(calibration: Calibration) -> None:
    exact = quantised(net(), replace(calibration, exact=frozenset({"a", "b", "c"})))
    assert off(exact) == 0
    assert not any(node.get_type_name() == "FakeQuantize" for node in exact.get_ops())


def test_the_same_ranges_make_the_same_net(calibration: Calibration) -> None:
    (one,), (other,) = (ran(quantised(net(), calibration), "c") for _ in range(2))
    assert np.array_equal(one, other)


def test_ranges_of_another_net_are_refused(calibration: Calibration) -> None:
    with pytest.raises(ValueError, match="b\\+"):
        quantised(net(), replace(calibration, ranges={name: each for name, each in calibration.ranges.items() if name != "b+"}))

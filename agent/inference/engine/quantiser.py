"""Quantises a detector to int8, by value ranges that scripts/calibrate.py measured once.

Weights are integers with a factor per output channel. A convolution's input has one range; a depthwise convolution's has one per channel,
which costs nothing there. Elsewhere channels of small values would lose their precision to those of large ones, so between two
convolutions the channels are first equalised: dividing a channel by a factor and multiplying the next weights by it changes no result.
"""

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any, Final, TypeAlias

import numpy as np
from numpy.typing import NDArray

from agent.inference.engine.openvino_config import constant_folded, ops, ov

Floats: TypeAlias = NDArray[np.float32]

CONVOLUTION, DEPTHWISE = "Convolution", "GroupConvolution"
_LEVELS: Final = 256
_LARGEST: Final = 127  # of a weight
# A channel's range is at least this share of the widest one: a channel that was still while measuring need not stay so.
_LEAST = 0.01
# A channel is enlarged at most this many times.
_MOST_EQUALISED = 64.0


@dataclass(frozen=True, slots=True)
class Range:
    """The lowest and highest value of each channel of a tensor, float32 [channels]."""

    low: Floats
    high: Floats

    @property
    def peaks(self) -> Floats:
        return np.asarray(np.maximum(-self.low, self.high), np.float32)

    @property
    def is_signed(self) -> bool:
        return bool(self.low.min() < 0)


@dataclass(frozen=True)
class Calibration:
    """The measured ranges of one model, and what to do with them. Tensors and layers have the names they have in the model's file."""

    sha256: str  # of the model's file
    equalised: float  # exponent: 0 leaves channels as they are, 1 gives all the same range
    exact: frozenset[str]  # layers that are not quantised
    ranges: Mapping[str, Range]

    @classmethod
    def read(cls, path: Path) -> "Calibration":
        """Read an asset. Raises OSError, ValueError."""
        said = json.loads(path.read_text(encoding="utf-8"))
        ranges = {name: _range(each) for name, each in said["ranges"].items()}
        return cls(said["sha256"], said["equalised"], frozenset(said["exact"]), ranges)

    @cached_property
    def inputs(self) -> frozenset[str]:
        return frozenset(self.ranges)


def quantised(model: "ov.Model", calibration: Calibration) -> "ov.Model":
    """Return the model, changed in place. Raises ValueError if the ranges are another model's."""
    model = constant_folded(model)
    layers = [node for node in convolutions(model) if layer_name(node) not in calibration.exact]
    if missing := {tensor_name(node.input_value(0)) for node in layers} - calibration.inputs:
        raise ValueError(f"no range for {sorted(missing)}")
    factors = dict(_equalised(layers, calibration))
    bounded: dict[tuple[str, bool], Any] = {}
    for node in layers:
        source, depthwise = node.input_value(0), node.get_type_name() == DEPTHWISE
        name = tensor_name(source)
        if (name, depthwise) not in bounded:
            low, high = _bounds(calibration.ranges[name], factors.get(name), depthwise)
            bounded[name, depthwise] = ops.fake_quantize(source, low, high, low, high, _LEVELS).output(0)
        node.input(0).replace_source_output(bounded[name, depthwise])
        node.input(1).replace_source_output(_integers(_constant(node, 1), depthwise))
    model.validate_nodes_and_infer_types()
    return model


def convolutions(model: "ov.Model") -> list[Any]:
    """Return the nodes that can be quantised, in their order."""
    return [node for node in model.get_ordered_ops() if node.get_type_name() in (CONVOLUTION, DEPTHWISE)]


def tensor_name(output: Any) -> str:
    return str(min(output.get_names()))


def layer_name(node: Any) -> str:
    """Return the name of a convolution's result: the tensor after its bias."""
    bias = _only_user(node)
    return tensor_name((node if bias is None or bias.get_type_name() != "Add" else bias).output(0))


def _equalised(layers: list[Any], calibration: Calibration) -> Iterator[tuple[str, Floats]]:
    """Equalise the channels between each two convolutions without a branch, and yield the tensors with their channels' factors."""
    for node in layers:
        name = tensor_name(node.input_value(0))
        bias = _bias_before(node)
        if node.get_type_name() == DEPTHWISE or bias is None:
            continue
        before = bias.input_value(0).get_node()
        peaks = calibration.ranges[name].peaks
        factors = np.maximum((peaks / peaks.max()) ** calibration.equalised, 1 / _MOST_EQUALISED).astype(np.float32)
        _replace(before, 1, _constant(before, 1) / _along(factors, 0, _constant(before, 1).ndim))
        _replace(bias, 1, _constant(bias, 1) / _along(factors, 1, _constant(bias, 1).ndim))
        _replace(node, 1, _constant(node, 1) * _along(factors, 1, _constant(node, 1).ndim))
        yield name, factors


def _bias_before(node: Any) -> Any | None:
    """Return the addition of a bias before a convolution, if the previous convolution's result is used here alone."""
    source = node.input_value(0).get_node()
    if source.get_type_name() == "Relu" and _only_user(source) is not None:
        source = source.input_value(0).get_node()
    if source.get_type_name() != "Add" or _only_user(source) is None:
        return None
    before, bias = (source.input_value(place).get_node() for place in (0, 1))
    return source if before.get_type_name() in (CONVOLUTION, DEPTHWISE) and bias.get_type_name() == "Constant" else None


def _only_user(node: Any) -> Any | None:
    users = node.output(0).get_target_inputs()
    return next(iter(users)).get_node() if len(users) == 1 else None


def _bounds(measured: Range, factors: Floats | None, depthwise: bool) -> tuple[Any, Any]:
    """Return the lowest and highest value of a convolution's input, per channel if `depthwise`, as constants."""
    peaks = measured.peaks if factors is None else measured.peaks / factors
    high = np.maximum(peaks, _LEAST * peaks.max()).reshape(1, -1, 1, 1) if depthwise else peaks.max().reshape(())
    # Zero must be one of the levels: of 256, one more lies below it than above.
    low = -high * (_LEVELS // 2) / (_LEVELS // 2 - 1) if measured.is_signed else np.zeros_like(high)
    return ops.constant(low.astype(np.float32)), ops.constant(high.astype(np.float32))


def _integers(weights: Floats, depthwise: bool) -> Any:
    """Return the weights as int8 times a factor per output channel."""
    axes = tuple(range(2 if depthwise else 1, weights.ndim))
    steps = np.maximum(np.abs(weights).max(axis=axes, keepdims=True) / _LARGEST, np.finfo(np.float32).tiny).astype(np.float32)
    integers = ops.constant(np.clip(np.rint(weights / steps), -_LARGEST, _LARGEST).astype(np.int8))
    return ops.multiply(ops.convert(integers, "f32"), ops.constant(steps)).output(0)


def _constant(node: Any, place: int) -> Floats:
    return np.asarray(node.input_value(place).get_node().data, np.float32)


def _replace(node: Any, place: int, values: Floats) -> None:
    node.input(place).replace_source_output(ops.constant(values.astype(np.float32)).output(0))


def _along(factors: Floats, axis: int, dimensions: int) -> Floats:
    """Return the factors so that they broadcast along one axis."""
    return factors.reshape([-1 if place == axis else 1 for place in range(dimensions)])


def _range(sides: Mapping[str, list[float]]) -> Range:
    """Return a range from an asset, which omits the low side of what is never negative."""
    high = np.array(sides["high"], np.float32)
    return Range(np.array(sides["low"], np.float32) if "low" in sides else np.zeros_like(high), high)

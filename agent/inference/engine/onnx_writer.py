"""Writes an OpenVINO graph as an ONNX file: the operations of the face models in use, and no others."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, Final, TypeAlias

import numpy as np
from numpy.typing import NDArray

from agent import __version__
from agent.inference.engine import onnx_format as onnx
from agent.inference.engine.onnx_format import Attribute
from agent.inference.engine.openvino_config import ov

_Weights: TypeAlias = NDArray[np.generic]
INPUT: Final = "input"
_SIZES = "nhwc"  # names of variable dimensions
# Operations that differ by name at most.
_SAME: Final[Mapping[str, str]] = {
    **{name: name for name in ("Relu", "Sigmoid", "Tanh", "Abs", "Add", "MatMul")},
    **{"Subtract": "Sub", "Multiply": "Mul", "Divide": "Div"},
}


class UnsupportedOperation(Exception):
    """The graph holds an operation that is not written."""


@dataclass(frozen=True, slots=True)
class _Written:
    """A node in ONNX. Its inputs are those of the graph's node, the first of them only, if constants follow."""

    operator: str
    attributes: Mapping[str, Attribute]
    constants: tuple[_Weights, ...] = ()
    alone: bool = False  # the first input alone, though no constant follows


def written(model: ov.Model, *, half: bool = False) -> bytes:
    """Return the file; with `half` it computes in half precision between unchanged inputs and outputs.

    The graph itself is changed. Raises UnsupportedOperation.
    """
    _merge_slopes(model)
    return _Writer(half).file(model)


class _Writer:
    def __init__(self, half: bool) -> None:
        self._float = onnx.FLOAT16 if half else onnx.FLOAT
        self._floats = np.float16 if half else np.float32
        self._tensors: dict[str, bytes] = {}
        self._nodes: list[bytes] = []

    def file(self, model: ov.Model) -> bytes:
        (given,) = model.get_parameters()
        for node in model.get_ordered_ops():
            if node.get_type_name() not in ("Constant", "Result"):
                self._node(node)
        results = [self._result(node) for node in model.get_results()]
        kind = onnx.KINDS[np.dtype(given.get_element_type().to_dtype())]
        sizes = [size.get_length() if size.is_static else _SIZES[place] for place, size in enumerate(given.get_output_partial_shape(0))]
        whole = onnx.graph(self._nodes, self._tensors.values(), [onnx.value(INPUT, kind, sizes)], results)
        return onnx.model(whole, f"AI Popup {__version__}")

    def _node(self, node: Any) -> None:
        name = _name(node.output(0))
        if node.get_type_name() == "Parameter":
            # Bytes are converted by a node of the graph itself.
            floats = node.get_element_type() == ov.Type.f32
            self._nodes.append(onnx.node("Cast" if floats else "Identity", [INPUT], [name], {"to": self._float} if floats else {}))
            return
        as_written = _as_written(node)
        sources = node.input_values()
        inputs = [self._value(source) for source in (sources[:1] if as_written.constants or as_written.alone else sources)]
        for place, values in enumerate(as_written.constants):
            inputs.append(f"{name}-{place}")
            # A factor of sizes is never in half precision.
            self._constant(inputs[-1], values, np.float32 if as_written.operator == "Resize" else self._floats)
        attributes = {"to": self._float} if as_written.operator == "Cast" else as_written.attributes
        self._nodes.append(onnx.node(as_written.operator, inputs, [name], attributes))

    def _value(self, output: Any) -> str:
        node, name = output.get_node(), _name(output)
        if node.get_type_name() == "Constant" and name not in self._tensors:
            self._constant(name, node.data, self._floats)
        return name

    def _constant(self, name: str, values: _Weights, floats: type[np.floating[Any]]) -> None:
        self._tensors[name] = onnx.tensor(name, values.astype(floats) if np.issubdtype(values.dtype, np.floating) else values)

    def _result(self, node: Any) -> bytes:
        name = min(node.output(0).get_names())
        self._nodes.append(onnx.node("Cast", [self._value(node.input_value(0))], [name], {"to": onnx.FLOAT}))
        rank = node.get_output_partial_shape(0).rank.get_length()
        return onnx.value(name, onnx.FLOAT, [f"{name}-{place}" for place in range(rank)])


def _as_written(node: Any) -> _Written:
    kind = node.get_type_name()
    if kind in _SAME:
        return _Written(_SAME[kind], {})
    if kind not in _OPERATIONS:
        raise UnsupportedOperation(kind)
    return _OPERATIONS[kind](node)


def _convolution(node: Any) -> _Written:
    weights, groups = _constant_input(node), 1
    if node.get_type_name() == "GroupConvolution":
        groups, weights = weights.shape[0], weights.reshape(-1, *weights.shape[2:])
    return _Written("Conv", {**_window(node), "group": groups, "dilations": _told(node, "dilations")}, (weights,))


def _transposed_convolution(node: Any) -> _Written:
    if len(node.inputs()) != 2:
        raise UnsupportedOperation("ConvolutionBackpropData")  # the size of its output is computed
    more = {name: _told(node, name) for name in ("dilations", "output_padding")}
    return _Written("ConvTranspose", {**_window(node), **more}, (_constant_input(node),))


def _pool(node: Any) -> _Written:
    attributes = {**_window(node), "kernel_shape": _told(node, "kernel"), "ceil_mode": int(_told(node, "rounding_type") == "ceil")}
    if node.get_type_name() == "AvgPool":
        return _Written("AveragePool", {**attributes, "count_include_pad": int(not _told(node, "exclude-pad"))})
    return _Written("MaxPool", {**attributes, "dilations": _told(node, "dilations")})


def _window(node: Any) -> dict[str, Attribute]:
    """Return the steps and edges of a sliding window."""
    strides, padding = _told(node, "strides"), _told(node, "auto_pad")
    sizes = list(node.get_input_partial_shape(0))[2:]
    if padding in ("same_upper", "same_lower") and not all(size.is_static for size in sizes):
        return {"strides": strides, "auto_pad": padding.upper()}
    pads = [0] * (2 * len(strides)) if padding == "valid" else [*_told(node, "pads_begin"), *_told(node, "pads_end")]
    return {"strides": strides, "pads": pads}


def _normalisation(node: Any) -> _Written:
    return _Written("BatchNormalization", {"epsilon": float(_told(node, "epsilon"))})


def _transposition(node: Any) -> _Written:
    return _Written("Transpose", {"perm": [int(place) for place in _constant_input(node)]}, alone=True)


def _reshaping(node: Any) -> _Written:
    return _Written("Reshape", {"allowzero": int(not _told(node, "special_zero"))}, (_constant_input(node).astype(np.int64),))


def _gathering(node: Any) -> _Written:
    axis = node.input_value(2).get_node()
    if axis.get_type_name() != "Constant" or _told(node, "batch_dims") != 0:
        raise UnsupportedOperation("Gather")
    return _Written("Gather", {"axis": int(np.asarray(axis.data).item())}, (_constant_input(node).astype(np.int64),))


def _interpolation(node: Any) -> _Written:
    plain = len(node.inputs()) == 2 and not any((*_told(node, "pads_begin"), *_told(node, "pads_end"), _told(node, "antialias")))
    mode = {"nearest": "nearest", "linear_onnx": "linear"}.get(_told(node, "mode"))
    if not plain or mode is None or _told(node, "shape_calculation_mode") != "scales":
        raise UnsupportedOperation("Interpolate")
    more = {name: _told(node, name) for name in ("coordinate_transformation_mode", "nearest_mode")}
    region = np.zeros(0, np.float32)  # part of the operation, ignored in these modes
    return _Written("Resize", {"mode": mode, **more}, (region, _constant_input(node)))


def _limits(node: Any) -> _Written:
    return _Written("Clip", {}, tuple(np.array(_told(node, name), np.float32) for name in ("min", "max")))


def _conversion(node: Any) -> _Written:
    if node.get_output_element_type(0) not in (ov.Type.f32, ov.Type.f16):
        raise UnsupportedOperation("Convert")
    return _Written("Cast", {})


_OPERATIONS: Final[Mapping[str, Callable[[Any], _Written]]] = {
    "Convolution": _convolution,
    "GroupConvolution": _convolution,
    "ConvolutionBackpropData": _transposed_convolution,
    "MaxPool": _pool,
    "AvgPool": _pool,
    "BatchNormInference": _normalisation,
    "Transpose": _transposition,
    "Reshape": _reshaping,
    "Gather": _gathering,
    "Interpolate": _interpolation,
    "Clamp": _limits,
    "Convert": _conversion,
}


def _merge_slopes(model: ov.Model) -> None:
    """Write each PReLU of slope a as (1 - a) * relu(x) + a * x.

    ONNX Runtime keeps that in the convolutions' own layout, which takes half the time of its PRelu for the embedder, and two thirds of
    relu(x) + a * (x - |x|) / 2, which converters from TensorFlow write.
    """
    ops = ov.opset13
    for node in model.get_ordered_ops():
        if (found := _slope(node)) is not None:
            x, slope = found
            merged = ops.add(ops.multiply(ops.relu(x), ops.constant(1 - slope)), ops.multiply(x, ops.constant(slope)))
            for user in node.output(0).get_target_inputs():
                user.replace_source_output(merged.output(0))


def _slope(node: Any) -> tuple[Any, NDArray[np.float32]] | None:
    """Return x and the slope, if the node is a PReLU in either form."""
    if node.get_type_name() == "PRelu":
        rank = node.get_input_partial_shape(0).rank.get_length()
        return node.input_value(0), np.asarray(_constant_input(node), np.float32).reshape(1, -1, *[1] * (rank - 2))
    if node.get_type_name() != "Add":
        return None
    for rectified, product in _both_ways(node):
        if rectified.get_node().get_type_name() != "Relu" or product.get_node().get_type_name() != "Multiply":
            continue
        x = rectified.get_node().input_value(0)
        for factor, difference in _both_ways(product.get_node()):
            minus, constant = difference.get_node(), factor.get_node()
            if minus.get_type_name() != "Subtract" or constant.get_type_name() != "Constant":
                continue
            absolute = minus.input_value(1).get_node()
            if minus.input_value(0) == x and absolute.get_type_name() == "Abs" and absolute.input_value(0) == x:
                return x, np.asarray(2 * constant.data, np.float32)
    return None


def _both_ways(node: Any) -> tuple[tuple[Any, Any], tuple[Any, Any]]:
    first, second = node.input_values()
    return (first, second), (second, first)


def _name(output: Any) -> str:
    return f"{output.get_node().get_name()}:{output.get_index()}"


def _told(node: Any, name: str) -> Any:
    return node.get_attributes()[name]


def _constant_input(node: Any) -> _Weights:
    """Return the second input. Raises UnsupportedOperation if it is computed."""
    constant = node.input_value(1).get_node()
    if constant.get_type_name() != "Constant":
        raise UnsupportedOperation(node.get_type_name())
    return np.asarray(constant.data)

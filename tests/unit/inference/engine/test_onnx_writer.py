"""Each operation that is written computes the same in ONNX Runtime as in OpenVINO, and any other is refused."""

from collections.abc import Callable
from typing import Any

import numpy as np
import openvino as ov
import pytest
from numpy.typing import NDArray
from openvino import opset13 as ops

from agent.inference.engine.onnx_format import _varint, node
from agent.inference.engine.onnx_writer import INPUT, UnsupportedOperation, written
from agent.inference.engine.openvino_config import core

onnxruntime = pytest.importorskip("onnxruntime")  # there is none for Macs with Intel

Floats = NDArray[np.float32]
Make = Callable[[Any], Any]

rng = np.random.default_rng(11)
SHAPE = (2, 4, 12, 8)
CHANNEL = (1, 4, 1, 1)


def weights(*shape: int) -> Floats:
    return rng.standard_normal(shape).astype(np.float32)


SLOPE = ops.constant(weights(*CHANNEL))


def leaky(x: Any) -> Any:
    return ops.add(ops.relu(x), ops.multiply(SLOPE, ops.subtract(x, ops.absolute(x))))


OPERATIONS: dict[str, Make] = {
    "convolution": lambda x: ops.convolution(x, weights(6, 4, 3, 3), [2, 1], [1, 0], [1, 2], [1, 2]),
    "convolution that keeps the size": lambda x: ops.convolution(
        x, weights(6, 4, 3, 3), [2, 2], [0, 0], [0, 0], [1, 1], auto_pad="SAME_UPPER"
    ),
    "convolution of whole windows": lambda x: ops.convolution(x, weights(6, 4, 3, 3), [1, 1], [1, 1], [1, 1], [1, 1], auto_pad="VALID"),
    "convolution by groups": lambda x: ops.group_convolution(x, weights(2, 3, 2, 3, 3), [1, 1], [1, 1], [1, 1], [1, 1]),
    "transposed convolution": lambda x: ops.convolution_backprop_data(x, weights(4, 3, 2, 2), strides=[2, 2]),
    "largest of a window": lambda x: ops.max_pool(x, [2, 2], [1, 1], [0, 0], [1, 1], [3, 2]).output(0),
    "mean of a window": lambda x: ops.avg_pool(x, [2, 2], [1, 1], [1, 1], [3, 3], exclude_pad=True),
    "mean with edges": lambda x: ops.avg_pool(x, [2, 2], [1, 1], [1, 1], [3, 3], exclude_pad=False),
    "normalisation": lambda x: ops.batch_norm_inference(x, weights(4), weights(4), weights(4), np.abs(weights(4)), 1e-3),
    "limits": lambda x: ops.clamp(x, -0.5, 0.75),
    "transposition": lambda x: ops.transpose(x, np.array([0, 2, 3, 1])),
    "reshaping": lambda x: ops.reshape(x, np.array([-1, 32]), special_zero=False),
    "reshaping with kept sizes": lambda x: ops.reshape(x, np.array([0, 4, -1]), special_zero=True),
    "choice along an axis": lambda x: ops.gather(x, np.array([3, 0], np.int32), 1),
    "enlarging": lambda x: ops.interpolate(
        x,
        np.array([1, 1, 2, 2], np.float32),
        mode="nearest",
        shape_calculation_mode="scales",
        coordinate_transformation_mode="asymmetric",
        nearest_mode="floor",
    ),
    "enlarging smoothly": lambda x: ops.interpolate(
        x, np.array([1, 1, 2, 3], np.float32), mode="linear_onnx", shape_calculation_mode="scales"
    ),
    "relu": ops.relu,
    "sigmoid": ops.sigmoid,
    "tanh": ops.tanh,
    "magnitude": ops.absolute,
    "sum": lambda x: ops.add(x, weights(*CHANNEL)),
    "difference": lambda x: ops.subtract(weights(*CHANNEL), x),
    "product": lambda x: ops.multiply(x, weights(*CHANNEL)),
    "quotient": lambda x: ops.divide(x, np.abs(weights(*CHANNEL)) + 1),
    "matrices": lambda x: ops.matmul(x, weights(8, 5), False, False),
    "slope": lambda x: ops.prelu(x, weights(4)),
    "slope as TensorFlow's converters write it": leaky,
    "two operations on one": lambda x: ops.add(leaky(ops.relu(x)), ops.sigmoid(x)),
}


def net(make: Make) -> ov.Model:
    given = ops.parameter([-1, 4, -1, 8], np.float32)
    result = make(given)
    (result if isinstance(result, ov.Output) else result.output(0)).set_names({"result"})
    return ov.Model([result], [given])


def in_onnx_runtime(data: bytes, values: Floats) -> Floats:
    session = onnxruntime.InferenceSession(data, providers=["CPUExecutionProvider"])
    found: Floats = session.run(["result"], {INPUT: values})[0]
    return found


@pytest.mark.parametrize("name", OPERATIONS)
def test_it_computes_the_same(name: str) -> None:
    values = weights(*SHAPE)
    model = net(OPERATIONS[name])
    expected = core().compile_model(model, "CPU", {"INFERENCE_PRECISION_HINT": "f32"})({0: values})[0]
    found = in_onnx_runtime(written(model), values)
    assert found.shape == expected.shape and np.allclose(found, expected, atol=1e-4, rtol=1e-4)


@pytest.mark.parametrize("name", OPERATIONS)
def test_in_half_precision_it_computes_nearly_the_same(name: str) -> None:
    values = weights(*SHAPE)
    model = net(OPERATIONS[name])
    expected = core().compile_model(model, "CPU", {"INFERENCE_PRECISION_HINT": "f32"})({0: values})[0]
    found = in_onnx_runtime(written(model, half=True), values)
    assert found.dtype == np.float32 and np.allclose(found, expected, atol=0.05, rtol=0.02)


@pytest.mark.parametrize(
    "make",
    [
        lambda x: ops.softmax(x, 1),
        lambda x: ops.convert(x, "i32"),
        lambda x: ops.transpose(x, ops.convert(ops.gather(ops.shape_of(x), np.array([0, 1, 2, 3]), 0), "i64")),
        lambda x: ops.interpolate(x, np.array([1, 1, 2, 2], np.float32), mode="cubic", shape_calculation_mode="scales"),
        lambda x: ops.interpolate(x, np.array([2, 4, 24, 16]), mode="nearest", shape_calculation_mode="sizes"),
    ],
)
def test_any_other_operation_is_refused(make: Make) -> None:
    with pytest.raises(UnsupportedOperation):
        written(net(make))


def test_the_format_holds_numbers_texts_and_lists() -> None:
    assert (_varint(0), _varint(127), _varint(128)) == (b"\x00", b"\x7f", b"\x80\x01")
    assert node("Op", ["a"], ["b"], {"n": -1, "x": 0.5, "t": "s", "l": [1, 2]}).hex() == (
        "0a0161120162"
        + "22024f70"
        + "2a110a016e18"
        + "ff" * 9
        + "01a00102"
        + "2a0b0a0178150000003fa00101"
        + "2a090a01742201 73a00103".replace(" ", "")
        + "2a0a0a016c40014002a00107"
    )

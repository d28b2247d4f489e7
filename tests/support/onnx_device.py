"""The tests' ONNX Runtime. There is none for Macs with Intel."""

from importlib.util import find_spec

import pytest

# The device of its processor, as a parameter that is skipped without the package.
ONNX_RUNTIME = [pytest.param("ONNX-CPU", marks=pytest.mark.skipif(find_spec("onnxruntime") is None, reason="not installed"))]

"""ONNX Runtime's configuration for this program: no events for the system's telemetry, and no log, which may name files."""

import functools
from importlib.util import find_spec
from typing import Any

from agent.domain.errors import EngineStartFailed

_FATAL = 4


def installed() -> bool:
    """Return whether there is an ONNX Runtime, without loading it."""
    return find_spec("onnxruntime") is not None


@functools.cache
def library() -> Any:
    """Return ONNX Runtime. Raises EngineStartFailed if it is missing or can't be loaded."""
    try:
        import onnxruntime
    except ImportError as error:  # also where a library that it needs is missing
        raise EngineStartFailed from error
    onnxruntime.disable_telemetry_events()
    onnxruntime.set_default_logger_severity(_FATAL)
    return onnxruntime

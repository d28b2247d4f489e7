"""OpenVINO's configuration for this program: one core per process, and no telemetry client: nothing is sent from this machine."""

import functools
import sys

# None in the table of modules makes the import fail, and OpenVINO then uses a stub.
sys.modules["openvino_telemetry"] = None  # type: ignore[assignment]  # as Python marks what can't be imported
# Likewise the model converters, which are slow to load: packages don't include them.
sys.modules["openvino.tools.ovc"] = None  # type: ignore[assignment]  # as above

import openvino as ov  # noqa: E402 - after the above, which it would import
from openvino import opset13 as ops  # noqa: E402 - as above
from openvino import passes, preprocess  # noqa: E402 - as above

__all__ = ["constant_folded", "core", "ops", "ov", "preprocess"]


@functools.cache
def core() -> ov.Core:
    """Return the core of this process. A core's CPU plugin installs a signal stack for its thread, and removes it with the core: of several
    removed in creation order, the last one restores a stack that no longer exists, and the next handled signal crashes the process.
    """
    return ov.Core()


def constant_folded(model: ov.Model) -> ov.Model:
    """Return the model, in place, with everything computed that no input changes."""
    manager = passes.Manager()
    manager.register_pass(passes.ConstantFolding())
    manager.run_passes(model)
    return model

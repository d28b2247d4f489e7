"""OpenVINO as this program has it: one core to a process, and no client for usage statistics: nothing is sent from this machine."""

import functools
import sys

# None in the table of modules makes the import fail, and OpenVINO then takes a stand-in that does nothing.
sys.modules["openvino_telemetry"] = None  # type: ignore[assignment]
# Likewise what turns other kinds of models into its own, which is slow to load: packages come without it.
sys.modules["openvino.tools.ovc"] = None  # type: ignore[assignment]

import openvino as ov  # noqa: E402
from openvino import preprocess  # noqa: E402

__all__ = ["core", "ov", "preprocess"]


@functools.cache
def core() -> ov.Core:
    """The core of this process. A core's CPU plugin gives its thread a signal stack, and takes it away when the core goes: of several
    that go in the order they came, the last puts back one that is no more, and the next signal with a handler ends the process.
    """
    return ov.Core()

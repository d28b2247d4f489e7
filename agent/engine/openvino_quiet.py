"""OpenVINO without the client for usage statistics that its model converter would load: nothing is sent from this machine."""

import sys

# None in the table of modules makes the import fail, and OpenVINO then takes a stand-in that does nothing.
sys.modules["openvino_telemetry"] = None  # type: ignore[assignment]

import openvino as ov  # noqa: E402
from openvino import preprocess  # noqa: E402

__all__ = ["ov", "preprocess"]

"""What OpenVINO offers besides the processor, asked of a stand-in for it."""

import pytest

from agent.inference.engine import selftest
from agent.inference.engine.devices import Device


class Core:
    """Offers a processor, a graphics card whose driver answers nothing, and an NPU that is well."""

    available_devices = ("CPU", "GPU", "NPU")

    def get_property(self, device: str, name: str) -> object:
        if device == "GPU":
            raise RuntimeError("[GPU] Can't get property")
        return {"FULL_DEVICE_NAME": "A fast one", "SUPPORTED_PROPERTIES": {"NPU_DRIVER_VERSION": "RO"}, "NPU_DRIVER_VERSION": "1.2"}[name]

    def get_versions(self, _: str) -> dict[str, object]:
        return {}


def test_a_device_whose_driver_answers_nothing_hides_no_other_and_is_still_told_of(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(selftest, "core", Core)
    assert selftest.accelerators() == (Device("GPU", "", ""), Device("NPU", "A fast one", "1.2 "))

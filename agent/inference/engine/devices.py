"""The choice of the computing device: self-test results, the selected device, and notes about unused ones."""

import hashlib
import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from enum import StrEnum

from agent.infrastructure.core.i18n import Texts

CPU = "CPU"
AUTO = "AUTO"
EXACT = "f32"
# What the layers that are not quantised compute in.
_UNQUANTISED = {"int8": "f32", "int8_bf16": "bf16"}
# The precisions of the processor to try, where there is a choice.
_PRECISIONS = {"auto": ("auto", "int8_bf16"), "int8": ("int8", "auto"), "int8_bf16": ("int8_bf16", "auto")}
# The processor by ONNX Runtime instead of OpenVINO.
ONNX_CPU = "ONNX-CPU"
# Kinds of devices that ONNX Runtime drives; OpenVINO drives the others.
_BY_ONNX_RUNTIME = frozenset({"CUDA", "TENSORRT", "MIGRAPHX", "ROCM", "COREML", "DIRECTML", ONNX_CPU})
# Increase when the self-test becomes stricter: all trials are then repeated.
SELF_TEST = 1
# What AUTO tries. TensorRT compiles for minutes for each new size of input: only who asks for it gets it.
_ORDER = ("GPU", "NPU", "CUDA", "MIGRAPHX", "ROCM", "COREML", "DIRECTML", ONNX_CPU)


class Fault(StrEnum):
    """A fault of a device, or of a precision of the processor."""

    ABSENT = "absent"
    FAILED = "failed"  # can't be started, or crashes the process
    HUNG = "hung"
    NO_NUMBERS = "no_numbers"
    COUNT = "count"  # a different number of faces than the processor finds
    BOXES = "boxes"
    PRINTS = "prints"
    BATCH = "batch"  # right one by one, wrong in batches


_WORDS = {Fault.ABSENT: "absent", Fault.FAILED: "failed", Fault.HUNG: "hung"}


@dataclass(frozen=True, slots=True)
class Device:
    """A device that OpenVINO or ONNX Runtime offers."""

    name: str  # "GPU", or "GPU.1" if there are several
    model: str
    driver: str


@dataclass(frozen=True, slots=True)
class Trial:
    """The result of a self-test: precision and milliseconds; without a fault the device may be used."""

    fault: Fault | None
    precision: str = ""
    ms: float = 0.0


@dataclass(frozen=True, slots=True)
class DeviceNote:
    """A requested device that is not used; for the processor, a precision."""

    device: str
    fault: Fault

    def text(self, texts: Texts) -> str:
        if self.device == CPU:
            return texts("status.device.precision")
        words = _WORDS.get(self.fault, "different")
        return texts(f"status.device.{'no_provider' if words == 'absent' and by_onnx_runtime(self.device) else words}", device=self.device)


@dataclass(frozen=True, slots=True)
class DeviceChoice:
    device: str
    precision: str  # as in the settings: "auto" is the device's best precision
    note: DeviceNote | None = None


def kind_of(device: str) -> str:
    """Return a device's kind: "GPU" for "GPU.1"."""
    return device.partition(".")[0]


def on_processor(device: str) -> bool:
    """Return whether the processor itself computes."""
    return kind_of(device) in (CPU, ONNX_CPU)


def by_onnx_runtime(device: str) -> bool:
    """Return whether ONNX Runtime drives the device."""
    return kind_of(device) in _BY_ONNX_RUNTIME


def candidates(wanted: str, devices: Iterable[Device]) -> list[Device]:
    """Return the accelerators to try, in this order."""
    if wanted == AUTO:
        return [device for kind in _ORDER for device in devices if kind_of(device.name) == kind]
    if by_onnx_runtime(wanted):  # it names kinds only; whether there are several shows when one is used
        return [replace(device, name=wanted) for device in devices if device.name == kind_of(wanted)]
    return [device for device in devices if device.name in (wanted, f"{wanted}.0")][:1]


def unquantised(precision: str) -> str:
    """Return the precision without quantising: that of the other layers, and of all where a missed face would be shown."""
    return _UNQUANTISED.get(precision, precision)


def precisions(wanted: str) -> tuple[str, ...]:
    """Return the precisions of the processor to try: the wanted one, and one that may be faster or must replace it."""
    return _PRECISIONS.get(wanted, (wanted,))


def best_precision(wanted: str, trials: Mapping[str, Trial]) -> str:
    """Return the wanted precision if it passed, or the fastest that passed if there is no wish or it failed."""
    sound = {name: trial.ms for name, trial in trials.items() if trial.fault is None}
    return wanted if wanted in sound and wanted != "auto" else min(sound, key=sound.__getitem__, default=wanted)


def choose(wanted: str, precision: str, processor: Trial, accelerators: Mapping[str, Trial]) -> DeviceChoice:
    """Choose the device. AUTO takes the fastest if it is faster than the processor; a requested one is taken even if it is not."""
    sound = {name: trial.ms for name, trial in accelerators.items() if trial.fault is None and (wanted != AUTO or trial.ms < processor.ms)}
    if sound:
        return DeviceChoice(min(sound, key=sound.__getitem__), precision)
    notes = [DeviceNote(name, trial.fault) for name, trial in accelerators.items() if trial.fault is not None]
    if wanted not in (AUTO, CPU) and not accelerators:
        notes.append(DeviceNote(wanted, Fault.ABSENT))
    if processor.fault is not None:
        return DeviceChoice(CPU, EXACT, next(iter(notes), DeviceNote(CPU, processor.fault)))
    return DeviceChoice(CPU, precision, next(iter(notes), None))


def key_of(device: Device, libraries: str, precision: str, models: Mapping[str, str]) -> str:
    """Return the key of a stored trial, valid as long as none of its parts changes. `models` are SHA-256 by recipe."""
    facts = [SELF_TEST, device.name, device.model, device.driver, libraries, precision, sorted(models.items())]
    return hashlib.sha256(json.dumps(facts).encode()).hexdigest()

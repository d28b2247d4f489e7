"""Which device computes: what self-tests found, what is chosen for it, and what to say of one that is not used."""

import hashlib
import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from enum import StrEnum

from agent.core.i18n import Texts

CPU = "CPU"
AUTO = "AUTO"
EXACT = "f32"
# Raised when the self-test itself asks for more: then all are made anew.
SELF_TEST = 1
_ORDER = ("GPU", "NPU")


class Fault(StrEnum):
    """What is wrong with a device, or with a precision of the processor."""

    ABSENT = "absent"
    FAILED = "failed"  # can't be started, or ends the process
    HUNG = "hung"
    NO_NUMBERS = "no_numbers"
    COUNT = "count"  # other faces than the processor finds
    BOXES = "boxes"
    PRINTS = "prints"
    BATCH = "batch"  # right one by one, wrong together


_WORDS = {Fault.ABSENT: "absent", Fault.FAILED: "failed", Fault.HUNG: "hung"}


@dataclass(frozen=True, slots=True)
class Device:
    """One that OpenVINO offers."""

    name: str  # "GPU", or "GPU.1" where there are several
    model: str
    driver: str


@dataclass(frozen=True, slots=True)
class Trial:
    """What came of a self-test: in which precision, in how many milliseconds; without a fault it may be used."""

    fault: Fault | None
    precision: str = ""
    ms: float = 0.0


@dataclass(frozen=True, slots=True)
class Note:
    """A device that was wanted and is not used; for the processor, a precision."""

    device: str
    fault: Fault

    def text(self, texts: Texts) -> str:
        if self.device == CPU:
            return texts("status.device.precision")
        return texts(f"status.device.{_WORDS.get(self.fault, 'different')}", device=self.device)


@dataclass(frozen=True, slots=True)
class Choice:
    device: str
    precision: str  # as in the settings: "auto" is what the device does best
    note: Note | None = None


def candidates(wanted: str, devices: Iterable[Device]) -> list[Device]:
    """The accelerators to try, in this order."""
    if wanted != AUTO:
        return [device for device in devices if device.name in (wanted, f"{wanted}.0")][:1]
    return [device for kind in _ORDER for device in devices if device.name.partition(".")[0] == kind]


def choose(wanted: str, precision: str, processor: Trial, accelerators: Mapping[str, Trial]) -> Choice:
    """What to compute with. By itself only an accelerator that is faster than the processor; one that was asked for also if it is not."""
    for name, trial in accelerators.items():
        if trial.fault is None and (wanted != AUTO or trial.ms < processor.ms):
            return Choice(name, precision)
    notes = [Note(name, trial.fault) for name, trial in accelerators.items() if trial.fault is not None]
    if wanted not in (AUTO, CPU) and not accelerators:
        notes.append(Note(wanted, Fault.ABSENT))
    if processor.fault is not None:
        return Choice(CPU, EXACT, next(iter(notes), Note(CPU, processor.fault)))
    return Choice(CPU, precision, next(iter(notes), None))


def key_of(device: Device, openvino: str, precision: str, models: Mapping[str, str]) -> str:
    """Under which a trial is kept: it counts as long as nothing of this changes. `models` are SHA-256 by recipe."""
    facts = [SELF_TEST, device.name, device.model, device.driver, openvino, precision, sorted(models.items())]
    return hashlib.sha256(json.dumps(facts).encode()).hexdigest()

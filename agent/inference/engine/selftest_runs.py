"""Tests devices, each in its own process, and keeps the results until the driver, a library or models change."""

import asyncio
import hashlib
import json
import platform
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import replace
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import TypeAlias
from uuid import uuid4

from agent import __version__
from agent.domain.errors import EngineError, EngineKilled, EngineTimeout, ModelError
from agent.inference.engine import engine_calls as calls
from agent.inference.engine.devices import (
    CPU,
    Device,
    DeviceChoice,
    DeviceNote,
    Fault,
    Trial,
    best_precision,
    candidates,
    choose,
    key_of,
    kind_of,
    on_processor,
    precisions,
    unquantised,
)
from agent.inference.engine.engine_calls import EngineConfig, ModelFile
from agent.inference.engine.rpc import RpcCall
from agent.inference.engine.sandbox.sandbox_paths import RANGES

_Asked: TypeAlias = tuple[str, str, dict[str, ModelFile]]

# Compiling for an accelerator the first time takes long; a hanging driver is still ended.
LIMIT_S = 120.0
_KEPT = 64
_UNSURE = (Fault.FAILED, Fault.HUNG)
_ONNX_RUNTIMES = tuple(f"onnxruntime{suffix}" for suffix in ("", "-gpu", "-directml", "-migraphx", "-rocm"))
_CPU_FACTS = Path("/proc/cpuinfo")


class DeviceSelector:
    """Chooses the engine's device and precision. Use it from one event loop."""

    def __init__(self, record: Path, command: Sequence[str], *, limit: float = LIMIT_S, again: bool = False) -> None:
        """`record` keeps the trials; `command` starts an engine's process; `limit`: seconds per trial.

        With `again`, devices that crashed or hung are tried once more.
        """
        self._record = record
        self._process = RpcCall(command)
        self._limit = limit
        self._again = again
        self._turn = asyncio.Lock()
        self._answer: tuple[_Asked, DeviceChoice] | None = None
        self.trials: dict[str, Trial] = {}  # by device, of the last choice
        self._closed = False

    @property
    def note(self) -> DeviceNote | None:
        return None if self._answer is None else self._answer[1].note

    async def chosen(self, config: EngineConfig) -> EngineConfig:
        """`config` with the device and precision to use. Raises EngineKilled when closed."""
        asked = (config.device, config.precision, config.models)
        if not config.models:
            return replace(config, device=CPU)
        async with self._turn:
            if self._closed:
                raise EngineKilled
            if self._answer is None or self._answer[0] != asked:
                try:
                    self._answer = (asked, await self._choose(config))
                except ModelError:  # nothing to test with: the task that needs the model reports the error
                    return replace(config, device=CPU)
            choice = self._answer[1]
        return replace(config, device=choice.device, precision=choice.precision)

    async def close(self) -> None:
        """End a running trial."""
        self._closed = True
        await self._process.close()

    async def _choose(self, config: EngineConfig) -> DeviceChoice:
        libraries = await asyncio.to_thread(library_versions)
        wanted = CPU if kind_of(config.device) == CPU else config.device
        found: Sequence[Device] = () if wanted == CPU else await self._accelerators(config)
        processor = Device(CPU, await asyncio.to_thread(_processor), "")
        accelerators = {}
        for device in candidates(wanted, found):
            tried = replace(device, model=processor.model) if on_processor(device.name) else device
            accelerators[device.name] = await self._trial(tried, libraries, config)
        trials = {each: await self._trial(processor, libraries, replace(config, precision=each)) for each in precisions(config.precision)}
        precision = best_precision(config.precision, trials)
        self.trials = {CPU: trials[precision], **accelerators}
        choice = choose(wanted, precision, trials[precision], accelerators)
        return choice if choice.device == CPU else replace(choice, precision=config.precision)

    async def _accelerators(self, config: EngineConfig) -> Sequence[Device]:
        """The accelerators present; none if a driver already fails here."""
        try:
            return await self._process.ask(calls.ACCELERATORS, config, limit=self._limit)
        except EngineError as error:
            if self._closed:
                raise EngineKilled from error
            return ()

    async def _trial(self, device: Device, libraries: str, config: EngineConfig) -> Trial:
        """The result of its self-test, from now or from the record. Raises ModelError, EngineKilled."""
        key = key_of(device, libraries, config.precision, await asyncio.to_thread(_hashes, config))
        kept = await asyncio.to_thread(_read, self._record)
        if key in kept and not (self._again and kept[key].fault in _UNSURE):
            return kept[key]
        try:
            trial = await self._test(replace(config, device=device.name))
        except EngineKilled:
            if self._closed:
                raise
            return Trial(Fault.FAILED, config.precision)  # killed from outside, or too little memory: tested again at the next start
        # The processor is always needed: if it failed, low memory is likelier than a broken processor, and the next start tries again.
        if device.name != CPU or trial.fault not in _UNSURE:
            await asyncio.to_thread(_write, self._record, {**kept, key: trial})
        return trial

    async def _test(self, config: EngineConfig, again: bool = True) -> Trial:
        """Run the self-test. Raises ModelError, or EngineKilled if the process was ended from outside, twice."""
        try:
            return await self._process.ask(calls.SELF_TEST, config, limit=self._limit)
        except EngineTimeout:
            return Trial(Fault.HUNG, config.precision)
        except EngineError as error:
            if self._closed:
                raise EngineKilled from error
            if not isinstance(error, EngineKilled):
                return Trial(Fault.FAILED, config.precision)
            if not again:
                raise
            return await self._test(config, again=False)


def _hashes(config: EngineConfig) -> dict[str, str]:
    """Return each model's SHA-256 by recipe; quantised, with that of the value ranges it is quantised by."""
    quantised = config.precision != unquantised(config.precision)
    return {recipe: file.sha256 + (_ranges_of(file) if quantised else "") for recipe, file in config.models.items()}


def _ranges_of(file: ModelFile) -> str:
    try:
        return hashlib.sha256((RANGES / f"{file.name}.json").read_bytes()).hexdigest()
    except OSError:
        return ""


def _read(record: Path) -> dict[str, Trial]:
    """Trials by key; none if the file is damaged or missing: they are then run again."""
    try:
        raw = json.loads(record.read_bytes())
        return {key: calls.SELF_TEST.response.load(value) for key, value in raw.items()}
    except (OSError, ValueError, AttributeError):
        return {}


def _write(record: Path, trials: dict[str, Trial]) -> None:
    """Keep the newest trials; if the disk is full or read-only, the next start tests again."""
    newest = dict(list(trials.items())[-_KEPT:])
    fresh = record.with_name(f".{record.name}.{uuid4().hex}")
    with suppress(OSError):
        record.parent.mkdir(parents=True, exist_ok=True)
        try:
            fresh.write_text(json.dumps({key: calls.SELF_TEST.response.dump(trial) for key, trial in newest.items()}), encoding="ascii")
            fresh.replace(record)
        finally:
            fresh.unlink(missing_ok=True)


def library_versions() -> str:
    """Return the installed versions of OpenVINO and, if there is one, ONNX Runtime, of which each kind of hardware has a package."""
    found = {name: known for name in ("openvino", *_ONNX_RUNTIMES) if (known := _version(name)) is not None}
    # An installed program ships OpenVINO without metadata.
    return " ".join([found.pop("openvino", __version__), *(f"{name} {known}" for name, known in found.items())])


def _version(package: str) -> str | None:
    try:
        return version(package)
    except PackageNotFoundError:
        return None


def _processor() -> str:
    """The processor's name: results differ between processors."""
    with suppress(OSError):
        for line in _CPU_FACTS.read_text(encoding="utf-8", errors="replace").splitlines():
            if line.startswith("model name"):
                return line.partition(":")[2].strip()
    return platform.processor()

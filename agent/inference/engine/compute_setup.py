"""The device that engines compute on, and the files that they start with."""

from dataclasses import dataclass, replace
from pathlib import Path

from agent.inference.engine.devices import DeviceNote, on_processor
from agent.inference.engine.engine_calls import EngineConfig
from agent.inference.engine.model_preparer import ModelPreparer
from agent.inference.engine.selftest_runs import DeviceSelector


@dataclass(frozen=True, slots=True)
class ComputeSetup:
    """Without `devices`, which tests them, the configured device is used untested.

    Engines read models in OpenVINO's format from `preparer`'s files, or from `converted` and `cache` unchecked. An accelerator's
    driver writes to `scratch`.
    """

    devices: DeviceSelector | None = None
    preparer: ModelPreparer | None = None
    converted: Path | None = None
    cache: Path | None = None
    scratch: Path | None = None

    @property
    def note(self) -> DeviceNote | None:
        """Return a requested device that is not used, and why, as far as known."""
        return None if self.devices is None else self.devices.note

    async def complete(self, config: EngineConfig) -> EngineConfig:
        """Return the config with the tested device, and its prepared files. Raises EngineError, ModelError."""
        if self.devices is not None:
            config = await self.devices.chosen(config)
        if self.preparer is not None:
            config = await self.preparer.ready(config)
        return config if on_processor(config.device) or self.scratch is None else replace(config, scratch=str(self.scratch))

    async def close(self) -> None:
        """End what tests devices and prepares models."""
        for part in (self.devices, self.preparer):
            if part is not None:
                await part.close()

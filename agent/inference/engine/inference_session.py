"""The port to an inference library: it compiles models for one device, and runs them on bytes or floats."""

from collections.abc import Sequence
from enum import Enum
from typing import Protocol, TypeAlias

import numpy as np
from numpy.typing import NDArray

from agent.inference.engine.engine_calls import ModelFile

Floats: TypeAlias = NDArray[np.float32]
# Height and width of a picture.
Size: TypeAlias = tuple[int, int]
# Pixels [n, height, width, 3] RGB, or floats in the model's own layout.
Values: TypeAlias = NDArray[np.uint8] | Floats


class Input(Enum):
    """What a net is given. Pixels are converted to the model's input inside the net."""

    FLOATS = "floats"
    PIXELS = "pixels"  # the model was trained on RGB
    PIXELS_BLUE_FIRST = "pixels-blue-first"  # the model was trained on BGR


class CompiledNet(Protocol):
    """One model, ready to run. Not thread-safe."""

    def run(self, values: Values) -> list[Floats]:
        """Return the outputs in the order given when compiling; they share no memory with the net."""

    def release(self) -> None:
        """Free the buffers of earlier runs. The next run allocates them again."""

    def prepare(self) -> None:
        """Put into the cache what is compiled later, while the net is used."""


class InferenceSession(Protocol):
    """Compiles models for one device and precision."""

    @property
    def device(self) -> str:
        """Return the device as the settings name it."""

    @property
    def precision(self) -> str:
        """Return the precision in use: "f32", "bf16", "f16", "int8", "int8_bf16"."""

    def compile(self, file: ModelFile, given: Input, outputs: Sequence[str] = (), sizes: Sequence[Size] = ()) -> CompiledNet:
        """Compile a model for pictures of all sizes. `outputs` are names, none for all in the model's order; `sizes` recur in scans.

        Raises ModelError, EngineStartFailed.
        """

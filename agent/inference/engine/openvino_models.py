"""Model files as OpenVINO graphs: checked by their hash, made flexible in size, and kept in OpenVINO's own format."""

import hashlib
from contextlib import suppress
from pathlib import Path
from uuid import uuid4

import numpy as np

from agent.domain.errors import ModelMissing, ModelWrongHash
from agent.inference.engine.engine_calls import ModelFile
from agent.inference.engine.inference_session import Input, Size
from agent.inference.engine.openvino_config import core, ov, preprocess
from agent.inference.engine.quantiser import Calibration, quantised
from agent.inference.engine.sandbox.sandbox_paths import RANGES

_PAIR_SHAPE = [2, 192]


def load(file: ModelFile, converted: Path | None, *, int8: bool = False) -> ov.Model:
    """Return the model as kept in the folder `converted`, where it is put on first use. Raises ModelError.

    With `int8` it is quantised, if its value ranges were measured.
    """
    check_present(file)
    ready = None if converted is None else kept_at(file, converted, int8=int8)
    if ready is not None and ready.is_file():
        try:
            return core().read_model(ready)
        except RuntimeError:
            with suppress(OSError):
                ready.unlink()  # damaged: it is only a copy
    model = read(file)
    if int8 and (ranges := calibration_of(file)):
        model = quantised(model, Calibration.read(ranges))
    return model if ready is None else _kept(model, ready)


def kept_at(file: ModelFile, converted: Path, *, int8: bool = False) -> Path:
    """Return where the model is kept in OpenVINO's format."""
    ranges = calibration_of(file) if int8 else None
    edition = "" if ranges is None else f"-int8-{hashlib.sha256(ranges.read_bytes()).hexdigest()[:16]}"
    return converted / f"{file.name}-{file.sha256[:16]}{edition}.xml"


def calibration_of(file: ModelFile) -> Path | None:
    """Return the asset with this very model's value ranges, if there is one."""
    path = RANGES / f"{file.name}.json"
    try:
        return path if Calibration.read(path).sha256 == file.sha256 else None
    except FileNotFoundError:
        return None


def read(file: ModelFile) -> ov.Model:
    """Return the model from its original file, whose hash is checked before reading. Raises ModelError."""
    check_present(file)
    if hashlib.sha256(Path(file.path).read_bytes()).hexdigest() != file.sha256:
        raise ModelWrongHash(model=file.name)
    return _flexible(core().read_model(file.path))


def check_present(file: ModelFile) -> None:
    """Raises ModelMissing."""
    if not Path(file.path).is_file():
        raise ModelMissing(model=file.name)


def of_size(model: ov.Model, size: Size) -> ov.Model:
    """Return the model, changed in place, for single pictures of that size only."""
    model.reshape([1, 3, *size])
    return model


def with_input(model: ov.Model, given: Input) -> ov.Model:
    """Return the model for this input: pixels stay bytes up to here, the net's first layers convert them."""
    if given is Input.FLOATS:
        return model
    steps = preprocess.PrePostProcessor(model)
    tensor = steps.input().tensor().set_element_type(ov.Type.u8).set_layout(ov.Layout("NHWC"))
    if given is Input.PIXELS_BLUE_FIRST:
        tensor.set_color_format(preprocess.ColorFormat.RGB)
        steps.input().preprocess().convert_color(preprocess.ColorFormat.BGR)
    steps.input().model().set_layout(ov.Layout("NCHW"))
    return steps.build()


def _kept(model: ov.Model, ready: Path) -> ov.Model:
    """Return the model as read back from its file in OpenVINO's format, if that can be written."""
    # In the same folder: on some kernels a sandboxed engine can't move files between folders.
    fresh = ready.with_name(f"{uuid4().hex}.xml")
    try:
        ready.parent.mkdir(parents=True, exist_ok=True)
        ov.save_model(model, fresh, compress_to_fp16=True)
        # The description goes last: if it exists, the weights do too.
        for suffix in (".bin", ".xml"):
            with suppress(PermissionError):  # Windows: another engine was first and has it open
                fresh.with_suffix(suffix).replace(ready.with_suffix(suffix))
    except (RuntimeError, OSError):
        return model  # for example on a full disk: the copy only shortens the next start
    finally:
        for suffix in (".bin", ".xml"):
            with suppress(OSError):
                fresh.with_suffix(suffix).unlink(missing_ok=True)
    return core().read_model(ready)


def _flexible(model: ov.Model) -> ov.Model:
    """Return the model with variable image and batch sizes: both nets are exported for one fixed shape."""
    for node in model.get_ops():
        if node.get_type_name() != "Reshape":
            continue
        shape = node.input_value(1).get_node()
        if shape.get_type_name() == "Constant" and list(shape.data) == _PAIR_SHAPE:
            # The embedder's graph is built for pairs of faces.
            node.input(1).replace_source_output(ov.opset13.constant(np.array([-1, _PAIR_SHAPE[1]], np.int64)).output(0))
    shape = model.input(0).partial_shape
    channels_last = shape[3].is_static and shape[3].get_length() == 3
    model.reshape([-1, 112, 112, 3] if channels_last else [1, 3, -1, -1])
    return model

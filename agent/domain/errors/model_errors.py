"""Failures of model files."""

from agent.domain.errors.error_tree import AgentError


class ModelError(AgentError):
    """A model file is missing or invalid. Parameter `model`: its name in the manifest."""


class ModelMissing(ModelError):
    code = "model.missing"


class ModelWrongHash(ModelError):
    code = "model.wrong_hash"


class ModelUnknown(ModelError):
    """No such model. Parameters: `model` and `nearest`, a similar name; or `file` is set: a file is none of the models."""

    code = "model.unknown"


class ModelUnreachable(ModelError):
    """All sources failed. Parameters: `model`, `sources` (their number)."""

    code = "model.unreachable"

"""What can be wrong with a model's file."""

from agent.domain.errors.error_tree import AgentError


class ModelError(AgentError):
    """A model file is not there or not what it should be. Parameter `model`: its name in the manifest."""


class ModelMissing(ModelError):
    code = "model.missing"


class ModelWrongHash(ModelError):
    code = "model.wrong_hash"


class ModelUnknown(ModelError):
    """Parameters: `model` and `nearest`, the name it may have been meant for; or `file` is set: a file is none of the models."""

    code = "model.unknown"


class ModelUnreachable(ModelError):
    """Every source was tried. Parameters: `model`, `sources` (how many)."""

    code = "model.unreachable"

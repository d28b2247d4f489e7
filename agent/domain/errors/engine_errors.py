"""Failures of the process that decodes and infers, and of its model files."""

from agent.domain.errors.error_tree import AgentError


class EngineError(AgentError):
    """The child process that decodes and infers failed at a task."""


class EngineUnavailable(EngineError):
    """No engine is available for now: work that needs one waits."""


class EngineStartFailed(EngineUnavailable):
    code = "engine.start_failed"


class EngineUnwalled(EngineUnavailable):
    """With `engine.require_sandbox`, no photo is read without a complete sandbox, and this system has none."""

    code = "engine.no_sandbox"


class EngineCrashed(EngineError):
    """The process ended during a task without outside cause: the file is suspect."""

    code = "engine.crashed"


class EngineKilled(EngineError):
    """The user or the system (low memory) ended the process: the file is hardly to blame."""

    code = "engine.killed"


class EngineTimeout(EngineError):
    """The task exceeded its time limit. Parameter: `seconds`."""

    code = "engine.timeout"


class EngineMemory(EngineError):
    """The engine exceeded its memory limit and was restarted. Parameters: `megabytes`, `limit`."""

    code = "engine.memory"


class EngineBadAnswer(EngineError):
    code = "engine.bad_answer"


class EngineOpen(EngineError):
    """This system does not sandbox the engine completely. One parameter, 1: `network`, `files` or `both`, for the open part."""

    code = "engine.open"


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

"""What can happen to the process that decodes and infers."""

from agent.domain.errors.error_tree import AgentError


class EngineError(AgentError):
    """The child process that decodes and infers failed at a task."""


class EngineUnavailable(EngineError):
    """No engine can be had for now: whatever needs one waits."""


class EngineStartFailed(EngineUnavailable):
    code = "engine.start_failed"


class EngineUnwalled(EngineUnavailable):
    """No photo is read without a whole wall around the engine, by `engine.require_sandbox`, and this system has none."""

    code = "engine.no_sandbox"


class EngineCrashed(EngineError):
    """The process ended by itself in the middle of a task: the file is suspect."""

    code = "engine.crashed"


class EngineKilled(EngineError):
    """Somebody else (the user, the system short of memory) ended the process: the file is hardly to blame."""

    code = "engine.killed"


class EngineTimeout(EngineError):
    """Parameter: `seconds`, the limit that was passed."""

    code = "engine.timeout"


class EngineMemory(EngineError):
    """The engine took more memory than it may and was started anew. Parameters: `megabytes`, `limit`."""

    code = "engine.memory"


class EngineBadAnswer(EngineError):
    code = "engine.bad_answer"


class EngineOpen(EngineError):
    """This system does not wall the engine in completely. One parameter, 1: `network`, `files` or `both`, for what is open."""

    code = "engine.open"

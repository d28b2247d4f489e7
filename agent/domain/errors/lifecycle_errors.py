"""Whether the agent runs and can be reached, and the requests it refuses."""

from agent.domain.errors.error_tree import AgentError


class LifecycleError(AgentError):
    """Whether the agent runs."""


class NotRunning(LifecycleError):
    code = "agent.not_running"


class AlreadyRunning(LifecycleError):
    code = "agent.already_running"


class CommandRunning(LifecycleError):
    """A command that does without the agent uses the library."""

    code = "agent.command_running"


class AgentUnreachable(LifecycleError):
    code = "agent.unreachable"


class FewFiles(LifecycleError):
    """The system lets the program open too few files at once. Parameters: `limit`, and the `least` that it needs."""

    code = "agent.few_files"


class ApiError(AgentError):
    """A request that is refused."""


class Unauthorised(ApiError):
    code = "api.unauthorised"


class ForeignOrigin(ApiError):
    code = "api.foreign_origin"


class NotFound(ApiError):
    code = "api.not_found"


class BadRequest(ApiError):
    """Parameter: `reason`."""

    code = "api.bad_request"


class OutputFailed(AgentError):
    """Standard output cannot be written. Parameter `full` is set if no space is left."""

    code = "output.failed"

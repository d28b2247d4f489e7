"""Failures to start or reach the agent, and the requests it refuses."""

from agent.domain.errors.error_tree import AgentError


class LifecycleError(AgentError):
    """The agent's running state prevents the operation."""


class NotRunning(LifecycleError):
    code = "agent.not_running"


class AlreadyRunning(LifecycleError):
    code = "agent.already_running"


class CommandRunning(LifecycleError):
    """A command is using the library without the agent."""

    code = "agent.command_running"


class AgentUnreachable(LifecycleError):
    """Parameter `server` if it is a team server."""

    code = "agent.unreachable"


class FewFiles(LifecycleError):
    """The system allows too few open files. Parameters: `limit`, and the required `least`."""

    code = "agent.few_files"


class ProcessMemory(LifecycleError):
    """A process took more memory than its threshold. Parameters: its `kind`, also with the value 1 by that name; `megabytes`, `limit`."""

    code = "agent.memory"


class ApiError(AgentError):
    """A request was refused."""


class Unauthorised(ApiError):
    code = "api.unauthorised"


class ForeignOrigin(ApiError):
    code = "api.foreign_origin"


class NotFound(ApiError):
    code = "api.not_found"


class BadRequest(ApiError):
    """The request is invalid. Parameter: `reason`."""

    code = "api.bad_request"


class OutputFailed(AgentError):
    """Standard output can't be written. Parameter `full` is set if no space is left."""

    code = "output.failed"

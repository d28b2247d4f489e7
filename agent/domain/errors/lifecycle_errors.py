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


class AgentLost(LifecycleError):
    """What a command talks to was there, and gives no answer. Parameter `server` if it is a team server."""


class AgentUnreachable(AgentLost):
    """It has ended."""

    code = "agent.unreachable"


class AgentNotAnswering(AgentLost):
    """Its process is there and takes connections, but answers nothing: it is stopped, or too busy."""

    code = "agent.not_answering"


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

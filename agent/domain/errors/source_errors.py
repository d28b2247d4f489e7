"""What can be wrong with a watched folder."""

from agent.domain.errors.error_tree import AgentError


class SourceError(AgentError):
    """A watched folder can't be watched."""


class SourceUnreachable(SourceError):
    code = "source.unreachable"


class SourceMissing(SourceError):
    """A folder that is to be watched is not there, or does not answer."""

    code = "source.missing"


class SourceNoAccess(SourceError):
    """The folder is there, but this program may not look into it."""

    code = "source.no_access"


class SourceNoAnswer(SourceError):
    """A drive that a command needs does not answer, or only with errors."""

    code = "source.no_answer"


class SourceLimit(SourceError):
    """The system's limit of watched folders is reached; the folder is looked through at intervals instead."""

    code = "source.limit"

"""Failures of watched folders."""

from agent.domain.errors.error_tree import AgentError


class SourceError(AgentError):
    """A watched folder can't be watched."""


class SourceUnreachable(SourceError):
    code = "source.unreachable"


class SourceMissing(SourceError):
    """A folder to watch is missing or does not respond."""

    code = "source.missing"


class SourceNoAccess(SourceError):
    """The folder exists, but this program may not read it."""

    code = "source.no_access"


class SourceNoAnswer(SourceError):
    """A drive that a command needs does not respond, or only with errors."""

    code = "source.no_answer"


class SourceLimit(SourceError):
    """The system's limit of watched folders is reached; the folder is scanned at intervals instead."""

    code = "source.limit"

"""What can stand in the way of a covered copy."""

from agent.domain.errors.tree import AgentError


class RedactionError(AgentError):
    """One copy could not be made: the original is untouched, and nothing half-made stands under the copy's name."""


class SameFile(RedactionError):
    """The copy would take the place of its original, which was not asked for."""

    code = "redact.same_file"


class CopyUnwritable(RedactionError):
    code = "redact.unwritable"


class CopyDiskFull(RedactionError):
    code = "redact.disk_full"


class CopyUnsupported(RedactionError):
    """Parameter `format`: no copy can be written in it."""

    code = "redact.unsupported"


class NotRestorable(RedactionError):
    """There is nothing kept to restore from."""

    code = "redact.nothing_kept"


class RestoreKeyWrong(RedactionError):
    code = "redact.wrong_key"

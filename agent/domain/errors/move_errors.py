"""Failures of moving a library between a desktop and a team server."""

from agent.domain.errors.error_tree import AgentError


class MoveError(AgentError):
    """A library can't be moved."""


class MoveNoLibrary(MoveError):
    """There is no library at that place."""

    code = "move.no_library"


class MoveKeyMissing(MoveError):
    """The key of the library that is to be moved is not on this machine."""

    code = "move.key_missing"


class MoveFoldersMissing(MoveError):
    """Watched folders are not where the server would look for them. Parameters: `folders` and `files`, their numbers."""

    code = "move.folders_missing"


class MoveRecognitionOff(MoveError):
    """The library has face prints, and recognition is off on the other side, which would delete them. Parameter: `faces`."""

    code = "move.recognition_off"


class MoveTargetTaken(MoveError):
    """The folder for a moved library holds something else."""

    code = "move.target_taken"


class MoveDiffers(MoveError):
    """After the move, rows of these tables differ. Parameter: `tables`."""

    code = "move.differs"


class MovedRecordChanged(MoveError):
    """Records of libraries that moved here are not as they came. Parameter: `records`, their number."""

    code = "move.record_changed"

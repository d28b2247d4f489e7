"""Queries a disk that may never answer, such as a disconnected drive, from synchronous code."""

import errno
import threading
from collections.abc import Callable

from agent.domain.errors import SourceNoAnswer

ANSWER_S = 30.0  # as long as a command waits for the agent
_SAYS_SOMETHING = (errno.ENOENT, errno.ENOTDIR, errno.ELOOP, errno.ENAMETOOLONG, errno.EACCES, errno.EPERM, errno.EINVAL)


def answered(question: Callable[[], object]) -> None:
    """Wait for `question` to end. Blocks, for `ANSWER_S` seconds at most.

    Raises SourceNoAnswer if it does not end in time, or with an error of the drive itself. An error about the path is
    ignored and will occur again. Raises any other error of `question`.
    """
    failed: list[Exception] = []

    def ask() -> None:
        try:
            question()
        except Exception as error:  # raised in the waiting thread
            failed.append(error)

    asking = threading.Thread(target=ask, name="answering", daemon=True)  # it can't be stopped, and must not keep the process alive
    asking.start()
    asking.join(ANSWER_S)
    if asking.is_alive():
        raise SourceNoAnswer
    for error in failed:
        if not isinstance(error, OSError | ValueError):
            raise error
        if isinstance(error, OSError) and error.errno not in _SAYS_SOMETHING:
            raise SourceNoAnswer from error

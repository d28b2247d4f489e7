"""Logs why a server or a worker did not start, or ended, for those who collect its log instead of its standard error."""

import sys
from collections.abc import Iterator
from contextlib import contextmanager, suppress

import structlog

from agent.cli.session import CommandSession
from agent.core import logs
from agent.core.log_privacy import without_names
from agent.domain.errors import AgentError, AlreadyRunning, CommandRunning


@contextmanager
def failure_logged(session: CommandSession, file: str) -> Iterator[None]:
    """Write an error's code, cause and remedy to the log, where and as the settings say, as far as they can be read. It is raised on."""
    try:
        yield
    except (AlreadyRunning, CommandRunning):
        raise  # the log is the other process's
    except AgentError as error:
        with suppress(OSError):  # without a folder for the log, standard error has to do
            logs.configure(session.file.log_settings(), session.paths.logs, file=file, stdout=sys.stdout)
            cause, remedy = without_names(session.texts.cause(error)), without_names(session.texts.remedy(error))
            structlog.get_logger().error("process.failed", code=error.code, cause=cause, remedy=remedy)
            logs.stop()
        raise

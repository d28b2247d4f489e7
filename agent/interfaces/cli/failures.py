"""Turns an error into a text on standard error and an exit code, and into a line of the log for those who collect that instead."""

import errno
import sys
from collections.abc import Iterator
from contextlib import contextmanager, suppress

import click
import structlog
from pydantic import ValidationError

from agent.domain.errors import (
    AgentError,
    AlreadyRunning,
    CommandRunning,
    OutputFailed,
    RestoreInterrupted,
    SettingsError,
    SettingsNoAccess,
    SettingsSecretUnreadable,
    SettingsUnwritable,
    Unexpected,
)
from agent.infrastructure.core.i18n import Texts
from agent.infrastructure.core.log_privacy import without_names
from agent.infrastructure.core.sd_notify import SETTINGS_WRONG
from agent.interfaces.cli.click_texts import whole
from agent.interfaces.cli.language import TEXTS
from agent.interfaces.cli.output import is_of_output
from agent.interfaces.cli.session import CommandSession

_MAY_PASS = (SettingsNoAccess, SettingsSecretUnreadable, SettingsUnwritable)  # a disk may come back, or have room again


def told(session: CommandSession, error: Exception) -> int:
    """Print what happened and what to do about it; returns the exit code: 1 failure, 2 wrong usage."""
    match error:
        case click.UsageError():
            whole(error, TEXTS).show()
            return 2
        case click.ClickException():
            error.show()
        case AgentError():
            session.explain(error)
        case ValidationError() if error.title.endswith("Request"):  # the user's request is invalid
            click.UsageError(_refusal(session.texts, error)).show()
            return 2
        case OSError() if is_of_output(error):
            session.explain(OutputFailed(full=1) if error.errno == errno.ENOSPC else OutputFailed())
        case _:
            _log(session, error)
            defect = Unexpected(kind=type(error).__name__)
            defect.__cause__ = error
            session.explain(defect)
    return 1


def _refusal(texts: Texts, error: ValidationError) -> str:
    """The first reason, without the value, which may be of any length."""
    first = error.errors(include_url=False, include_input=False)[0]
    what = str(first["loc"][0]) if first["loc"] else ""
    if first["type"] == "too_long":
        return texts("cli.request.too_many", what=what, most=int(first["ctx"]["max_length"]))
    return texts("cli.request.wrong", what=what)


def _log(session: CommandSession, error: Exception) -> None:
    """Log the place of a defect, never its message, which may hold a name or a path."""
    from agent.infrastructure.core import logs

    with suppress(AgentError, OSError):
        logs.configure(session.settings.logs, session.paths.logs)
        structlog.get_logger().error("command.failed", exc_info=error)
        logs.stop()


@contextmanager
def failure_logged(session: CommandSession, file: str) -> Iterator[None]:
    """Log why a server or a worker did not start, or ended: where and as the settings say, as far as they can be read.

    The line holds the error's code, cause and remedy. The error is raised on; with wrong settings or in the middle of a restore, which
    starting again doesn't mend, it is printed, and the process ends with a code of its own.
    """
    from agent.infrastructure.core import logs

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
        if isinstance(error, RestoreInterrupted) or (isinstance(error, SettingsError) and not isinstance(error, _MAY_PASS)):
            session.explain(error)
            raise click.exceptions.Exit(SETTINGS_WRONG) from error
        raise

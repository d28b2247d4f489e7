"""What commands need of the whole program: above all its application in this process, where no agent runs."""

import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING

from agent.domain.errors import ScreenUnavailable
from agent.domain.image import Recipe
from agent.features.models.commands import fetch_missing
from agent.infrastructure.core.settings import Settings
from agent.interfaces.cli.session import Application, CommandSession, Program

if TYPE_CHECKING:
    from agent.infrastructure.store.database import Database

PORT = 1  # nothing listens there: requests never leave this process


@contextmanager
def application(session: CommandSession, embeddings: bool | None) -> Iterator[Callable[[], Application]]:
    """With the models fetched unless `embeddings` is None, the log written, and the library open meanwhile."""
    from agent.infrastructure.core import logs

    if embeddings is not None:
        fetch_missing(session, embeddings=embeddings)
    logs.configure(session.settings.logs, session.paths.logs, echo=sys.stderr if session.verbose else None)
    try:
        with session.database(checked=True) as database:
            yield lambda: _made(session, database)
    finally:
        logs.stop()


def _made(session: CommandSession, database: "Database") -> Application:
    from agent.app import wiring
    from agent.app.commands_api import commands_app
    from agent.interfaces.web.local_auth import Auth

    app = wiring.build(session.settings, session.paths, database=database, renamed=session.file.rename_kept)
    auth = Auth(time.monotonic)
    answer = commands_app(app, auth, lambda: session.texts, lambda: PORT)
    return Application(answer, auth.token, PORT, lambda: app.run(watch=False, fetch=False), app.prepared)


def _browse(url: str) -> bool:
    from agent.desktop.system.external_apps import open_in_browser

    return open_in_browser(url)


def _check_screen() -> None:
    from agent.desktop.system.display import display_available
    from agent.desktop.system.portal import no_watching

    if (refused := no_watching()) is not None:
        raise refused
    if not display_available():  # DISPLAY is set, and nothing answers there
        raise ScreenUnavailable


def _recipe(settings: Settings, embeddings: bool) -> Recipe:
    from agent.features.library.recipes import everything, recipe_of

    return (everything if embeddings else recipe_of)(settings)


def _install_update(session: CommandSession, again: bool) -> None:
    from agent.app.run_commands import handover

    handover(session).install(again=again)


PROGRAM = Program(application, _browse, _check_screen, _recipe, _install_update)

"""Checks the whole library while a command uses it; damage is reported at the command's end."""

import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from datetime import UTC, datetime
from typing import TYPE_CHECKING

from agent.domain.errors import StoreDamaged, StoreError

if TYPE_CHECKING:
    from agent.cli.session import Session
    from agent.store.database import Database

# The longest that a finished command waits for the check; a small library takes a moment unless the computer is busy.
WAIT_S, WAIT_SMALL_S = 2.0, 20.0


@contextmanager
def checking(session: "Session", database: "Database") -> Iterator[None]:
    """Also reports the last check's result if this one takes too long. A failing command reports its own reason."""
    from agent.store.soundness import Soundness

    soundness = Soundness(session.paths.library)
    if not soundness.due(datetime.now(UTC)):
        yield
        return  # intact: after damage, a check would be due

    def look() -> None:
        with suppress(StoreError):  # busy, or closed: the next command checks
            soundness.look(database)

    reader = threading.Thread(target=look, name="library-check", daemon=True)
    reader.start()
    yield
    reader.join(WAIT_SMALL_S if soundness.small else WAIT_S)
    tell_damage(session)


def tell_damage(session: "Session") -> None:
    """Report damage if the last check found any."""
    from agent.store.soundness import Soundness

    if Soundness(session.paths.library).damaged:
        session.explain(StoreDamaged())

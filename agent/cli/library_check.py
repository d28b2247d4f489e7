"""While a command uses the library, reads all of it beside: a damaged page is told at the command's end."""

import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from datetime import UTC, datetime
from typing import TYPE_CHECKING

from agent.domain.errors import StoreDamaged, StoreError

if TYPE_CHECKING:
    from agent.cli.session import Session
    from agent.store.database import Database

# At most so long a command that is done waits for the end of the reading; a small library is read at once unless the computer is busy.
WAIT_S, WAIT_SMALL_S = 2.0, 20.0


@contextmanager
def checking(session: "Session", database: "Database") -> Iterator[None]:
    """What the library was last found to be is told too, where the reading takes too long. A command that fails tells its own reason."""
    from agent.store.soundness import Soundness

    soundness = Soundness(session.paths.library)
    if not soundness.due(datetime.now(UTC)):
        yield
        return  # sound, or damage would have been due

    def look() -> None:
        with suppress(StoreError):  # busy, or closed: the next command looks
            soundness.look(database)

    reader = threading.Thread(target=look, name="library-check", daemon=True)
    reader.start()
    yield
    reader.join(WAIT_SMALL_S if soundness.small else WAIT_S)
    tell_damage(session)


def tell_damage(session: "Session") -> None:
    """If the last look found damage."""
    from agent.store.soundness import Soundness

    if Soundness(session.paths.library).damaged:
        session.explain(StoreDamaged())

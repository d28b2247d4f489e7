"""Decides when the popup shows itself: when photos were looked at, unless the user has just sent it away."""

import asyncio
from collections.abc import Callable

import structlog

from agent.app.status import Status
from agent.desktop.desk import Desk
from agent.domain.errors import DesktopError
from agent.domain.events import ImageFailed, ImageIndexed, PlaceAdded, Recorded

log = structlog.get_logger()

# The page fills itself; the window is asked to come to the front no oftener than this.
LEAST_INTERVAL_S = 1.0
UNAVAILABLE_S = 30.0


class Presenter:
    """One burst, one appearance: hidden by the user, it stays away until the work at hand is done."""

    def __init__(self, desk: Desk, *, enabled: Callable[[], bool]) -> None:
        self._desk = desk
        self._enabled = enabled
        self._wanted = asyncio.Event()
        self._sent_away = False
        self._working = False

    def happened(self, recorded: Recorded) -> None:
        """A listener of the bus."""
        if isinstance(recorded.event, ImageIndexed | ImageFailed | PlaceAdded) and self._enabled() and not self._sent_away:
            self._wanted.set()

    def status(self, status: Status) -> None:
        """A listener of the status."""
        self._working = status.queued > 0  # also while it is paused or stopped: the burst goes on afterwards
        if not self._working:
            self._sent_away = False

    def sent_away(self) -> None:
        """The user hid the popup."""
        self._sent_away = self._working
        self._wanted.clear()

    async def run(self) -> None:
        """Show the popup whenever it is wanted, until cancelled. Where there is none, say so once and go on without."""
        said = False
        while True:
            await self._wanted.wait()
            self._wanted.clear()
            try:
                await self._desk.show_popup()
                said = False
            except DesktopError as error:
                if not said:
                    log.warning("popup.unavailable", code=error.code)
                said = True
                await asyncio.sleep(UNAVAILABLE_S)
            await asyncio.sleep(LEAST_INTERVAL_S)

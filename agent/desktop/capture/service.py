"""The screen room: captures and watching, if there is a screen."""

from agent.desktop.capture.capture import CaptureService
from agent.desktop.capture.watch import WatchService
from agent.domain.errors import ScreenUnavailable
from agent.features.library.status import StatusFeed


class ScreenService:
    """Either is None if the system offers no screen for it."""

    def __init__(self, capturing: CaptureService | None, watching: WatchService | None) -> None:
        self._capturing = capturing
        self._watching = watching

    @property
    def capturing(self) -> CaptureService:
        """Return captures. Raises ScreenUnavailable without a screen to capture."""
        if self._capturing is None:
            raise ScreenUnavailable
        return self._capturing

    @property
    def watching(self) -> WatchService:
        """Return watching. Raises ScreenUnavailable likewise."""
        if self._watching is None:
            raise ScreenUnavailable
        return self._watching

    @property
    def taken(self) -> int:
        """Return how many captures came to review since the start."""
        return 0 if self._capturing is None else self._capturing.taken

    def tell(self, status: StatusFeed) -> None:
        """Connect the status with open captures and the state of watching."""
        if self._capturing is not None:
            self._capturing.shown.subscribe(status.captures.set)
        if self._watching is not None:
            self._watching.shown.subscribe(status.watching.set)

    async def run(self) -> None:
        """Watch while it is switched on, until cancelled."""
        if self._watching is not None:
            await self._watching.run()

    def wake(self, _: object = None) -> None:
        """Check settings and pauses again."""
        if self._watching is not None:
            self._watching.wake()

    def forget(self) -> None:
        """Discard everything recognised, because known people may have been deleted."""
        if self._capturing is not None:
            self._capturing.forget()
        if self._watching is not None:
            self._watching.forget()

    def people_changed(self) -> None:
        if self._watching is not None:
            self._watching.people_changed()

    async def close(self) -> None:
        if self._capturing is not None:
            await self._capturing.close()

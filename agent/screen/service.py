"""What is done with the screen, where there is one: captures, and watching it."""

from agent.domain.errors import ScreenUnavailable
from agent.library.status import StatusFeed
from agent.screen.capture import Capturing
from agent.screen.watch import Watching


class ScreenWork:
    """Either is None where the system offers no screen for it."""

    def __init__(self, capturing: Capturing | None, watching: Watching | None) -> None:
        self._capturing = capturing
        self._watching = watching

    @property
    def capturing(self) -> Capturing:
        """Raises ScreenUnavailable where there is no screen to capture."""
        if self._capturing is None:
            raise ScreenUnavailable
        return self._capturing

    @property
    def watching(self) -> Watching:
        """Raises ScreenUnavailable likewise."""
        if self._watching is None:
            raise ScreenUnavailable
        return self._watching

    def tell(self, status: StatusFeed) -> None:
        """Have the status say what is open and whether the screen is watched."""
        if self._capturing is not None:
            self._capturing.shown.subscribe(status.captures.set)
        if self._watching is not None:
            self._watching.shown.subscribe(status.watching.set)

    async def run(self) -> None:
        """Watch while that is switched on, until cancelled."""
        if self._watching is not None:
            await self._watching.run()

    def wake(self, _: object = None) -> None:
        """Settings, or whether the program rests, may be others."""
        if self._watching is not None:
            self._watching.wake()

    def forget(self) -> None:
        """What is known of people may be no more: nothing that was recognised before stays."""
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

"""Decides when the popup appears: after photos were analysed, unless the user closed it, asked for quiet, or is busy."""

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass

import structlog

from agent.desktop.popup.ui_launcher import UiLauncher
from agent.domain.errors import DesktopError, StoreError
from agent.domain.events import ImageFailed, ImageIndexed, LocationAdded, StoredEvent
from agent.features.library.status import AgentStatus
from agent.features.library.watched_folders import loud
from agent.features.redaction.queries.redaction_queries import RedactionQueries
from agent.infrastructure.core.service_context import Environment

log = structlog.get_logger()

# The page updates itself; the window is brought to the front at most this often.
LEAST_INTERVAL_S = 1.0
UNAVAILABLE_S = 30.0
# Waiting news; above this number only their existence matters.
MOST_WAITING = 1_000


@dataclass(frozen=True, slots=True)
class News:
    """A file that was analysed."""

    place_id: int
    image_id: int | None  # None if it failed
    faces: int = 0


class PopupPolicy:
    """One appearance per burst: after the user hides it, the popup stays hidden until the current work is done.

    `disturbs` returns whether a popup would disturb right now; `notify` receives the photos if the popup can't be shown.
    """

    def __init__(
        self,
        desk: UiLauncher,
        library: RedactionQueries,
        environment: Environment,
        *,
        disturbs: Callable[[], Awaitable[bool]],
        notify: Callable[[Sequence[News]], Awaitable[None]],
    ) -> None:
        self._desk = desk
        self._library = library
        self._settings = environment.settings
        self._disturbs = disturbs
        self._notify = notify
        self._news: list[News] = []
        self._wanted = asyncio.Event()
        self._sent_away = False
        self._working = False

    def happened(self, recorded: StoredEvent) -> None:
        """A listener of the bus."""
        if not self._settings.value.popup.enabled or self._sent_away or len(self._news) >= MOST_WAITING:
            return
        match recorded.event:
            case ImageIndexed(place_id=place_id, image_id=image_id, faces=faces):
                self._news.append(News(place_id, image_id, faces))
            case ImageFailed(place_id=place_id):
                self._news.append(News(place_id, None))
            case LocationAdded(place_id=place_id, image_id=image_id):
                self._news.append(News(place_id, image_id))
            case _:
                return
        self._wanted.set()

    def status(self, status: AgentStatus) -> None:
        """A listener of the status."""
        self._working = status.queued > 0  # also while paused or stopped: the burst continues afterwards
        if not self._working:
            self._sent_away = False

    def sent_away(self) -> None:
        """The user hid the popup."""
        self._sent_away = self._working
        self._wanted.clear()
        self._news.clear()

    async def run(self) -> None:
        """Show the popup whenever needed, until cancelled. If popups are impossible, report it once and continue without."""
        said = False
        while True:
            await self._wanted.wait()
            self._wanted.clear()
            news, self._news = self._news, []
            if await self._disturbs():
                continue
            try:
                audible = await self._audible(news)
            except StoreError as error:  # the popup simply stays away; writers report what else the error means
                log.warning("popup.undecided", code=error.code)
                continue
            if not audible or self._sent_away:
                continue
            try:
                await self._desk.show_popup()
                said = False
            except DesktopError as error:
                if not said:
                    log.warning("popup.unavailable", code=error.code)
                said = True
                seen = [each for each in news if each.place_id in audible and each.image_id is not None]
                if seen:
                    await self._notify(seen)
                await asyncio.sleep(UNAVAILABLE_S)
            await asyncio.sleep(LEAST_INTERVAL_S)

    async def _audible(self, news: Sequence[News]) -> set[int]:
        """Return the files that are worth the popup: not in muted folders, and no covered copies, which the user has just asked for.

        Raises StoreError.
        """
        images = {each.image_id for each in news if each.image_id is not None}
        copies = await asyncio.to_thread(self._library.covered_copies, images)
        places = [each.place_id for each in news if each.image_id not in copies]
        return set(await loud(self._library, self._settings.value.folders, places))

"""What was seen on the screen is announced, but not to a busy user unless they share the screen."""

import asyncio
from collections.abc import Callable

import pytest

from agent.desktop.capture.face_alerts import SightingAnnouncement, SightingKind
from agent.desktop.notifications.watch_notifier import SNOOZE_MINUTES, WatchNotifier
from agent.domain.errors import NoDisplay
from agent.infrastructure.core.i18n import Texts
from tests.support.in_process_agent import NOW


class Around:
    """Watching, notifications and desk in one."""

    def __init__(self) -> None:
        self.told: list[str] = []
        self.pressed: Callable[[], None] = lambda: None
        self.able, self.busy, self.popups = True, False, 0
        self.snoozed: list[int] = []
        self.teller = WatchNotifier(self, self, self, lambda: Texts("en"), self._disturbs)  # type: ignore[arg-type]

    async def names(self) -> dict[int, str]:
        return {1: "Mei"}

    async def snooze(self, minutes: int) -> None:
        self.snoozed.append(minutes)

    async def say(self, texts: Texts, message: str, button: str, pressed: Callable[[], None]) -> bool:
        self.told.append(message)
        self.pressed = pressed
        return self.able

    async def show_popup(self) -> None:
        self.popups += 1
        raise NoDisplay  # which is noted in the log

    async def _disturbs(self) -> bool:
        return self.busy

    async def hears(self, kind: SightingKind, person_id: int | None = None) -> None:
        self.teller(SightingAnnouncement(1, NOW, kind, person_id))
        await self.settled()

    async def settled(self) -> None:
        await asyncio.gather(*self.teller._telling)


@pytest.fixture
async def around() -> Around:
    return Around()


async def test_it_is_told_in_words_and_can_be_put_off_there(around: Around) -> None:
    await around.hears(SightingKind.PERSON, 1)
    await around.hears(SightingKind.PERSON, 2)
    await around.hears(SightingKind.NEW_FACE)
    assert around.told == ["Mei is on the screen.", "A person is on the screen.", "A new face appeared on the screen."]
    assert around.popups == 0
    around.pressed()
    await around.settled()
    assert around.snoozed == [SNOOZE_MINUTES]


async def test_without_notifications_the_popup_comes_where_there_is_one(around: Around) -> None:
    around.able = False
    await around.hears(SightingKind.NEW_FACE)
    assert around.popups == 1


async def test_who_is_busy_hears_only_that_a_face_is_shared(around: Around) -> None:
    around.busy = True
    await around.hears(SightingKind.NEW_FACE)
    await around.hears(SightingKind.SHARED)
    assert around.told == ["A face is visible while you share your screen."]

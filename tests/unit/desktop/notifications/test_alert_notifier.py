"""An alert of the team's server is a notification that opens the server's page; only critical ones break a quiet time."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

import pytest

from agent.desktop.notifications.alert_notifier import AlertNotifier
from agent.desktop.team_client.records import Link
from agent.domain.severity import Severity
from agent.infrastructure.core.i18n import Texts
from agent.interfaces.web.desk_exchange import DeskAlert

if TYPE_CHECKING:
    from collections.abc import Callable

SERVER = Link("ab" * 16, "https://photos.example:443", "photos", "AB:CD", "PEM", "mei", may_name=True)
LOW = DeskAlert(id=3, source="server", name="disk-low", severity=Severity.WARNING, number=4)
EXPIRED = DeskAlert(id=5, source="server", name="certificate-expired", severity=Severity.CRITICAL, number=0)


class Around:
    """The notifier and the browser."""

    def __init__(self) -> None:
        self.said: list[str] = []
        self.pressed: Callable[[], None] = lambda: None
        self.able, self.busy, self.language = True, False, "en"
        self.opened: list[str] = []
        self.teller = AlertNotifier(self, lambda: Texts(self.language), self._disturbs, self._browse)  # type: ignore[arg-type]

    async def say(self, texts: Texts, message: str, button: str, pressed: Callable[[], None], *, by_click: bool) -> bool:
        assert button == texts("notify.show") and by_click
        self.pressed = pressed
        self.said += [message] if self.able else []
        return self.able

    async def _disturbs(self) -> bool:
        return self.busy

    def _browse(self, page: str) -> bool:
        self.opened.append(page)
        return True

    async def press(self) -> None:
        self.pressed()
        await asyncio.gather(*self.teller._opening)

    async def hears(self, *alerts: DeskAlert) -> set[int]:
        return set(await self.teller(SERVER, alerts))


@pytest.fixture
async def around() -> Around:
    return Around()


async def test_it_says_what_fires_and_opens_the_servers_page(around: Around) -> None:
    assert await around.hears(LOW) == {3}
    assert around.said == ["photos: A disk is filling up (Warning). Free on the fullest disk with the server’s data: 4%."]
    await around.press()
    around.language = "zh-CN"
    assert await around.hears(EXPIRED, LOW) == {3, 5}
    assert around.said[1:] == ["photos：2 条告警，最紧急的是：证书已过期（严重）"]
    await around.press()
    assert around.opened == ["https://photos.example/#alerts/3", "https://photos.example/#alerts"]


async def test_a_quiet_time_holds_back_all_but_critical_ones(around: Around) -> None:
    around.busy = True
    assert await around.hears(LOW) == set() and around.said == []
    assert await around.hears(LOW, EXPIRED) == {5}
    assert around.said == ["photos: The certificate has expired (Critical). Browsers and joined desktops refuse the server."]
    around.busy = False
    assert await around.hears(LOW) == {3}


async def test_alerts_of_prometheus_have_no_number_and_unknown_ones_their_name(around: Around) -> None:
    await around.hears(LOW.model_copy(update={"source": "prometheus"}))
    await around.hears(LOW.model_copy(update={"name": "burn-rate"}))
    assert around.said == ["photos: A disk is filling up (Warning)", "photos: burn-rate (Warning)"]


async def test_without_notifications_nothing_counts_as_told(around: Around) -> None:
    around.able = False
    assert await around.hears(EXPIRED) == set()

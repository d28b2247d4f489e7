"""Reports alerts of the team's server to an administrator by a notification, which opens the server's page."""

import asyncio
from collections.abc import Awaitable, Callable, Collection, Sequence
from typing import Final

import structlog

from agent.desktop.notifications.notifier import Notifier
from agent.desktop.system.external_apps import open_in_browser
from agent.desktop.team_client.records import Link
from agent.domain.severity import Severity
from agent.infrastructure.core.background import BackgroundTasks
from agent.infrastructure.core.i18n import Texts
from agent.interfaces.web.desk_exchange import DeskAlert

log = structlog.get_logger()

_URGENCY: Final = list(Severity)


class AlertNotifier:
    """Use it from the event loop. Several at once are one notification."""

    def __init__(
        self,
        notifier: Notifier,
        texts: Callable[[], Texts],
        disturbs: Callable[[], Awaitable[bool]],
        browse: Callable[[str], bool] = open_in_browser,
    ) -> None:
        """`disturbs`: whether the user wants quiet now. Critical alerts are told all the same."""
        self._notifier = notifier
        self._texts = texts
        self._disturbs = disturbs
        self._browse = browse
        self._opening = BackgroundTasks()

    async def __call__(self, server: Link, alerts: Sequence[DeskAlert]) -> Collection[int]:
        """Return the ids of those that were told: none without notifications."""
        due = [each for each in alerts if each.severity is Severity.CRITICAL]
        if len(due) < len(alerts) and not await self._disturbs():
            due = list(alerts)
        if not due:
            return ()
        texts, page = self._texts(), f"{server.address.removesuffix(':443')}/#alerts"
        if len(due) == 1:
            page = f"{page}/{due[0].id}"
        told = await self._notifier.say(
            texts, words(texts, server.name, due), texts("notify.show"), lambda: self._show(page), by_click=True
        )
        return {each.id for each in due} if told else ()

    def _show(self, page: str) -> None:
        self._opening.start(self._open(page))

    async def _open(self, page: str) -> None:
        if not await asyncio.to_thread(self._browse, page):
            log.warning("alerts.page_not_opened")


def words(texts: Texts, server: str, alerts: Sequence[DeskAlert]) -> str:
    """The notification's text: of one alert all, of several the number and the most urgent."""
    first = max(alerts, key=lambda each: _URGENCY.index(each.severity))
    kind, severity = _text(texts, f"alerts.kinds.{first.name}"), texts(f"incidents.severity.{first.severity}")
    said = {"server": server, "kind": kind or first.name, "severity": severity}
    if len(alerts) > 1:
        return texts("notify.alerts", number=len(alerts), **said)
    # Prometheus's alerts have the same names, but no number.
    what = _text(texts, f"alerts.texts.{first.name}", number=first.number) if first.source == "server" else ""
    return texts("notify.alert_text", what=what, **said) if what else texts("notify.alert", **said)


def _text(texts: Texts, key: str, **params: int) -> str:
    """Empty for names that this version does not know."""
    found = texts(key, **params)
    return "" if found == key else found

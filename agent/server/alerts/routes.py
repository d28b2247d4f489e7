"""Routes of alerts."""

import asyncio
from collections.abc import Callable
from datetime import datetime
from typing import Annotated, Final

from fastapi import FastAPI, Query, Request

from agent.interfaces.web.access import SCOPES, Scope, needs
from agent.interfaces.web.desk_exchange import WAIT_S, DeskAlert, DeskAlerts
from agent.interfaces.web.schemas import MOST, Id
from agent.interfaces.web.scoped_route import Who
from agent.server.alerts.schemas import (
    AlertCount,
    AlertHistory,
    AlertMessageOut,
    AlertMessages,
    AlertOut,
    AlertsOut,
    AlertTestSent,
    PrometheusAlerts,
    SilenceOut,
    SilenceWanted,
)
from agent.server.alerts.service import Alerts, known_names
from agent.server.messages.sending import Sending

_READ: Final = needs(Scope.ALERTS_READ)
_MANAGE: Final = needs(Scope.ALERTS_MANAGE)
WATCHDOG: Final = "watchdog"
"""fires always, so that its silence is noticed elsewhere: it is no alert here"""


def alert_routes(api: FastAPI, alerts: Alerts, sending: Sending, looked_at: Callable[[], datetime | None]) -> None:
    """Add the routes to `api`. `looked_at` returns when this process last looked at the conditions."""
    _reading_routes(api, alerts, sending, looked_at)
    _managing_routes(api, alerts, sending)
    _other_programs(api, alerts)


def _reading_routes(api: FastAPI, alerts: Alerts, sending: Sending, looked_at: Callable[[], datetime | None]) -> None:
    queries = alerts.queries

    @api.get("/api/alerts", openapi_extra=_READ)
    async def all_alerts() -> AlertsOut:
        """Return what fires, and the silences in force."""
        return AlertsOut(
            firing=tuple(map(AlertOut.of, await alerts.firing())),
            silences=tuple(map(SilenceOut.of, await alerts.silences())),
            names=tuple(known_names()),
            ways=sending.ways(),
            looked_at=looked_at(),
        )

    @api.get("/api/alerts/count", openapi_extra=_READ)
    async def alert_count() -> AlertCount:
        return AlertCount(firing=len(await alerts.firing_aloud()))

    @api.get("/api/alerts/history", openapi_extra=_READ)
    async def alert_history(before: Id | None = None, limit: Annotated[int, Query(ge=1, le=200)] = 50) -> AlertHistory:
        """Return what ended, newest first."""
        found = await asyncio.to_thread(queries.ended, before, limit + 1)
        items = tuple(map(AlertOut.of, found[:limit]))
        return AlertHistory(items=items, before=items[-1].id if len(found) > limit else None)

    @api.get("/api/alerts/{alert_id}/messages", openapi_extra=_READ)
    async def alert_messages(alert_id: Id) -> AlertMessages:
        """Return the messages about an alert, sent or not."""
        await asyncio.to_thread(queries.alert, alert_id)
        found = await asyncio.to_thread(queries.outbox.of, alert_id)
        return AlertMessages(items=tuple(map(AlertMessageOut.from_record, found)))


def _managing_routes(api: FastAPI, alerts: Alerts, sending: Sending) -> None:
    @api.post("/api/alerts/silences", openapi_extra=_MANAGE)
    async def silence(wanted: SilenceWanted) -> SilenceOut:
        """Send no messages about alerts of that name until then."""
        return SilenceOut.of(await alerts.silence(wanted.name, wanted.reason, wanted.until))

    @api.delete("/api/alerts/silences/{silence_id}", openapi_extra=_MANAGE)
    async def unsilence(silence_id: Id) -> SilenceOut:
        return SilenceOut.of(await alerts.unsilence(silence_id))

    @api.post("/api/alerts/test-message", openapi_extra=_MANAGE)
    async def test_alert() -> AlertTestSent:
        """Send a message in each way that the settings name."""
        return AlertTestSent(ways=tuple(await sending.test()))


def _other_programs(api: FastAPI, alerts: Alerts) -> None:
    @api.post("/api/alerts/prometheus", status_code=204, openapi_extra=needs(Scope.ALERTS_WRITE))
    async def prometheus_alerts(told: PrometheusAlerts) -> None:
        """Take what Alertmanager's webhook tells, so that all alerts are on one page."""
        await alerts.receive([each for each in (alert.received() for alert in told.alerts) if each.name != WATCHDOG])

    @api.get("/api/desk/alerts", openapi_extra=needs(Scope.PEOPLE_RECOGNISE))
    async def desk_alerts(request: Request, who: Who, after: Annotated[int, Query(ge=0, le=MOST)] = 0) -> DeskAlerts:
        """Return to an administrator's desktop what fires since that number; wait a while for it."""
        if who.role is None or Scope.ALERTS_READ not in SCOPES[who.role]:
            return DeskAlerts(watched=False)
        session = request.scope["session"]
        over = asyncio.Event() if session is None else session.over
        return DeskAlerts(watched=True, items=tuple(map(DeskAlert.from_record, await alerts.newer(after, over, WAIT_S))))

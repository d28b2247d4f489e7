"""An administrator's joined desktop is told the server's alerts over the server's own routes."""

from __future__ import annotations

from typing import TYPE_CHECKING

from agent.desktop.team_client import team_alerts
from agent.desktop.team_client.team_alerts import NotifiedAlerts
from agent.domain.severity import Severity
from agent.infrastructure.core.i18n import Texts
from agent.infrastructure.core.settings import Settings
from agent.infrastructure.store.secret_stores import FileSecretStore
from agent.interfaces.web.access import Role
from agent.server.alerts.alert_text import alert_sending
from agent.server.alerts.queries import AlertQueries
from agent.server.alerts.records import ReceivedAlert
from agent.server.alerts.routes import alert_routes
from agent.server.alerts.service import Alerts
from agent.server.messages.channels import Channels
from agent.server.messages.sending import Wording
from tests.support.joined_desktops import office_in

if TYPE_CHECKING:
    from pathlib import Path

    import pytest

    from tests.support.joined_desktops import Server


def alerts_of(server: Server, folder: Path) -> Alerts:
    """Alerts of that server, with their routes."""
    queries, clock = AlertQueries(server.world.real.database), lambda: server.team.time
    sending = alert_sending(
        queries, Settings, Channels(FileSecretStore(folder), clock), Wording(lambda: "https://x", lambda: Texts("en"), clock)
    )
    alerts = Alerts(queries, clock)
    alert_routes(server.team.api, alerts, sending, lambda: None)
    return alerts


async def test_an_administrators_desktop_is_told_each_alert_once(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(team_alerts, "RARELY_S", 0.05)
    async with office_in(tmp_path) as office:
        server, one = office.server, office.one
        await one.until(lambda: one.alert_answers[:1] == [404])  # an older server
        alerts = alerts_of(server, tmp_path / "keys")
        low = ReceivedAlert("disk-low", "aa", Severity.WARNING, server.team.time, firing=True)
        await alerts.receive([low])
        await one.until(lambda: 200 in one.alert_answers)
        assert one.alerts == [] and one.membership.problem is None, "a curator may not see them, and stays in the team"

        await server.team.accounts.members.change(office.member.member.id, role=Role.ADMINISTRATOR)
        await one.until(lambda: one.alerts == ["disk-low"])
        await alerts.receive([low, ReceivedAlert("burn-rate", "bb", Severity.CRITICAL, server.team.time, firing=True)])
        kept = NotifiedAlerts(one.world.folder)
        await one.until(lambda: kept.read("ab" * 16).after == 2)

        one.membership._link_changed.set()  # it begins anew, as after a restart
        await alerts.receive([low, ReceivedAlert("queue-slow", "cc", Severity.WARNING, server.team.time, firing=True)])
        await one.until(lambda: kept.read("ab" * 16).after == 3)
        assert one.alerts == ["disk-low", "burn-rate", "queue-slow"]

        await one.membership.leave()
        assert kept.read("ab" * 16).after == 0 and one.membership.problem is None

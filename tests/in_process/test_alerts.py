"""Alerts over the API of a team server: who may see, silence and pass on."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING, Any

import pytest

from agent.infrastructure.core.i18n import Texts
from agent.infrastructure.core.settings import Settings
from agent.infrastructure.store.database import Database
from agent.infrastructure.store.migrator import upgrade
from agent.infrastructure.store.secret_stores import FileSecretStore
from agent.interfaces.web.access import Role, Scope
from agent.server.alerts.alert_text import alert_sending
from agent.server.alerts.queries import AlertQueries
from agent.server.alerts.routes import alert_routes
from agent.server.alerts.service import Alerts
from agent.server.messages.channels import Channels
from agent.server.messages.sending import Wording
from tests.support.team_accounts import Team

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

OPEN = "/api/alerts"


def told(name: str, fingerprint: str, status: str = "firing", **labels: str) -> dict[str, Any]:
    """As Alertmanager posts it."""
    labels = {"alertname": name, "instance": "secret-host:9464", **labels}
    times = {"startsAt": "2026-11-30T09:00:00.123Z", "endsAt": "0001-01-01T00:00:00Z"}
    return {"status": status, "labels": labels, "annotations": {}, "generatorURL": "x", "fingerprint": fingerprint, **times}


@pytest.fixture
def team(tmp_path: Path) -> Iterator[Team]:
    database = Database.in_file(tmp_path / "library.db", b"k" * 32)
    upgrade(database)
    made = Team(database)
    queries, clock = AlertQueries(database), lambda: made.time
    channels = Channels(FileSecretStore(tmp_path / "keys"), clock)
    sending = alert_sending(queries, Settings, channels, Wording(lambda: "https://x", lambda: Texts("en"), clock))
    alert_routes(made.api, Alerts(queries, clock), sending, lambda: None)
    yield made
    database.close()


async def test_alertmanager_passes_its_alerts_on_and_an_administrator_sees_and_silences_them(team: Team) -> None:
    ada, ed = await team.member("ada", Role.ADMINISTRATOR), await team.member("ed", Role.EDITOR)
    _, secret = await team.accounts.tokens.add(ada.member, "alertmanager", [Scope.ALERTS_WRITE], 30)
    sender = {"authorization": f"Bearer {secret}"}
    async with team.client() as client:
        posted = {"version": "4", "groupKey": "x", "receiver": "ai-popup", "status": "firing"}
        alerts = [told("disk-low", "aa", severity="warning"), told("Burn Rate", "bb", severity="page"), told("watchdog", "cc")]
        answer = await client.post(f"{OPEN}/prometheus", headers=sender, json={**posted, "alerts": alerts})
        assert answer.status_code == 204
        assert (await client.post(f"{OPEN}/prometheus", headers=ed.headers, json={**posted, "alerts": []})).status_code == 403
        assert (await client.post(f"{OPEN}/prometheus", headers=sender, json={"version": "3", "alerts": []})).status_code == 422
        assert (await client.get(OPEN, headers=sender)).status_code == 403

        seen = (await client.get(OPEN, headers=ada.headers)).json()
        assert [(each["name"], each["severity"], each["source"]) for each in seen["firing"]] == [
            ("burn-rate", "critical", "prometheus"),
            ("disk-low", "warning", "prometheus"),
        ]
        assert "secret-host" not in str(seen) and seen["ways"] == [] and "disk-full" in seen["names"]
        until = (team.time + timedelta(hours=8)).isoformat()
        wanted = {"name": "disk-low", "reason": "known", "until": until}
        assert (await client.post(f"{OPEN}/silences", headers=ed.headers, json=wanted)).status_code == 403
        made = (await client.post(f"{OPEN}/silences", headers=ada.headers, json=wanted)).json()
        assert made["made_by"] == ada.member.id
        misspelt = await client.post(f"{OPEN}/silences", headers=ada.headers, json={**wanted, "name": "disc-low"})
        assert (misspelt.status_code, misspelt.json()["code"]) == (404, "alert.unknown")
        assert "“disk-low”" in misspelt.json()["remedy"] and "queue-stuck" in misspelt.json()["remedy"]
        late = {**wanted, "until": (team.time + timedelta(days=31)).isoformat()}
        assert (await client.post(f"{OPEN}/silences", headers=ada.headers, json=late)).status_code == 422
        assert (await client.get(f"{OPEN}/count", headers=ada.headers)).json() == {"firing": 1}
        assert (await client.delete(f"{OPEN}/silences/{made['id']}", headers=ada.headers)).status_code == 200
        assert (await client.get(f"{OPEN}/count", headers=ada.headers)).json() == {"firing": 2}

        resolved = {**posted, "alerts": [told("disk-low", "aa", "resolved"), told("Burn Rate", "bb", "resolved")]}
        await client.post(f"{OPEN}/prometheus", headers=sender, json=resolved)
        assert (await client.get(OPEN, headers=ada.headers)).json()["firing"] == []
        history = (await client.get(f"{OPEN}/history?limit=1", headers=ada.headers)).json()
        assert [each["id"] for each in history["items"]] == [history["before"]]
        assert (await client.get(f"{OPEN}/{history['before']}/messages", headers=ada.headers)).json() == {"items": []}
        assert (await client.post(f"{OPEN}/test-message", headers=ada.headers)).json()["code"] == "message.no_way_to_tell"


async def test_only_an_administrators_desktop_is_told(team: Team) -> None:
    ada, ed = await team.member("ada", Role.ADMINISTRATOR), await team.member("ed", Role.EDITOR)
    async with team.client() as client:
        one = {"version": "4", "alerts": [told("disk-low", "aa", severity="warning")]}
        await client.post(f"{OPEN}/prometheus", headers=ada.headers, json=one)
        assert (await client.get("/api/desk/alerts", headers=ed.headers)).json() == {"watched": False, "items": []}
        found = (await client.get("/api/desk/alerts", headers=ada.headers)).json()
        assert found["watched"] and [each["name"] for each in found["items"]] == ["disk-low"]

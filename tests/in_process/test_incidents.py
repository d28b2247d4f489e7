"""From a member's requests to an incident, its first step, and back, over the API of a team server."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from limits import RateLimitItemPerMinute

from agent.domain.errors import AgentError
from agent.infrastructure.core.i18n import Texts
from agent.infrastructure.core.server_settings import IncidentSettings
from agent.infrastructure.store.audit_anchor import AuditAnchor
from agent.infrastructure.store.database import Database
from agent.infrastructure.store.migrator import upgrade
from agent.infrastructure.store.secret_stores import FileSecretStore
from agent.interfaces.web.access import Principal, Role, Scope, needs
from agent.server.accounts.rate_limits import RateLimits, RateStorage
from agent.server.accounts.usage_audit import UsageAudit
from agent.server.incidents.incident_detector import IncidentWatch
from agent.server.incidents.incident_text import incident_sending
from agent.server.incidents.queries import IncidentQueries
from agent.server.incidents.routes import incident_routes
from agent.server.incidents.service import Incidents
from agent.server.messages.channels import Channels
from agent.server.messages.sending import Wording
from tests.support.team_accounts import HERE, PASSWORD, Team

OPEN = "/api/incidents"


class Guarded(Team):
    """A team whose record is watched; its API has an original to take away."""

    def __init__(self, database: Database, folder: Path) -> None:
        super().__init__(database)
        self.incidents = IncidentQueries(database)
        settings, clock = IncidentSettings(refusals=3, exports=4, failed_sign_ins=3), lambda: self.time
        self.watch = IncidentWatch(self.incidents, AuditAnchor(folder / "library.db"), lambda: settings, tuple, clock)
        self.watch.look()
        channels = Channels(FileSecretStore(folder / "keys"), clock)
        wording = Wording(lambda: "https://x", lambda: Texts("en"), clock)
        sending = incident_sending(self.incidents, lambda: settings, channels, wording)
        incident_routes(self.api, Incidents(self.incidents, self.accounts, clock), sending)

        @self.api.get("/api/images/1/original", openapi_extra=needs(Scope.PHOTOS_EXPORT))
        async def original() -> str:
            return "x"

    async def found(self) -> list[Any]:
        """Note what is counted, let the rules look, and return the open incidents."""
        await self.accounts.usage_audit.settle()
        self.watch.look()
        return self.incidents.incidents(before=None, limit=10, everything=False)


@pytest.fixture
def team(tmp_path: Path) -> Iterator[Guarded]:
    database = Database.in_file(tmp_path / "library.db", b"k" * 32)
    upgrade(database)
    yield Guarded(database, tmp_path)
    database.close()


async def test_a_member_who_tries_what_is_not_allowed_is_locked_by_the_button_and_let_in_again(team: Guarded) -> None:
    ada, ben = await team.member("ada", Role.ADMINISTRATOR), await team.member("ben", Role.VIEWER)
    await team.found()
    async with team.client() as client:
        for _ in range(3):
            assert (await client.get("/api/members", headers=ben.headers)).status_code == 403
        [first] = [each for each in await team.found() if each.kind == "many_refusals"]
        assert (await client.get(OPEN, headers=ben.headers)).status_code == 403
        place = f"{OPEN}/{first.id}"
        details = (await client.get(place, headers=ada.headers)).json()
        assert details["incident"] | {"kind": "many_refusals", "number": 3, "step": "lock", "page": "many-refusals"} == details["incident"]
        assert [(each["action"], each["number"]) for each in details["evidence"]] == [("refused", 3)]

        done = (await client.post(f"{place}/step", headers=ada.headers)).json()
        assert (done["state"], done["seen_by"], done["acted_by"]) == ("seen", ada.member.id, ada.member.id)
        assert (await client.get("/api/account", headers=ben.headers)).status_code == 401
        assert (await client.delete(f"{place}/step", headers=ada.headers)).json()["undone_at"] is not None
        assert (await client.delete(f"{place}/step", headers=ada.headers)).json()["code"] == "incident.step_not_undone"
        await team.accounts.sign_in("ben", PASSWORD, None, HERE)

        closed = await client.post(f"{place}/close", headers=ada.headers, json={"reason": "handled"})
        assert closed.json()["reason"] == "handled"
        assert first.id not in [each["id"] for each in (await client.get(OPEN, headers=ada.headers)).json()["items"]]
        everything = (await client.get(f"{OPEN}?closed=true&limit=1", headers=ada.headers)).json()
        assert [each["id"] for each in everything["items"]] == [everything["before"]]
        assert (await client.post(f"{place}/reopen", headers=ada.headers)).json()["state"] == "seen"
        assert (await client.post(f"{OPEN}/test-message", headers=ada.headers)).json()["code"] == "message.no_way_to_tell"
    actions = [each.action for each in team.incidents.audit_entries(limit=100)]
    assert {"incident_raised", "incident_seen", "incident_step", "member_locked", "incident_step_undone", "incident_closed"} <= {*actions}


async def test_originals_are_counted_by_member_and_the_last_administrator_is_not_locked(team: Guarded) -> None:
    ada, ed = await team.member("ada", Role.ADMINISTRATOR), await team.member("ed", Role.EDITOR)
    await team.found()
    async with team.client() as client:
        for who in (ada, ada, ed, ada, ada):
            assert (await client.get("/api/images/1/original", headers=who.headers)).status_code == 200
        [found] = [each for each in await team.found() if each.kind == "mass_export"]
        assert (found.subject, found.number) == (ada.member.id, 4)
        refused = await client.post(f"{OPEN}/{found.id}/step", headers=ada.headers)
        assert (refused.status_code, refused.json()["code"]) == (409, "account.last_administrator")
        assert (await client.get(f"{OPEN}/{found.id}", headers=ada.headers)).json()["incident"]["acted_at"] is None


async def test_a_token_used_from_two_networks_is_revoked(team: Guarded) -> None:
    ada, ben = await team.member("ada", Role.ADMINISTRATOR), await team.member("ben", Role.VIEWER)
    await team.found()
    made, secret = await team.accounts.tokens.add(ben.member, "script", [Scope.STATUS_READ], 7)
    usage_audit = team.accounts.usage_audit
    for address in ("10.0.0.9", "10.0.0.77", "fd00::9"):
        usage_audit.used(f"token {made.id}", ben.member.id, address)
    team.later(timedelta(minutes=2))
    usage_audit.used(f"token {made.id}", ben.member.id, "203.0.113.5")
    usage_audit.used(f"token {made.id}", ben.member.id, "10.0.0.9")
    [found] = [each for each in await team.found() if each.kind == "two_networks"]
    assert (found.subject, found.number, found.about) == (ben.member.id, 2, f"token {made.id}")
    async with team.client() as client:
        assert (await client.get("/api/account", headers={"authorization": f"Bearer {secret}"})).status_code == 200
        await client.post(f"{OPEN}/{found.id}/step", headers=ada.headers)
        assert (await client.get("/api/account", headers={"authorization": f"Bearer {secret}"})).status_code == 401
        again = await client.post(f"{OPEN}/{found.id}/step", headers=ada.headers)
        assert again.status_code == 404, "it is gone"


async def test_a_session_that_moves_is_ended_and_the_others_stay(team: Guarded) -> None:
    ada, ben = await team.member("ada", Role.ADMINISTRATOR), await team.member("ben", Role.VIEWER)
    other = await team.accounts.sign_in("ben", PASSWORD, None, HERE)
    await team.found()
    team.later(timedelta(minutes=4))
    session = ben.opened.session
    about, known = f"session {session.record.id}", session.record
    team.accounts.usage_audit.used(about, ben.member.id, "198.51.100.7", opened_from=known.address, opened_at=known.opened_at)
    [found] = [each for each in await team.found() if each.kind == "two_networks"]
    assert found.number == 4
    async with team.client() as client:
        assert (await client.post(f"{OPEN}/{found.id}/step", headers=ada.headers)).json()["step"] == "end_session"
        assert (await client.get("/api/account", headers=ben.headers)).status_code == 401
        assert (await client.get("/api/account", headers={"authorization": f"Session {other.key}"})).status_code == 200


async def test_failures_from_one_network_are_known_by_a_pseudonym(team: Guarded) -> None:
    await team.member("ben", Role.VIEWER)
    await team.found()
    for _ in range(3):
        with pytest.raises(Exception, match=r"account\.wrong_sign_in"):
            await team.accounts.sign_in("ben", "wrong wrong wrong", None, HERE)
    entries = team.incidents.audit_entries(limit=3)
    assert len({each.detail for each in entries}) == 1 and HERE.address not in entries[0].detail and len(entries[0].detail) == 12
    assert [each.kind for each in await team.found()] == ["failed_sign_ins"]


async def test_guesses_that_are_slowed_down_are_failures_on_the_record(team: Guarded) -> None:
    ben = await team.member("ben", Role.VIEWER)
    await team.found()
    refused = 0
    for name in ("ben", "nobody here"):
        for _ in range(12):
            try:
                await team.accounts.sign_in(name, "wrong wrong wrong", None, HERE)
            except AgentError as error:
                refused += error.code == "account.too_many_attempts"
    await team.accounts.usage_audit.settle()
    failed = [each for each in team.incidents.audit_entries(limit=50) if each.action == "sign_in_failed"]
    assert refused == 14 and sum(each.number for each in failed) == 24
    assert sum(each.number for each in failed if each.subject == ben.member.id) == 12
    assert len({each.detail for each in failed}) == 1, "the same network"


async def test_rates_are_each_members_own_and_commands_of_the_machine_have_none(team: Guarded) -> None:
    rates = RateLimits(RateStorage(team.queries, lambda: team.time), lambda: team.time, {Scope.PHOTOS_EXPORT: RateLimitItemPerMinute(2)})
    usage_audit = UsageAudit(team.queries, rates, lambda: team.time)
    mei = Principal("member", "a" * 32, "mei", Role.EDITOR, frozenset({Scope.PHOTOS_EXPORT}))
    token = Principal("token", "a" * 32, "mei", Role.EDITOR, frozenset({Scope.PHOTOS_EXPORT}))
    ben, local = Principal("member", "b" * 32, "ben", Role.EDITOR, mei.scopes), Principal("local", "", "", None, mei.scopes)
    for who in (mei, token, ben, local, local, local):
        await usage_audit.entering(who, Scope.PHOTOS_EXPORT)
        await usage_audit.entering(who, Scope.PHOTOS_READ)
    with pytest.raises(Exception, match=r"access\.too_many_requests") as refused:
        await usage_audit.entering(mei, Scope.PHOTOS_EXPORT)
    assert 1 <= refused.value.params["seconds"] <= 60  # type: ignore[attr-defined]

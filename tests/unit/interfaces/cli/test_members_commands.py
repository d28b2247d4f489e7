"""`ai-popup members`: who is listed, and what is asked of the server."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import httpx

if TYPE_CHECKING:
    from tests.unit.interfaces.cli.conftest import CommandLine, FakeAgent

MEI = {
    "id": "a" * 32,
    "name": "mei",
    "display_name": "Mei",
    "role": "administrator",
    "state": "active",
    "second_factor": False,
    "created_at": "2026-11-29T10:00:00Z",
    "seen_at": None,
    "invited_until": None,
}
BEN = {**MEI, "id": "b" * 32, "name": "ben", "role": "viewer", "state": "locked"}
LINK = {"token": "t0ken", "path": "/#invitation/t0ken", "expires_at": "2026-12-06T10:00:00Z"}


def with_members(agent: FakeAgent) -> None:
    agent.answers["/api/members"] = httpx.Response(200, json={"items": [BEN, MEI]})


def test_members_are_listed_with_role_and_state(cli: CommandLine, running_agent: FakeAgent) -> None:
    with_members(running_agent)
    assert cli("members", "list").out == "ben: viewer, locked\nmei: administrator, active\n"
    assert [json.loads(line)["name"] for line in cli("members", "list", "--json").out.splitlines()] == ["ben", "mei"]
    running_agent.answers["/api/members"] = httpx.Response(200, json={"items": []})
    assert "no members" in cli("members", "list").err


def test_an_invitation_is_a_link_to_the_servers_own_name(cli: CommandLine, running_agent: FakeAgent) -> None:
    cli.paths.settings.write_text('[library]\nkey_home = "file"\n[server]\nnames = ["Photos.Example"]\n')
    with_members(running_agent)
    running_agent.answers[f"/api/members/{'b' * 32}/invitation"] = httpx.Response(200, json=LINK)
    said = cli("members", "invite", " BEN ")
    assert said.out == "https://photos.example:8765/#invitation/t0ken\n" and "send it only to ben" in said.err
    assert json.loads(cli("members", "invite", "ben", "--json").out)["link"] == "https://photos.example:8765/#invitation/t0ken"


def test_behind_a_balancer_an_invitation_leads_to_the_address_that_people_use(cli: CommandLine, running_agent: FakeAgent) -> None:
    cli.paths.settings.write_text('[library]\nkey_home = "file"\n[server]\naddress = "https://www.example"\nnames = ["photos.example"]\n')
    with_members(running_agent)
    running_agent.answers[f"/api/members/{'b' * 32}/invitation"] = httpx.Response(200, json=LINK)
    assert cli("members", "invite", "ben").out == "https://www.example/#invitation/t0ken\n"


def test_a_member_is_locked_unlocked_and_given_a_role(cli: CommandLine, running_agent: FakeAgent) -> None:
    with_members(running_agent)
    path = f"/api/members/{'b' * 32}"
    running_agent.answers[path] = httpx.Response(200, json={**BEN, "role": "editor"})
    assert cli("members", "lock", "ben").out == "ben is locked out.\n"
    assert cli("members", "unlock", "ben").out == "ben can sign in again.\n"
    assert cli("members", "role", "ben", "editor").out == "ben is now: editor.\n"
    assert running_agent.asked == ["GET /api/members", f"PATCH {path}"] * 3
    assert cli("members", "role", "ben", "owner").code == 2


def test_a_member_is_removed_only_if_that_is_confirmed(cli: CommandLine, running_agent: FakeAgent) -> None:
    with_members(running_agent)
    assert cli("members", "remove", "ben").code == 2
    assert cli("members", "remove", "ben", "--yes").out == "ben is removed.\n"
    assert running_agent.asked[-1] == f"DELETE /api/members/{'b' * 32}" and len(running_agent.asked) == 3


def test_an_unknown_name_and_a_desktop_agent_are_told(cli: CommandLine, running_agent: FakeAgent) -> None:
    with_members(running_agent)
    said = cli("members", "lock", "xu")
    assert said.code == 1 and "no member called xu" in said.err
    running_agent.answers["/api/members"] = httpx.Response(404, json={"code": "api.not_found", "params": {}})
    for words in (("list",), ("add", "xu"), ("invite", "ben")):
        said = cli("members", *words)
        assert said.code == 1 and "not a team server" in said.err
    assert not any(each.startswith("POST") for each in running_agent.asked)


def test_a_refusal_of_the_server_is_told(cli: CommandLine, running_agent: FakeAgent) -> None:
    with_members(running_agent)
    refusal = httpx.Response(409, json={"code": "account.last_administrator", "params": {}})
    running_agent.answers[f"/api/members/{'a' * 32}"] = refusal
    assert "[account.last_administrator]" in cli("members", "lock", "mei").err


def test_without_a_server_there_is_nobody_to_ask(cli: CommandLine) -> None:
    assert "[agent.not_running]" in cli("members", "list").err

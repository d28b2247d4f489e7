"""`ai-popup team find` and `leave`: what is announced in the network, and what leaving did, as lines and as JSON."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import httpx

from agent.desktop.team_client.schemas import TeamOut, TeamReceipt

if TYPE_CHECKING:
    from tests.unit.interfaces.cli.conftest import CommandLine, FakeAgent

FINGERPRINT = ":".join(["0A"] * 32)
FOUND = {
    "name": "照片",
    "address": "https://10.0.0.5:8443",
    "fingerprint": FINGERPRINT,
    "version": "1.2.3",
    "joined": False,
    "followed_at": "",
}
JOINED = {**FOUND, "name": "Photos", "address": "https://photos.example", "joined": True}


def test_found_servers_are_told_with_what_they_say_of_themselves(cli: CommandLine, running_agent: FakeAgent) -> None:
    running_agent.answers["/api/team/servers"] = httpx.Response(200, json={"servers": [FOUND, JOINED]})
    said = cli("team", "find").out.splitlines()
    assert said[:3] == ["照片, version 1.2.3", "  https://10.0.0.5:8443", f"  says that its certificate’s fingerprint is {FINGERPRINT}"]
    assert said[-1] == "  This computer has joined it." and len(said) == 7
    assert [json.loads(line) for line in cli("team", "find", "--json").out.splitlines()] == [FOUND, JOINED]


def test_the_joined_server_at_another_address_is_offered_and_not_taken(cli: CommandLine, running_agent: FakeAgent) -> None:
    moved = {**JOINED, "followed_at": "https://old.example:8443"}
    running_agent.answers["/api/team/servers"] = httpx.Response(200, json={"servers": [moved]})
    last = cli("team", "find").out.splitlines()[-1]
    assert "https://old.example:8443" in last and "ai-popup team address https://photos.example" in last
    running_agent.answers["/api/team/address"] = httpx.Response(204)
    running_agent.answers["/api/team"] = httpx.Response(
        200, json={"state": "joined", "name": "Photos", "address": "https://photos.example:8443"}
    )
    said = cli("team", "address", "photos.example")
    assert (said.code, said.out) == (0, "Photos is followed at https://photos.example:8443.\n")


def test_a_search_without_a_result_says_what_to_do_and_prints_no_json(cli: CommandLine, running_agent: FakeAgent) -> None:
    running_agent.answers["/api/team/servers"] = httpx.Response(200, json={"servers": []})
    said = cli("team", "find")
    assert said.out == "" and "ai-popup team join ADDRESS" in said.err
    none = cli("team", "find", "--json")
    assert (none.code, none.out, none.err) == (0, "", "")


def test_what_leaving_did_is_told_line_by_line(cli: CommandLine, running_agent: FakeAgent) -> None:
    counts = dict.fromkeys(TeamReceipt.model_fields, 0)
    running_agent.answers["/api/team"] = httpx.Response(
        200, json=TeamOut.model_construct(state="joined", name="School").model_dump(warnings=False)
    )
    receipt = {**counts, "server": "School", "at": "2026-11-30T12:00:00Z", "revoked": False, "stays_photos": 2}
    running_agent.answers["/api/team/leave"] = httpx.Response(200, json=receipt)
    said = cli("team", "leave", "--yes")
    assert said.code == 0 and len(said.out.splitlines()) == 3 and "u000a" not in said.out, said


def test_the_fingerprint_to_compare_stands_on_a_line_of_its_own(cli: CommandLine, running_agent: FakeAgent) -> None:
    page, until = "https://photos.example/#join/ABCD-EFGH", "2026-11-30T12:00:00Z"
    asked = {"name": "School", "address": "https://photos.example", "fingerprint": FINGERPRINT, "code": "ABCD-EFGH", "page": page}
    running_agent.answers["/api/team/join"] = httpx.Response(200, json={**asked, "until": until})
    running_agent.answers["/api/team"] = httpx.Response(200, json={"state": "joined", "name": "School", "member": "Mei"})
    assert FINGERPRINT in cli("team", "join", "photos.example").err.splitlines()


def test_changes_that_leaving_would_lose_are_told_before(cli: CommandLine, running_agent: FakeAgent) -> None:
    joined = {"state": "joined", "name": "School"}
    for waiting, told in ((2, "2 changes made here have not reached School yet"), (1, "1 change made here has not reached School yet")):
        running_agent.answers["/api/team"] = httpx.Response(200, json={**joined, "waiting": 3, "unsent": waiting})
        assert told in cli("team", "leave").err
    running_agent.answers["/api/team"] = httpx.Response(200, json=joined)
    assert "reached" not in cli("team", "leave").err

"""`ai-popup team find`: what is announced in the network, as lines and as JSON."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import httpx

if TYPE_CHECKING:
    from tests.unit.cli.conftest import CommandLine, FakeAgent

FINGERPRINT = ":".join(["0A"] * 32)
FOUND = {"name": "照片", "address": "https://10.0.0.5:8443", "fingerprint": FINGERPRINT, "version": "1.2.3", "joined": False}
JOINED = {**FOUND, "name": "Photos", "address": "https://photos.example", "joined": True}


def test_found_servers_are_told_with_what_they_say_of_themselves(cli: CommandLine, running_agent: FakeAgent) -> None:
    running_agent.answers["/api/team/servers"] = httpx.Response(200, json={"servers": [FOUND, JOINED]})
    said = cli("team", "find").out.splitlines()
    assert said[:3] == ["照片, version 1.2.3", "  https://10.0.0.5:8443", f"  says that its certificate’s fingerprint is {FINGERPRINT}"]
    assert said[-1] == "  This computer has joined it." and len(said) == 7
    assert [json.loads(line) for line in cli("team", "find", "--json").out.splitlines()] == [FOUND, JOINED]


def test_a_search_without_a_result_says_what_to_do_and_prints_no_json(cli: CommandLine, running_agent: FakeAgent) -> None:
    running_agent.answers["/api/team/servers"] = httpx.Response(200, json={"servers": []})
    said = cli("team", "find")
    assert said.out == "" and "ai-popup team join ADDRESS" in said.err
    none = cli("team", "find", "--json")
    assert (none.code, none.out, none.err) == (0, "", "")

"""`ai-popup sessions`: what is listed, and who is signed out."""

from __future__ import annotations

from typing import TYPE_CHECKING

import httpx

from agent.infrastructure.core.paths import SERVER_FOLDER

if TYPE_CHECKING:
    from tests.unit.interfaces.cli.conftest import CommandLine, FakeAgent

TIMES = {"opened_at": "2026-11-20T09:12:00Z", "seen_at": "2026-11-21T16:40:00Z", "here": False}
ITEMS = {"items": [{"number": 3, "browser": "Firefox", **TIMES}, {"number": 5, "browser": "", **TIMES}]}


def test_browsers_are_listed_by_number(cli: CommandLine, running_agent: FakeAgent) -> None:
    running_agent.answers["/api/sessions"] = httpx.Response(200, json=ITEMS)
    firefox, unknown = cli("sessions", "list").out.splitlines()
    assert firefox.startswith("3  Firefox: signed in 2026-11-20 ") and unknown.startswith("5  Unknown browser: ")
    assert '"number":3' in cli("sessions", "list", "--json").out
    running_agent.answers["/api/sessions"] = httpx.Response(200, json={"items": []})
    assert cli("sessions", "list").out == "No browser is signed in.\n"


def test_one_is_signed_out_or_all(cli: CommandLine, running_agent: FakeAgent) -> None:
    running_agent.answers["/api/sessions/3"] = httpx.Response(200, json={"count": 1})
    running_agent.answers["/api/sessions"] = httpx.Response(200, json={"count": 2})
    assert cli("sessions", "end", "3").out == "1 browser is signed out.\n"
    assert cli("sessions", "end", "--all").out == "2 browsers are signed out.\n"
    assert running_agent.asked == ["DELETE /api/sessions/3", "DELETE /api/sessions"]
    running_agent.answers["/api/sessions/9"] = httpx.Response(404, json={"code": "api.not_found", "params": {}, "status": 404})
    said = cli("sessions", "end", "9")
    assert said.code == 1 and "number 9" in said.err and "sessions list" in said.err
    for words in (("sessions", "end"), ("sessions", "end", "3", "--all"), ("sessions", "end", "0")):
        assert cli(*words).code == 2


def test_without_an_agent_nobody_is_signed_in(cli: CommandLine) -> None:
    assert "[agent.not_running]" in cli("sessions", "list").err


def test_a_team_server_has_browsers_of_members_only(cli: CommandLine) -> None:
    (cli.paths.data / SERVER_FOLDER).mkdir()
    for words in (("list",), ("end", "--all")):
        said = cli("sessions", *words)
        assert said.code == 1 and "members lock" in said.err

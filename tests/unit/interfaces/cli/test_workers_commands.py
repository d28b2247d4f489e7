"""The team server's workers on the command line."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import httpx

if TYPE_CHECKING:
    from tests.unit.interfaces.cli.conftest import CommandLine, FakeAgent

ATTIC = {
    "name": "attic",
    "host": "nas",
    "state": "blocked",
    "since": "2026-12-03T08:00:00Z",
    "seen_at": "2026-12-03T09:00:00Z",
    "done": 1200,
    "errors": 2,
    "rate": 61.6,
    "draining": False,
    "problem": {"code": "store.disk_full", "cause": "The disk is full.", "remedy": "Free some space."},
}
PARTS = [
    {"priority": 0, "waiting": 1, "running": 0, "failed": 0, "oldest": None},
    {"priority": 20, "waiting": 300, "running": 64, "failed": 5, "oldest": None},
]


def working(agent: FakeAgent, *workers: dict[str, object]) -> None:
    agent.answers["/api/workers"] = httpx.Response(200, json={"items": workers})
    agent.answers["/api/queue"] = httpx.Response(200, json={"items": PARTS})


def test_workers_are_listed_with_what_blocks_them_and_what_waits(cli: CommandLine, running_agent: FakeAgent) -> None:
    working(running_agent, ATTIC, {**ATTIC, "name": "cellar", "state": "gone", "errors": 0, "problem": None})
    said = cli("workers", "list")
    first, problem, second = said.out.splitlines()
    assert first == "attic  Blocked  1,200 photos  62 per minute  2 errors  nas"
    assert problem.strip() == "The disk is full. Free some space. [store.disk_full]"
    assert second == "cellar  Gone  1,200 photos  62 per minute  nas"
    assert "301 waiting, 64 running, 5 failed" in said.err and "No worker" not in said.err
    assert [json.loads(line)["name"] for line in cli("workers", "list", "--json").out.splitlines()] == ["attic", "cellar"]


def test_that_no_worker_runs_is_said(cli: CommandLine, running_agent: FakeAgent) -> None:
    working(running_agent, {**ATTIC, "state": "gone"})
    assert "No worker is running." in cli("workers", "list").err


def test_a_worker_is_drained_by_name(cli: CommandLine, running_agent: FakeAgent) -> None:
    working(running_agent, ATTIC)
    running_agent.answers["/api/workers/the attic/drain"] = httpx.Response(202)
    said = cli("workers", "drain", "the attic", "--json")
    assert said.code == 0 and json.loads(said.out) == {"name": "the attic", "draining": True}
    assert running_agent.asked[-1] == "POST /api/workers/the attic/drain"


def test_a_worker_that_does_not_run_is_refused_with_where_the_names_are(cli: CommandLine, running_agent: FakeAgent) -> None:
    working(running_agent)
    running_agent.answers["/api/workers/cellar/drain"] = httpx.Response(404, json={"code": "api.not_found"})
    said = cli("workers", "drain", "cellar")
    assert said.code == 2 and "ai-popup workers list" in said.err


def test_an_agent_that_is_no_server_has_no_workers(cli: CommandLine, running_agent: FakeAgent) -> None:
    running_agent.answers["/api/workers"] = httpx.Response(404, json={"code": "api.not_found"})
    assert "team server" in cli("workers", "drain", "attic").err

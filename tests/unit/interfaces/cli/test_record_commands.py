"""Who did what, and whether the record is as it was written."""

from __future__ import annotations

import json
from contextlib import closing
from datetime import UTC, datetime
from typing import TYPE_CHECKING

import httpx
import pytest

from agent.app.library_home import home_of_key
from agent.domain.errors import AgentUnreachable, StoreUnreachable
from agent.features.redaction.queries.redaction_queries import RedactionQueries
from agent.infrastructure.core.actor import acting_as
from agent.infrastructure.core.paths import SERVER_FOLDER
from agent.infrastructure.core.settings import Settings
from agent.infrastructure.store.open_library import open_library
from agent.interfaces.cli.output import ProgressBar

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from tests.unit.interfaces.cli.conftest import CommandLine, FakeAgent

NOW = datetime(2026, 11, 29, tzinfo=UTC)
MEI = "a" * 32


def opened(cli: CommandLine) -> RedactionQueries:
    settings = Settings.model_validate({"library": {"key_home": "file"}})
    return RedactionQueries(open_library(cli.paths.library, home_of_key(settings, cli.paths)))


def lines(text: str) -> Iterator[dict[str, object]]:
    return (json.loads(line) for line in text.splitlines())


def checks(*checked: int, found: Mapping[str, object] | None) -> httpx.Response:
    """A server's answer of four entries that says how far it has read, and at last what it found."""
    said: list[dict[str, object]] = [{"checked": each, "total": 4} for each in (0, *checked)]
    if found is not None:
        said.append({"checked": 4, "total": 4, "found": found})
    return httpx.Response(200, text="".join(f"{json.dumps(each)}\n" for each in said))


def test_the_record_is_listed_and_verified(cli: CommandLine) -> None:
    assert "No entries" in cli("record", "list").err
    library = opened(cli)
    with closing(library.database):
        library.audit_add("exported", "b" * 32, 3, NOW)
        with acting_as(MEI):
            library.audit_add("forgotten", "b" * 32, 2, NOW)
            library.audit_add("of_a_later_version", None, 1, NOW, detail="editor")
    said = cli("record", "list", "--json").out
    assert [(each["id"], each["actor"], each["action"]) for each in lines(said)] == [
        (3, MEI, "of_a_later_version"),
        (2, MEI, "forgotten"),
        (1, "", "exported"),
    ]
    assert [each["id"] for each in lines(cli("record", "list", "--actor", MEI, "--action", "forgotten", "--json").out)] == [2]
    first, second = cli("record", "list", "--limit", "2", "--before", "3").out.splitlines()
    assert f"member {MEI}  forgot the person  2  {'b' * 32}" in first and "this computer  exported personal data  3" in second
    assert "of_a_later_version editor" in cli("record", "list").out

    assert "3 entries, all as they were written." in cli("record", "verify").out
    library = opened(cli)
    with closing(library.database), library.database.write() as tx:
        tx.exec_driver_sql("DELETE FROM audit WHERE id = 3")
    said_so = cli("record", "verify", "--json")
    assert said_so.code == 1 and json.loads(said_so.out) == {"intact": False, "entries": 2, "broken_at": 3, "changed": []}
    assert "[store.audit_broken]" in said_so.err


def test_a_missing_record_of_a_library_that_moved_here_is_named(cli: CommandLine) -> None:
    library = opened(cli)
    with closing(library.database):
        library.audit_add("record_moved", MEI, 3, NOW, detail="e" * 64)

    said = cli("record", "verify", "--json")

    assert said.code == 1 and json.loads(said.out) == {"intact": False, "entries": 1, "broken_at": None, "changed": [MEI]}
    assert "[move.record_changed]" in said.err


def test_a_running_server_is_asked_for_its_record(cli: CommandLine, running_agent: FakeAgent) -> None:
    entry = {
        "id": 4,
        "at": NOW.isoformat(),
        "actor": MEI,
        "action": "signed_in",
        "subject": MEI,
        "number": 1,
        "detail": "",
        "libraries": [],
    }
    running_agent.answers["/api/record"] = httpx.Response(200, json={"items": [entry], "before": None})
    running_agent.answers["/api/record/checks"] = checks(3, found={"entries": 4, "broken_at": None})
    assert [each["id"] for each in lines(cli("record", "list", "--json").out)] == [4]
    assert "4 entries, all as they were written." in cli("record", "verify").out
    assert running_agent.asked == ["GET /api/record", "POST /api/record/checks"]


def test_a_check_that_ends_before_its_result_is_no_result(cli: CommandLine, running_agent: FakeAgent) -> None:
    running_agent.answers["/api/record/checks"] = checks(3, found=None)
    said = cli("record", "verify")
    assert said.code != 0 and "entries" not in said.out and f"[{AgentUnreachable.code}]" in said.err


def test_a_check_that_the_server_could_not_end_says_why(cli: CommandLine, running_agent: FakeAgent) -> None:
    stopped = {"code": StoreUnreachable.code, "cause": "", "remedy": "", "params": {}}
    running_agent.answers["/api/record/checks"] = httpx.Response(200, text=json.dumps({"stopped": stopped}))
    said = cli("record", "verify")
    assert said.code != 0 and "entries" not in said.out and f"[{StoreUnreachable.code}]" in said.err


def test_a_long_check_says_how_far_it_is(cli: CommandLine, running_agent: FakeAgent, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(ProgressBar, "begin", lambda _, total: bar.append(total))
    monkeypatch.setattr(ProgressBar, "move", lambda _, steps, done: bar.append((steps, done)))
    bar: list[object] = []
    running_agent.answers["/api/record/checks"] = checks(1, 3, found={"entries": 4, "broken_at": None})
    assert cli("record", "verify").code == 0
    assert bar == [4, (0, 0), (1, 1), (2, 3)]


def test_a_member_is_given_by_the_name_that_the_list_of_members_shows(cli: CommandLine, running_agent: FakeAgent) -> None:
    member = {"id": MEI, "name": "mei", "display_name": "Mei", "role": "viewer", "state": "active", "second_factor": False}
    listed = {"items": [{**member, "created_at": NOW.isoformat(), "seen_at": None, "invited_until": None}]}
    running_agent.answers["/api/members"] = httpx.Response(200, json=listed)
    (cli.paths.data / SERVER_FOLDER).mkdir()
    entry = {"at": NOW.isoformat(), "action": "signed_in", "subject": MEI, "number": 1, "detail": "", "libraries": []}
    page = {"items": [{**entry, "id": 5, "actor": MEI}, {**entry, "id": 4, "actor": "b" * 32}], "before": None}
    running_agent.answers["/api/record"] = httpx.Response(200, json=page)
    first, second = cli("record", "list", "--actor", "Mei").out.splitlines()
    assert first.endswith("mei  signed in  1  mei") and second.endswith(f"member {'b' * 32}  signed in  1  mei")
    assert running_agent.queries[-1] == f"limit=50&actor={MEI}"
    assert "nobody" in cli("record", "list", "--actor", "nobody").err


def test_a_long_record_is_verified_for_as_long_as_that_takes(cli: CommandLine, running_agent: FakeAgent) -> None:
    intact = checks(found={"entries": 5_000_000, "broken_at": None, "changed": []})
    running_agent.slow, running_agent.answers = "/api/record/checks", {"/api/record/checks": intact}
    said = cli("record", "verify")
    assert said.code == 0 and "5000000" in said.out.replace(",", ""), said

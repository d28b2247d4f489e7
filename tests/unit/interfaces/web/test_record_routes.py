"""The record's routes."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from typing import TYPE_CHECKING

import pytest

from agent.domain.errors import StoreUnreachable
from agent.infrastructure.core.actor import acting_as
from agent.infrastructure.store import audit_chain, audit_log

if TYPE_CHECKING:
    import httpx

    from agent.features.redaction.queries.redaction_queries import RedactionQueries
    from tests.unit.interfaces.web.conftest import Served

NOW = datetime(2026, 11, 29, tzinfo=UTC)
MEI = "a" * 32


async def test_the_record_is_read_page_by_page_and_by_actor(owner: httpx.AsyncClient, library: RedactionQueries) -> None:
    for number in range(5):
        with acting_as(MEI if number == 2 else ""):
            library.audit_add("exported", "b" * 32, number, NOW)
    page = (await owner.get("/api/record?limit=3")).json()
    assert [each["id"] for each in page["items"]] == [5, 4, 3] and page["before"] == 3
    page = (await owner.get("/api/record?limit=3&before=3")).json()
    assert [each["id"] for each in page["items"]] == [2, 1] and page["before"] is None
    [entry] = (await owner.get("/api/record", params={"actor": MEI})).json()["items"]
    assert (entry["id"], entry["subject"], entry["number"], entry["detail"]) == (3, "b" * 32, 2, "")
    assert [each["id"] for each in (await owner.get("/api/record?actor=")).json()["items"]] == [5, 4, 2, 1]
    assert (await owner.get("/api/record?action=forgotten")).json()["items"] == []
    assert (await owner.get("/api/record?limit=0")).status_code == 422


async def test_a_whole_check_says_how_far_it_is_and_at_last_what_was_found(
    owner: httpx.AsyncClient, library: RedactionQueries, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def said() -> list[tuple[int, int, object]]:
        lines = (await owner.post("/api/record/checks")).text.splitlines()
        return [(each["checked"], each["total"], each["found"]) for each in map(json.loads, lines)]

    monkeypatch.setattr(audit_log, "STEP", 2)
    intact: dict[str, object] = {"entries": 0, "broken_at": None, "changed": []}
    assert await said() == [(0, 0, None), (0, 0, intact)]
    for number in range(4):
        library.audit_add("exported", None, number, NOW)
    assert await said() == [(0, 4, None), (2, 4, None), (4, 4, None), (4, 4, {**intact, "entries": 4})]
    library.audit_add("exported", None, 4, NOW)
    with library.database.write() as tx:
        tx.exec_driver_sql("UPDATE audit SET number = 9 WHERE id = 4")
    assert await said() == [(0, 5, None), (2, 5, None), (3, 5, {"entries": 5, "broken_at": 4, "changed": []})]


async def test_a_check_says_what_stopped_it(owner: httpx.AsyncClient, library: RedactionQueries, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(audit_log, "STEP", 2)
    for number in range(4):
        library.audit_add("exported", None, number, NOW)

    def lost(*_: object) -> None:
        raise StoreUnreachable

    monkeypatch.setattr(audit_chain, "step_from", lost)
    begun, last = map(json.loads, (await owner.post("/api/record/checks")).text.splitlines())
    assert begun["checked"] == 0 and last["found"] is None
    assert last["stopped"]["code"] == StoreUnreachable.code and last["stopped"]["remedy"]


async def test_a_record_that_lost_its_end_is_found_also_by_its_witness(
    owner: httpx.AsyncClient, library: RedactionQueries, served: Served
) -> None:
    assert (await owner.post("/api/record/verify")).json() == {"entries": 0, "broken_at": None, "changed": []}
    library.audit_add("exported", None, 1, NOW)
    served.context.app.witness.follow(library)
    assert (await owner.post("/api/record/verify")).json() == {"entries": 1, "broken_at": None, "changed": []}
    with library.database.write() as tx:
        tx.exec_driver_sql("DELETE FROM audit")
        tx.exec_driver_sql("DELETE FROM audit_head")
    assert (await owner.post("/api/record/verify")).json() == {"entries": 0, "broken_at": 1, "changed": []}

"""The record's routes."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import TYPE_CHECKING

from agent.core.actor import acting_as

if TYPE_CHECKING:
    import httpx

    from agent.redaction.queries.redaction_queries import RedactionQueries
    from tests.unit.web.conftest import Served

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

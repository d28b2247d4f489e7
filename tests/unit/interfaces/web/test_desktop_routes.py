"""Quiet times and a burst that is called off, by the API."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING

from agent.domain.jobs import JobState, Priority
from agent.infrastructure.core.settings import Folder, Settings
from tests.support.in_process_agent import NOW

if TYPE_CHECKING:
    import httpx

    from tests.unit.interfaces.web.conftest import Served


async def test_popups_are_put_off_and_come_again(owner: httpx.AsyncClient, served: Served) -> None:
    assert (await owner.post("/api/quiet", json={"minutes": 60})).status_code == 204
    assert served.desk.asked == ["hide"]
    assert served.world.app.quiet.until() == NOW + timedelta(hours=1)
    assert (await owner.get("/api/status")).json()["quiet_until"] == "2026-01-01T01:00:00Z"
    assert (await owner.post("/api/quiet", json={"minutes": None})).status_code == 204
    assert (await owner.get("/api/status")).json()["quiet_until"] is None
    assert served.desk.asked == ["hide"]


async def test_until_the_work_is_done_the_popup_is_sent_away(owner: httpx.AsyncClient, served: Served) -> None:
    await owner.post("/api/quiet", json={"minutes": 60})
    assert (await owner.post("/api/quiet", json={"minutes": None, "until_done": True})).status_code == 204
    assert served.desk.asked == ["hide", "hide"]
    assert served.world.app.quiet.until() is not None


async def test_other_times_are_refused(owner: httpx.AsyncClient) -> None:
    for body in [{}, {"minutes": 0}, {"minutes": 10_081}, {"minutes": "soon"}]:
        assert (await owner.post("/api/quiet", json=body)).status_code == 422, body


async def test_a_burst_is_called_off_and_looked_at_when_asked(owner: httpx.AsyncClient, served: Served) -> None:
    world = served.world
    world.app.environment.settings.set(Settings(folders=(Folder(path=str(world.folder)),)))
    for name in ("a.jpg", "b.jpg"):
        await world.app.ingest.note(world.file(name), Priority.NEW)
    assert (await owner.post("/api/burst/cancel")).status_code == 204
    assert (await owner.get("/api/status")).json()["queued"] == 0
    await owner.post("/api/rescan")
    assert world.real.counts().jobs[JobState.QUEUED] == 2


async def test_the_browser_opens_at_a_place_in_the_program(owner: httpx.AsyncClient, served: Served) -> None:
    for at in ["photo-12", "problems/7", "photos", "status", "settings/engine.max_memory_mb", "help/guide", "help/troubleshooting/engine"]:
        assert (await owner.post("/api/open", json={"at": at})).status_code == 204, at
        assert served.desk.asked.pop() == f"browser {at}" and not served.desk.asked


async def test_no_other_address_is_ever_opened(owner: httpx.AsyncClient, served: Served) -> None:
    for at in ["https://example.org", "//example.org", "photo-", "photo-1\n", "photo-1/../x", "settings/<b>", "popup", ""]:
        assert (await owner.post("/api/open", json={"at": at})).status_code == 422, at
    assert served.desk.asked == []

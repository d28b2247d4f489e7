"""The Status page's routes: problems of files, how the program stands, the doctor, the support bundle, figures for Prometheus."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

import pytest
from prometheus_client.parser import text_string_to_metric_families
from sqlalchemy import insert, select

from agent.domain.errors import (
    EngineCrashed,
    EngineOpen,
    ImageMissing,
    ImageOnlineOnly,
    ImageTooLarge,
    ImageTruncated,
    ImageUnreadable,
    NoTray,
    StoreDiskFull,
)
from agent.domain.face import StageTimes
from agent.domain.image import FileSeen, Recipe
from agent.domain.jobs import JobState, Priority
from agent.inference.engine.devices import DeviceNote, Fault
from agent.inference.engine.load_limiter import Pace, Power, Throttle
from agent.inference.engine.monitor import MB, EngineProcess, EngineUsage, Machine, NoEngine
from agent.infrastructure.core.settings import Folder, Settings
from agent.infrastructure.store.schema import job, place

if TYPE_CHECKING:
    import httpx

    from agent.domain.errors import AgentError
    from agent.features.redaction.queries.redaction_queries import RedactionQueries
    from tests.unit.interfaces.web.conftest import Served

NOW = datetime(2026, 1, 1, tzinfo=UTC)


def fail(library: RedactionQueries, path: str, error: AgentError) -> int:
    """A file that could not be analysed; returns its place id."""
    library.note_file(FileSeen(path, 10, 1, "/photos"), Recipe("centerface-2"), priority=Priority.NEW, now=NOW)
    [job], _ = library.lease(1, now=NOW, until=NOW + timedelta(hours=1))
    library.fail(job, JobState.FAILED, error, now=NOW)
    return job.place_id


async def test_each_problem_says_which_button_helps(owner: httpx.AsyncClient, library: RedactionQueries) -> None:
    errors = [ImageTruncated(), ImageTooLarge(megapixels=300, limit=200), ImageMissing(), ImageUnreadable(), EngineCrashed()]
    for number, error in enumerate(errors):
        fail(library, f"/photos/{number}.jpg", error)
    told = {problem["name"]: problem["action"] for problem in (await owner.get("/api/problems")).json()["items"]}
    assert told == {"0.jpg": "show", "1.jpg": "settings", "2.jpg": "clear", "3.jpg": "retry", "4.jpg": "retry"}


async def test_one_file_is_tried_again_and_the_others_stay(owner: httpx.AsyncClient, library: RedactionQueries) -> None:
    first, second = (fail(library, f"/photos/{name}.jpg", ImageTruncated()) for name in "ab")
    assert (await owner.post(f"/api/problems/{first}/retry")).status_code == 204
    [left] = (await owner.get("/api/problems")).json()["items"]
    assert left["place_id"] == second
    assert library.counts().jobs[JobState.QUEUED] == 1


async def test_trying_a_file_that_has_no_problem_is_not_found(owner: httpx.AsyncClient) -> None:
    answer = await owner.post("/api/problems/77/retry")
    assert (answer.status_code, answer.json()["code"]) == (404, "api.not_found")


async def test_a_file_with_a_problem_is_shown_in_its_folder_while_it_is_there(
    served: Served, owner: httpx.AsyncClient, library: RedactionQueries
) -> None:
    path = served.world.folder / "broken.jpg"
    path.write_bytes(b"no picture")
    there, gone = fail(library, str(path), ImageTruncated()), fail(library, "/photos/gone.jpg", ImageTruncated())
    assert (await owner.post(f"/api/problems/{there}/show")).status_code == 204
    assert served.desk.asked == [f"show {path}"]
    assert (await owner.post(f"/api/problems/{gone}/show")).json()["code"] == "image.missing"
    assert library.counts().jobs[JobState.QUEUED] == 1, "looked at again, it says that it is gone"
    assert (await owner.post("/api/problems/77/show")).status_code == 404


async def test_cleared_problems_are_spoken_of_no_more_and_their_files_rest(owner: httpx.AsyncClient, library: RedactionQueries) -> None:
    fail(library, "/photos/a.jpg", ImageTruncated())
    assert (await owner.post("/api/problems/clear")).status_code == 204
    assert (await owner.get("/api/problems")).json() == {"items": [], "total": 0}
    assert dict(library.known_files("/photos")) == {"/photos/a.jpg": (10, 1)}, "or the next rescan would try it again"
    assert library.lease(1, now=NOW, until=NOW)[0] == []


async def test_of_one_file_s_problem_is_spoken_no_more_and_of_the_others_still(owner: httpx.AsyncClient, library: RedactionQueries) -> None:
    first, second = (fail(library, f"/photos/{name}.jpg", ImageMissing()) for name in "ab")
    assert (await owner.post(f"/api/problems/{first}/clear")).status_code == 204
    assert [each["place_id"] for each in (await owner.get("/api/problems")).json()["items"]] == [second]
    assert (await owner.post(f"/api/problems/{first}/clear")).status_code == 404


class OneProcess(NoEngine):
    """An engine of one process."""

    restarts = 3

    def stats(self) -> list[EngineProcess]:
        return [EngineProcess(77, 300 * MB, "CPU", "bf16")]


async def test_the_report_tells_of_engine_models_memory_disk_stages_and_power(served: Served, owner: httpx.AsyncClient) -> None:
    app = served.world.app
    monitor = app.monitor
    monitor._machine = Machine(OneProcess(), memory=8 * 1024 * MB)
    monitor.usage, monitor.power = EngineUsage(100 * MB, 300 * MB, 0.015, 0.5, 0.1), Power(on_battery=True, percent=42)
    monitor.pace = Pace(one_core=True, low_priority=True, why=Throttle.BATTERY)
    app.tally.analysed(StageTimes(10, 20, 1, 5))
    app.tally.analysed(StageTimes(30, 40, 3, 5))
    report = (await owner.get("/api/health-report")).json()
    assert report["engine"] == {
        "state": "ready",
        "processes": [{"pid": 77, "memory_mb": 300.0, "device": "CPU", "precision": "bf16"}],
        "restarts": 3,
        "device_note": None,
    }
    [model] = report["models"]
    assert (model["name"], model["state"], model["licence"]) == ("CenterFace", "present", "MIT") and "WIDER FACE" in model["terms"]
    assert report["memory"] == {"agent_mb": 100.0, "engine_mb": 300.0, "limit_mb": 1024.0}
    assert report["cpu"] == {"agent_pct": 1.5, "engine_pct": 50.0, "limit": 0}
    assert report["disk"] == {"free": 4, "library": 3, "thumbnails": 2, "backups": 1}
    assert report["stages"] == {"decode": 20.0, "detect": 30.0, "align": 2.0, "embed": 5.0}
    assert report["power"] == {"battery": True, "percent": 42.0}
    assert (report["history"], report["last_backup"]) == ([], None)


async def test_a_device_that_gave_other_answers_is_told_in_the_program_s_language(served: Served, owner: httpx.AsyncClient) -> None:
    engine = OneProcess()
    engine.device_note = DeviceNote("GPU", Fault.BOXES)
    served.world.app.monitor._machine = Machine(engine)
    told = "GPU gave different results from the processor, so the processor is used."
    assert (await owner.get("/api/health-report")).json()["engine"]["device_note"] == told
    assert (await owner.get("/api/status")).json()["device_note"] == told


async def test_photos_decoded_without_a_whole_wall_are_a_warning_in_the_status(served: Served, owner: httpx.AsyncClient) -> None:
    engine = OneProcess()
    served.world.app.monitor._machine = Machine(engine)
    assert (await owner.get("/api/status")).json()["warning"] is None
    engine.gap = EngineOpen(files=1)
    assert (await owner.get("/api/status")).json()["warning"]["code"] == "engine.open"


async def test_whoever_looks_finds_a_history_the_next_time(served: Served, owner: httpx.AsyncClient) -> None:
    await owner.get("/api/health-report")
    served.world.app.monitor.check()
    [point] = (await owner.get("/api/health-report")).json()["history"]
    assert (point["images"], point["cpu_pct"]) == (0, 0.0)


async def test_before_the_first_photo_there_are_no_stage_times_and_the_engine_rests(owner: httpx.AsyncClient) -> None:
    report = (await owner.get("/api/health-report")).json()
    assert report["stages"] is None and report["engine"]["state"] == "resting"


async def test_a_low_battery_is_told_as_a_pause_with_its_reason(served: Served, owner: httpx.AsyncClient) -> None:
    app = served.world.app
    app._throttle(Pace(paused=True, why=Throttle.BATTERY_LOW), None)
    served.world.real.note_file(FileSeen("/photos/a.jpg", 10, 1, "/photos"), Recipe("centerface-2"), priority=Priority.NEW, now=NOW)
    status = (await owner.get("/api/status")).json()
    assert (status["state"], status["throttled"]) == ("paused", "battery_low")


async def test_with_nothing_to_do_nothing_slows_the_work(served: Served, owner: httpx.AsyncClient) -> None:
    served.world.app._throttle(Pace(low_priority=True, why=Throttle.BUSY), None)
    assert (await owner.get("/api/status")).json()["throttled"] is None


async def test_the_doctor_says_what_is_well_what_is_absent_and_what_is_wrong(served: Served) -> None:
    def absent() -> str:
        raise NoTray

    def wrong() -> str:
        raise StoreDiskFull

    def broken() -> str:
        raise RuntimeError("/home/mei")

    checks = {"settings": lambda: "fine", "tray": absent, "disk": wrong, "key": broken}
    served.context = replace(served.context, health=replace(served.context.health, checks=checks))
    async with served.client(authorization=f"Bearer {served.auth.token}") as owner:
        found = (await owner.post("/api/doctor")).json()
    assert [(each["name"], each["state"], each["code"]) for each in found] == [
        ("settings", "ok", None),
        ("tray", "absent", "desktop.no_tray"),
        ("disk", "failed", "store.disk_full"),
        ("key", "failed", "agent.unexpected"),
    ]
    assert [each["title"] for each in found] == ["Settings", "Tray", "Free space", "Library key"]
    assert found[0]["text"] == "fine" and all(each["text"] for each in found) and "mei" not in str(found)


async def test_the_support_bundle_comes_as_a_file_to_keep(owner: httpx.AsyncClient) -> None:
    answer = await owner.get("/api/support-bundle")
    assert (answer.status_code, answer.content, answer.headers["content-type"]) == (200, b"PK", "application/zip")
    assert "attachment" in answer.headers["content-disposition"]


async def test_prometheus_gets_figures_and_nothing_private(served: Served, owner: httpx.AsyncClient, library: RedactionQueries) -> None:
    fail(library, "/photos/mei.jpg", ImageTruncated())
    served.world.app.tally.failed("image.truncated")
    served.world.app.tally.analysed(StageTimes(10, 20, 1, 5))
    answer = await owner.get("/metrics")
    assert answer.headers["content-type"].startswith("text/plain")
    figures = {
        (sample.name, *(value for _, value in sorted(sample.labels.items()))): sample.value
        for family in text_string_to_metric_families(answer.text)
        for sample in family.samples
    }
    assert figures["ai_popup_images",] == 0
    assert figures["ai_popup_queue", "failed"] == 1
    assert figures["ai_popup_errors_total", "image.truncated", "photo"] == 1
    assert figures["ai_popup_memory_bytes", "agent"] > 1_000_000 and figures["ai_popup_cpu_seconds_total", "agent"] > 0
    assert figures["ai_popup_captures_total",] == 0
    assert figures["ai_popup_outgoing_failures_total", "team"] == 0 and ("ai_popup_outgoing_failures_total", "mail") not in figures
    assert figures["ai_popup_stage_seconds_sum", "detect"] == pytest.approx(0.02)
    assert figures["ai_popup_stage_seconds_bucket", "0.01", "detect"] == 0 and figures["ai_popup_stage_seconds_count", "detect"] == 1
    assert figures["ai_popup_stage_seconds_bucket", "0.025", "detect"] == 1
    assert "photos" not in answer.text and "mei" not in answer.text


async def test_strangers_get_no_figures(stranger: httpx.AsyncClient) -> None:
    for path in ("/metrics", "/api/health-report", "/api/support-bundle"):
        assert (await stranger.get(path)).status_code == 401


async def test_problems_come_in_pages_and_by_folder(served: Served, owner: httpx.AsyncClient, library: RedactionQueries) -> None:
    folder = served.world.folder
    served.world.app.environment.settings.set(Settings(folders=(Folder(path=f"{folder}/../{folder.name}"),)))
    for number in range(3):
        fail(library, f"{folder}/{number}.jpg", ImageTruncated())
    fail(library, "/elsewhere/9.jpg", ImageTruncated())
    page = (await owner.get("/api/problems", params={"limit": 2, "offset": 2})).json()
    assert ([each["name"] for each in page["items"]], page["total"]) == (["1.jpg", "0.jpg"], 4)
    page = (await owner.get("/api/problems", params={"limit": 2, "folder": f"{folder}/../{folder.name}"})).json()
    assert ([each["name"] for each in page["items"]], page["total"]) == (["2.jpg", "1.jpg"], 3)
    assert (await owner.get("/api/problems", params={"limit": 1_000})).status_code == 422


async def test_a_file_far_down_the_list_is_shown_in_its_folder_too(
    served: Served, owner: httpx.AsyncClient, library: RedactionQueries
) -> None:
    path = served.world.folder / "first.jpg"
    path.write_bytes(b"no picture")
    first = fail(library, str(path), ImageTruncated())
    with library.database.write() as tx:  # more like it, at once, for the list is read by hundreds
        [seen], [failed] = (tx.execute(select(table)).mappings().all() for table in (place, job))
        ids = range(first + 1, first + 102)
        tx.execute(insert(place), [{**seen, "id": each, "path": f"/photos/{each}.jpg"} for each in ids])
        tx.execute(insert(job), [{**failed, "id": each, "place_id": each} for each in ids])
    assert (await owner.get("/api/problems", params={"limit": 1})).json()["total"] == 102
    assert (await owner.post(f"/api/problems/{first}/show")).status_code == 204
    assert (await owner.get(f"/api/problems/{first}")).json()["name"] == "first.jpg"
    assert (await owner.get("/api/problems/999")).status_code == 404


async def test_online_only_files_are_listed_and_looked_at_when_asked(owner: httpx.AsyncClient, library: RedactionQueries) -> None:
    for name in "abc":
        library.note_file(FileSeen(f"/photos/{name}", 10, 1, "/photos"), Recipe("centerface-2"), priority=Priority.NEW, now=NOW)
        [job], _ = library.lease(1, now=NOW, until=NOW + timedelta(hours=1))
        library.fail(job, JobState.DEFERRED, ImageOnlineOnly(), now=NOW)
    page = (await owner.get("/api/online-only", params={"limit": 1})).json()
    assert (page["items"][0]["name"], page["total"]) == ("c", 3)
    assert (await owner.post(f"/api/problems/{page['items'][0]['place_id']}/retry")).status_code == 204
    assert library.counts().jobs[JobState.QUEUED] == 1
    assert (await owner.post("/api/online-only/look")).status_code == 204
    assert library.counts().jobs[JobState.QUEUED] == 3


async def test_the_duty_to_file_is_told_while_so_many_people_are_kept(
    owner: httpx.AsyncClient, served: Served, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert (await owner.get("/api/health-report")).json()["filing"] is None
    monkeypatch.setattr(served.world.real, "people_kept", lambda *, least: least + 4_213)
    served.world.put("a")  # what was found is kept until the library changes
    filing = (await owner.get("/api/health-report")).json()["filing"]
    assert filing["code"] == "people.filing_due" and "104,213" in filing["cause"] and "`docs/privacy.md`" in filing["remedy"]


async def test_an_intact_library_is_not_replaced(owner: httpx.AsyncClient, served: Served) -> None:
    assert (await owner.get("/api/library/restore")).json() == {"offer": None, "problem": None, "restored": None, "number": 0}
    assert (await owner.post("/api/library/restore", json={"name": "2026-03-04T050607Z"})).status_code == 404
    assert served.restored == []


async def test_a_damaged_library_without_a_backup_offers_none_and_says_why(owner: httpx.AsyncClient, served: Served) -> None:
    served.damaged = True
    answer = (await owner.get("/api/library/restore")).json()
    assert (answer["offer"], answer["problem"]["code"]) == (None, "backup.missing")
    assert (await owner.post("/api/library/restore", json={"name": "2026-03-04T050607Z"})).json()["code"] == "backup.missing"
    assert served.restored == []

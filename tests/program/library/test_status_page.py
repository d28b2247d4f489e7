"""What the real program says of itself: report, doctor, support bundle, figures."""

from __future__ import annotations

import io
import zipfile
from contextlib import contextmanager
from typing import TYPE_CHECKING

import httpx

from agent.app.status_schemas import FindingOut, HealthReport
from agent.interfaces.web.runtime_file import find

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from PIL import Image

    from tests.support.real_program import RealProgram


@contextmanager
def asking(program: RealProgram) -> Iterator[httpx.Client]:
    where = find(program.paths.runtime)
    headers = {"authorization": f"Bearer {where.token}"}
    with httpx.Client(base_url=f"http://127.0.0.1:{where.port}", headers=headers, timeout=60, trust_env=False) as client:
        yield client


def test_a_working_program_tells_how_it_stands(program: RealProgram, photo: Callable[[int], Image.Image]) -> None:
    for number in range(3):
        photo(number).save(program.watched / f"Mei {number}.jpg")
    program.start()
    program.settled(3)
    with asking(program) as client:
        report = HealthReport.model_validate_json(client.get("/api/health-report").content)
        found = [FindingOut.model_validate(each) for each in client.post("/api/doctor").json()]
        bundle = client.get("/api/support-bundle").content
        figures = client.get("/metrics").text
    [process, *_] = report.engine.processes
    assert process.memory_mb > 50 and process.device == "CPU" and report.engine.restarts == 0
    assert report.memory.agent_mb > 20 and report.memory.limit_mb >= 400
    assert report.stages is not None and report.stages.detect > 0
    assert {model.role: model.state for model in report.models}["detector"] == "present"
    assert report.disk.library > 0
    # No display, no tray and no second place for backups here, and a checkout has no address to ask for a newer version; all else is well.
    missing = {each.name: each.state for each in found if each.state != "ok"}
    assert missing == dict.fromkeys(("display", "tray", "updates", "backups"), "absent")
    assert "ai_popup_images 3.0" in figures and 'ai_popup_memory_bytes{process="engine"}' in figures
    with zipfile.ZipFile(io.BytesIO(bundle)) as opened:
        told = {name: opened.read(name).decode() for name in opened.namelist()}
    private = ("Mei", str(program.watched), str(program.home))
    assert not [(name, secret) for name, text in told.items() for secret in private if secret in text]
    assert not any(secret in figures for secret in private)

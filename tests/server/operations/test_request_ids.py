"""A request's id is found in the logs of all processes that work for it: a real server, its worker and the worker's engine.

The same server shows at the end what it does about processes that take too much memory.
"""

import base64
import json
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from agent.infrastructure.core.sd_notify import START_AGAIN, SUPERVISED
from agent.infrastructure.core.spans import span_id_of, trace_id_of
from tests.support.otlp_collector import OtlpReceiver, receiving
from tests.support.real_program import WAIT_S
from tests.support.real_server import RealServer
from tests.support.server_load import Desk, desk_of_first

pytestmark = [
    pytest.mark.timeout(600),
    pytest.mark.skipif(sys.platform != "linux", reason="the tests of PostgreSQL run on Linux"),
]
TUS = {"tus-resumable": "1.0.0"}


@pytest.fixture(scope="module")
def collector() -> Iterator[OtlpReceiver]:
    with receiving() as receiver:
        yield receiver


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory, models_folder: Path, collector: OtlpReceiver) -> Iterator[RealServer]:
    settings = {"SERVER__WORKERS": "1", "ENGINE__WORKERS": "1", "MEMORY__AGAIN_MINUTES": "0", "SERVER__TRACING": collector.address}
    environment = {SUPERVISED: "1", "OTEL_BSP_SCHEDULE_DELAY": "200", **{f"AI_POPUP__{name}": value for name, value in settings.items()}}
    made = RealServer(tmp_path_factory.mktemp("server"), models_folder, environment)
    made.serve()
    yield made
    made.quit()


@pytest.fixture(scope="module")
def administrator(server: RealServer) -> Iterator[Desk]:
    desk = desk_of_first(server)
    yield desk
    desk.leave()


def lines(server: RealServer, request: str) -> list[tuple[str, dict[str, Any]]]:
    """Return the log files' lines with this id, in their order of time, as the command in the documentation does."""
    found = [
        (path.stem.partition("-")[0], line)
        for path in [*server.paths.logs.glob("server.log"), *server.paths.logs.glob("worker-*.log")]
        for text in path.read_text(encoding="utf-8").splitlines()
        if (line := json.loads(text)).get("request") == request
    ]
    return sorted(found, key=lambda each: str(each[1]["at"]))


def upload(desk: Desk, photo: Path) -> str:
    """Send a photo; return the id of the request that completed it."""
    content, name = photo.read_bytes(), base64.b64encode(photo.name.encode()).decode()
    length = {"upload-length": str(len(content)), "upload-metadata": f"filename {name}"}
    begun = desk.request("POST", "/api/uploads", headers=TUS | length)
    part = {"upload-offset": "0", "content-type": "application/offset+octet-stream"}
    return str(desk.request("PATCH", begun.headers["location"], content=content, headers=TUS | part).headers["x-request-id"])


def events(server: RealServer, request: str) -> list[tuple[str, str]]:
    return [(process, line["event"]) for process, line in lines(server, request)]


def test_an_uploads_id_leads_through_server_worker_and_engine(server: RealServer, administrator: Desk, samples_folder: Path) -> None:
    photo = next(samples_folder.glob("*.jpg"))
    request = upload(administrator, photo)
    server.settled(1)
    found = events(server, request)
    assert found[0] == ("server", "request.done")
    assert lines(server, request)[0][1]["route"] == "/api/uploads/{upload_id}"
    assert ("worker", "engine.served") in found and ("worker", "image.indexed") in found
    assert photo.name not in json.dumps(lines(server, request))

    [image] = administrator.ask("GET", "/api/images?limit=10")["items"]
    again = administrator.request("POST", "/api/library/actions", {"action": "look_again", "ids": [image["id"]]}).headers["x-request-id"]
    server.until(lambda _: ("worker", "image.indexed") in events(server, again))
    assert {process for process, _ in events(server, again)} == {"server", "worker"}


def test_an_uploads_trace_leads_through_the_same_processes(
    server: RealServer, administrator: Desk, collector: OtlpReceiver, samples_folder: Path
) -> None:
    photo = sorted(samples_folder.glob("*.jpg"))[2]
    before = server.status().images
    request = upload(administrator, photo)
    server.until(lambda status: status.images == before + 1)
    names = {"PATCH /api/uploads/{upload_id}", "photo", "ask analyse", "analyse"}
    server.until(lambda _: {each.name for each in collector.of(trace_id_of(request))} >= names)
    spans = {each.name: each for each in collector.of(trace_id_of(request))}
    asked, work, call, engine = (spans[name] for name in ("PATCH /api/uploads/{upload_id}", "photo", "ask analyse", "analyse"))
    assert (asked.parent, asked.id, asked.service) == (0, span_id_of(request), "ai-popup-server")
    assert (work.parent, call.parent, engine.parent) == (asked.id, work.id, call.id)
    assert {work.service, call.service, engine.service} == {"ai-popup-worker"}
    assert asked.facts["http.response.status_code"] == 204 and engine.facts["process.pid"] > 0
    assert work.ms >= call.ms >= engine.ms > 0
    assert all(each.facts["ai_popup.request"] == request for each in spans.values())
    told = repr([each.facts for each in collector.spans])
    assert photo.name not in told and str(server.home) not in told and str(server.watched) not in told


def test_a_photo_that_no_request_brought_has_an_id_of_its_own(server: RealServer, administrator: Desk, samples_folder: Path) -> None:
    before = server.status().images
    (server.watched / "dropped.jpg").write_bytes(sorted(samples_folder.glob("*.jpg"))[1].read_bytes())
    server.until(lambda status: status.images == before + 1)
    texts = [line for path in server.paths.logs.glob("worker-*.log") for line in path.read_text(encoding="utf-8").splitlines()]
    [request] = {line["request"] for line in map(json.loads, texts) if str(line.get("request", "")).startswith("job-")}
    assert {event for _, event in events(server, request)} >= {"engine.served", "image.indexed"}


def test_a_worker_and_a_server_beyond_their_thresholds_end_to_be_started_again(server: RealServer, administrator: Desk) -> None:
    [worker] = server.children("worker")
    server.file.put("memory.worker_mb", 20)  # less than it takes
    worker.wait(WAIT_S)
    server.file.put("memory.worker_mb", 0)
    server.until(lambda _: bool(server.children("worker")))
    assert administrator.ask("GET", "/api/status")["warning"] is None, "the server itself is small enough"

    assert server.process is not None
    server.file.put("memory.server_mb", 20)
    assert server.process.wait(WAIT_S) == START_AGAIN
    texts = (server.paths.logs / "server.log").read_text(encoding="utf-8").splitlines()
    found = {line["event"]: line for line in map(json.loads, texts)}
    assert found["worker.ended"]["code"] == START_AGAIN
    assert (found["memory.over_limit"]["code"], found["memory.over_limit"]["kind"]) == ("agent.memory", "server")
    assert "server.ended" in found, "it finished what was running"

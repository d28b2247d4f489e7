"""Every panel of every dashboard shows something: each query is asked of a real Prometheus with recorded figures."""

import json
import math
import shutil
import socket
import subprocess
import time
from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest

from scripts import dashboards
from scripts.dashboard_panels import DASHBOARDS, OVERVIEW, Dashboard
from tests.server.monitoring import recorded
from tests.server.monitoring.rules import expressions

pytestmark = pytest.mark.skipif(shutil.which("prometheus") is None, reason="prometheus is Debian's package of that name")
WAIT_S = 100


@pytest.fixture(scope="module")
def prometheus(tmp_path_factory: pytest.TempPathFactory) -> Iterator[httpx.Client]:
    """Prometheus with the recorded figures, and what the recording rules make of such."""
    folder = tmp_path_factory.mktemp("prometheus")
    derived = {f"ai_popup:{kind}_requests:ratio_1h": 0.0005 for kind in ("failed", "slow")}
    (folder / "recorded").write_text(recorded.openmetrics(folder, derived))
    command = ["promtool", "tsdb", "create-blocks-from", "openmetrics", str(folder / "recorded"), str(folder / "data")]
    done = subprocess.run(command, capture_output=True, text=True, timeout=WAIT_S, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    (folder / "prometheus.yml").write_text("{}")
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        address = f"127.0.0.1:{probe.getsockname()[1]}"
    storage = [f"--storage.tsdb.path={folder / 'data'}", "--storage.tsdb.retention.time=100y"]
    words = ["prometheus", f"--config.file={folder / 'prometheus.yml'}", f"--web.listen-address={address}", *storage]
    with (folder / "log").open("wb") as log:
        process = subprocess.Popen(words, stdout=log, stderr=log, cwd=folder)
    try:
        with httpx.Client(base_url=f"http://{address}", trust_env=False, timeout=WAIT_S) as client:
            until = time.monotonic() + WAIT_S
            while not _is_ready(client):
                assert process.poll() is None and time.monotonic() < until, (folder / "log").read_text()
                time.sleep(0.05)
            yield client
    finally:
        process.terminate()
        process.wait(WAIT_S)


def _is_ready(client: httpx.Client) -> bool:
    try:
        return client.get("/-/ready").is_success
    except httpx.TransportError:
        return False


def asked(prometheus: httpx.Client, query: str, job: str = ".+") -> list[float]:
    """The values at the end of what was recorded."""
    filled = query.replace("$job", job).replace("$__rate_interval", "5m")
    answer = prometheus.get("/api/v1/query", params={"query": filled, "time": recorded.ENDED.timestamp()}).json()
    assert answer["status"] == "success", (query, answer)
    return [float(each["value"][1]) for each in answer["data"]["result"]]


@pytest.mark.parametrize("dashboard", DASHBOARDS, ids=lambda each: each.name)
def test_every_panel_shows_something(prometheus: httpx.Client, dashboard: Dashboard) -> None:
    found = {(panel.title, legend): asked(prometheus, query) for panel in dashboard.panels for legend, query in panel.queries.items()}
    assert [key for key, values in found.items() if not values or any(math.isnan(value) for value in values)] == []


def test_a_stat_has_one_number(prometheus: httpx.Client) -> None:
    stats = [(panel.title, query) for each in DASHBOARDS for panel in each.panels if panel.stat for query in panel.queries.values()]
    assert [title for title, query in stats if len(asked(prometheus, query)) != 1] == []


# What each API process counts for itself is added up, or shown by process; the times of answers are shares of it.
OWN = {"requests_total", "request_seconds_bucket", "requests_running", "refusals_total", "sign_ins_total"}
OWN |= {"outgoing_failures_total", "outgoing_request_seconds_bucket", "outgoing_request_seconds_count"}
OWN |= {"memory_bytes", "memory_largest_bytes", "memory_threshold_bytes", "cpu_seconds_total", "processes"}


def test_what_two_api_processes_tell_counts_once(prometheus: httpx.Client) -> None:
    differing, shared = [], 0
    for dashboard in DASHBOARDS:
        for panel in dashboard.panels:
            for query in panel.queries.values():
                if {name.removeprefix("ai_popup_") for name in recorded.used(query)} & OWN or 'where!="photo"' in query:
                    continue
                shared += 1
                one, two = (sorted(asked(prometheus, query, job)) for job in recorded.INSTANCES)
                if one != pytest.approx(two):
                    differing.append((panel.title, one, two))
    assert differing == [] and shared > 40


def test_requests_of_two_api_processes_are_added_up(prometheus: httpx.Client) -> None:
    [query] = next(panel for panel in OVERVIEW.panels if panel.title == "Requests by status").queries.values()
    one, two = (sorted(asked(prometheus, query, job)) for job in recorded.INSTANCES)
    assert two == pytest.approx([2 * value for value in one])


def test_files_are_what_the_script_writes_and_panels_do_not_overlap() -> None:
    for dashboard in DASHBOARDS:
        written = json.loads((dashboards.FOLDER / f"{dashboard.name}.json").read_text(encoding="utf-8"))
        assert written == dashboards.rendered(dashboard), "run scripts/dashboards.py"
        cells = [
            (x, y)
            for panel in written["panels"]
            for x in range(panel["gridPos"]["x"], panel["gridPos"]["x"] + panel["gridPos"]["w"])
            for y in range(panel["gridPos"]["y"], panel["gridPos"]["y"] + panel["gridPos"]["h"])
        ]
        assert len(cells) == len(set(cells)) and max(x for x, _ in cells) < 24
    assert {path.stem for path in Path(dashboards.FOLDER).glob("*.json")} == {each.name for each in DASHBOARDS}


def test_queries_and_rules_use_only_what_the_program_tells(tmp_path: Path) -> None:
    told = recorded.names(next(recorded.scrapes(tmp_path))[1])
    queries = [query for each in DASHBOARDS for panel in each.panels for query in panel.queries.values()]
    assert set().union(*map(recorded.used, [*queries, *expressions()])) - told == set()

"""The group `people`: how soon a naming is applied to all of 100,000 faces, and how soon such a library opens and lists its people."""

import contextlib
import statistics
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import httpx

from agent.app.library_home import home_of_key
from agent.features.redaction.queries.redaction_queries import RedactionQueries
from agent.infrastructure.core.paths import AppPaths
from agent.infrastructure.core.settings import Settings
from agent.infrastructure.store.open_library import open_library
from agent.interfaces.web.client import Client
from scripts.benchmarks import synthetic_faces
from scripts.benchmarks.rows import Row, at_most, p95
from scripts.benchmarks.stage import running

PHOTOS, FACES = 48_000, 100_000  # photos that show about that many faces
NAMED, ASKED = 20, 30
NAMING_S, OPEN_S, LIST_MS, PAGE_MS, GROUPS_MS = 1, 1, 100, 100, 500
GROUPED_LIMIT_S = 600


def rows(_long: bool) -> Iterator[Row]:
    """Yield the rows. The prints are synthetic; everything else is real: the agent, its matcher, the encrypted library."""
    prints = (row.tobytes() for page, _ in synthetic_faces.pages(2 * FACES) for row in page)
    with tempfile.TemporaryDirectory(prefix="ai-popup-bench-", ignore_cleanup_errors=True) as name:
        folder = Path(name)
        with running(folder, PHOTOS, values={"recognition.enabled": "true"}, prints=prints) as (client, _):
            status = client.status()
            print(f"{status.images:,} photos, {status.faces:,} faces", file=sys.stderr, flush=True)
            with contextlib.closing(_http(client)) as http:
                meanwhile = list(_meanwhile(http))
                print(f"grouped after {len(meanwhile)} namings", file=sys.stderr, flush=True)
                yield at_most("naming_while_grouping_100k_s", max(meanwhile), NAMING_S, meanwhile)
                namings = list(_namings(http))
                yield at_most("naming_100k_s", max(namings), NAMING_S, namings)
                yield p95("people_list_ms", [_ms(lambda: http.get("/api/people")) for _ in range(ASKED)], LIST_MS)
                yield p95("groups_first_page_ms", [_ms(lambda: http.get("/api/groups")) for _ in range(ASKED)], GROUPS_MS)
                yield p95("people_first_page_ms", [_ms(lambda: _page(http)) for _ in range(ASKED)], PAGE_MS)
        yield at_most("people_open_s", *_opened(folder / "home"))


def _opened(home: Path) -> tuple[float, float, list[float]]:
    """Return the seconds until the library is ready, as at a start."""
    paths = AppPaths.find({"AI_POPUP_HOME": str(home)})
    settings = Settings.model_validate({"library": {"key_home": "file"}})
    times = []
    for _ in range(5):
        began = time.perf_counter()
        library = RedactionQueries(open_library(paths.library, home_of_key(settings, paths)))
        library.people()
        times.append(time.perf_counter() - began)
        library.database.close()
    return statistics.median(times), OPEN_S, times


def _namings(http: httpx.Client) -> Iterator[float]:
    """Yield the seconds from a naming to the answer, which comes when all suggestions are updated."""
    for number in range(NAMED):
        groups = http.get("/api/groups", params={"limit": 1, "offset": 5}).json()["items"]
        face_id = groups[0]["faces"][0]["id"]
        yield _naming(http, face_id, f"Person {number}")


def _naming(http: httpx.Client, face_id: int, name: str) -> float:
    began = time.perf_counter()
    answer = http.post("/api/people/edits", json={"kind": "name", "face_ids": [face_id], "name": name})
    assert answer.status_code == 200, answer.text
    return time.perf_counter() - began


def _page(http: httpx.Client) -> None:
    index = http.get("/api/library").json()
    http.get("/api/images/by-id", params={"ids": ",".join(map(str, index["ids"][:60]))}).raise_for_status()


def _meanwhile(http: httpx.Client) -> Iterator[float]:
    """Yield the same for other faces, until clusters of all faces are computed from scratch."""
    began, number = time.perf_counter(), 0
    while http.get("/api/groups", params={"limit": 1}).json()["total"] == 0:
        if time.perf_counter() - began > GROUPED_LIMIT_S:
            raise TimeoutError("the faces are not grouped")
        number += 1
        yield _naming(http, 1 + 97 * number, f"Somebody {number}")
        time.sleep(1)


def _ms(work: Callable[[], object]) -> float:
    began = time.perf_counter()
    work()
    return (time.perf_counter() - began) * 1000


def _http(client: Client) -> httpx.Client:
    return httpx.Client(base_url=client.address, headers=client.headers, timeout=120, trust_env=False)

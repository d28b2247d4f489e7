"""How soon the warm API answers over real HTTP, one request after the other on one connection, as the page does."""

import random
import time
from collections.abc import Iterator

import httpx

from agent.features.library.schemas import LibraryIndex
from agent.interfaces.web.client import Client
from scripts.benchmarks.rows import Row, p95

SAMPLES, WARM_UP = 200, 20
TARGET_MS = 20
PAGE = 60  # images


def rows(client: Client) -> Iterator[Row]:
    """Yield the rows. Pages and thumbnails are taken from the whole library; each is requested once."""
    index = LibraryIndex.model_validate(client.get_json("/api/library"))
    chance = random.Random(5)
    begins = chance.sample(range(len(index.ids) - PAGE), WARM_UP + SAMPLES)
    pages = ["/api/images/by-id?ids=" + ",".join(map(str, index.ids[begin : begin + PAGE])) for begin in begins]
    thumbnails = [f"/api/images/{image_id}/thumbnail" for image_id in chance.sample(index.ids[1:], WARM_UP + SAMPLES)]
    settings = ["/api/settings"] * (WARM_UP + SAMPLES)
    # trust_env off: no proxy may interfere.
    with httpx.Client(base_url=client.address, headers=client.headers, trust_env=False) as session:
        yield p95("api_page_p95_ms", _measured(session, pages), TARGET_MS)
        yield p95("api_thumbnail_p95_ms", _measured(session, thumbnails), TARGET_MS)
        yield p95("api_settings_p95_ms", _measured(session, settings), TARGET_MS)


def _measured(session: httpx.Client, paths: list[str]) -> list[float]:
    """Return the milliseconds from each request to the last byte of its answer, without the warm-up requests."""
    took = []
    for path in paths:
        began = time.perf_counter()
        session.get(path).raise_for_status()
        took.append((time.perf_counter() - began) * 1000)
    return took[WARM_UP:]

"""The group `capture`: from requesting a region until the picker is painted, and from the region until the covered picture is there."""

import concurrent.futures
import contextlib
import os
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path

import httpx
import mss

from agent.interfaces.web.client import Client
from scripts.benchmarks.rows import Row, median
from scripts.benchmarks.stage import fetched, running
from scripts.screens import ask, display
from tests.support.image_window import shown

SIZE = (1920, 1080)
COLD, WARM, REVIEWS = 5, 15, 15
COLD_MS, WARM_MS, REVIEW_MS = 1500, 150, 400
# Three faces, and a spot on the first photo that is bright without the picker's veil: its left, top, width and height.
PHOTOS = (("obama.jpg", 100), ("biden.jpg", 700), ("obama2.jpg", 1300))
WATCHED = {"left": 296, "top": 347, "width": 4, "height": 4}
DIMMED = 190
LIMIT_S, BETWEEN_S, REST_S, CHOOSING_S = 30.0, 0.002, 1.0, 1.0


def rows(_: bool) -> Iterator[Row]:
    """Yield the rows; `cold` starts the window's process, whose files are cached by the system, while the screen's engine already runs."""
    samples, _models = fetched()
    with contextlib.ExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="ai-popup-bench-", ignore_cleanup_errors=True)))
        stack.enter_context(display(SIZE))
        for name, left in PHOTOS:
            stack.enter_context(shown(os.environ["DISPLAY"], samples / name, left, 100, 427, 640))
        # The window's process ends a second after its last use.
        client, _agent = stack.enter_context(running(folder / "cold", 10, values={"popup.keep_warm_s": "1"}))
        _picked(client, REST_S)
        yield median("picker_cold_ms", [_picked(client, 2 * REST_S) for _ in range(COLD)], COLD_MS)
        warm, _other = stack.enter_context(running(folder / "warm", 10))
        _picked(warm, REST_S)
        yield median("picker_warm_ms", [_picked(warm, REST_S) for _ in range(WARM)], WARM_MS)
        yield median("review_ms", [_review(warm) for _ in range(REVIEWS + 1)][1:], REVIEW_MS)


def _review(client: Client) -> float:
    """Return the milliseconds from the release of the mouse, some time after the picker appeared, until all data of the review is there."""
    with _session(client) as api, mss.MSS() as screen, concurrent.futures.ThreadPoolExecutor(1) as other:
        asked = other.submit(api.post, "/api/captures", json={"what": "region"})
        _seen(screen)
        ask(
            "xdotool",
            "mousemove",
            "10",
            "10",
            "mousedown",
            "1",
            "mousemove",
            "900",
            "500",
            "mousemove",
            str(SIZE[0] - 10),
            str(SIZE[1] - 10),
        )
        time.sleep(CHOOSING_S)
        began = time.perf_counter()
        ask("xdotool", "mouseup", "1")
        made = asked.result().json()
        assert len(made["faces"]) >= len(PHOTOS), "the faces on the screen were not found"
        assert api.get(f"/api/captures/{made['id']}/picture", params={"format": "jpeg"}).is_success
        took = time.perf_counter() - began
        api.delete(f"/api/captures/{made['id']}")
    return took * 1000


def _picked(client: Client, rest_s: float) -> float:
    """Return the milliseconds from requesting a region until the screen shows the picker, which is then cancelled."""
    time.sleep(rest_s)
    with _session(client) as api, mss.MSS() as screen, concurrent.futures.ThreadPoolExecutor(1) as other:
        began = time.perf_counter()
        asked = other.submit(api.post, "/api/captures", json={"what": "region"})
        _seen(screen)
        took = time.perf_counter() - began
        time.sleep(REST_S / 4)
        ask("xdotool", "key", "Escape")
        assert asked.result().status_code == 409
    return took * 1000


def _seen(screen: mss.MSS) -> None:
    """Wait for the picker. Raises TimeoutError."""
    began = time.perf_counter()
    while max(screen.grab(WATCHED).raw[:3]) >= DIMMED:
        if time.perf_counter() - began > LIMIT_S:
            raise TimeoutError("the picker was not seen")
        time.sleep(BETWEEN_S)


@contextlib.contextmanager
def _session(client: Client) -> Iterator[httpx.Client]:
    with httpx.Client(base_url=client.address, headers=client.headers, trust_env=False, timeout=LIMIT_S) as api:
        yield api

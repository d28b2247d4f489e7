"""A member sends photos from a browser while the network breaks and the server is killed: each arrives exactly once."""

import hashlib
import re
import socket
import sys
from collections.abc import Iterator
from pathlib import Path

import cv2
import numpy as np
import pytest
from playwright.sync_api import Browser, CDPSession, expect

from agent.server.uploads.upload_files import INCOMING
from tests.support.real_server import RealServer

pytestmark = [
    pytest.mark.timeout(600),
    pytest.mark.skipif(sys.platform != "linux", reason="the tests of PostgreSQL run on Linux"),
]

PASSWORD = "seven quiet harbours"
LARGE = 100_000_000
# Slow enough to be interrupted on the way.
BYTES_A_SECOND = 20_000_000
WITHIN_MS = 200_000


@pytest.fixture
def server(tmp_path: Path, models_folder: Path, built_ui: None) -> Iterator[RealServer]:
    with socket.create_server(("127.0.0.1", 0)) as found:
        port = str(found.getsockname()[1])  # the same before and after the kill
    made = RealServer(tmp_path, models_folder, {"AI_POPUP__SERVER__PORT": port, "AI_POPUP__UPLOADS__KEEP_FREE_GB": "0"})
    made.serve()
    yield made
    made.quit()


def _photo(path: Path, seed: int, size: int = 0) -> str:
    """Write a small photo, followed by what decoders skip; return its digest."""
    pixels = np.random.default_rng(seed).integers(0, 255, (48, 64, 3), dtype=np.uint8)
    content = bytes(cv2.imencode(".jpg", pixels)[1])
    path.write_bytes(content + bytes(max(0, size - len(content))))
    return hashlib.sha256(path.read_bytes()).hexdigest()


def _network(session: CDPSession, *, offline: bool) -> None:
    conditions = {"offline": offline, "latency": 0, "downloadThroughput": -1, "uploadThroughput": BYTES_A_SECOND}
    session.send("Network.emulateNetworkConditions", conditions)


def test_each_photo_arrives_once_though_the_network_breaks_and_the_server_is_killed(
    server: RealServer, chromium: Browser, tmp_path: Path
) -> None:
    chosen = tmp_path / "chosen"
    chosen.mkdir()
    photos = [chosen / f"{number}.jpg" for number in range(40)]
    digests = {_photo(path, seed) for seed, path in enumerate(photos)} | {_photo(chosen / "large.jpg", 99, LARGE)}
    context = chromium.new_context(ignore_https_errors=True, locale="en", viewport={"width": 1280, "height": 800})
    context.set_default_timeout(WITHIN_MS)
    page = context.new_page()
    secret = server.reached["invitation"].rpartition("/")[2]
    page.goto(f"{server.address}/#invitation/{secret}")
    page.locator("[name=new-password]").fill(PASSWORD)
    page.keyboard.press("Enter")
    expect(page.get_by_role("button", name="Upload…")).to_be_visible(timeout=WITHIN_MS)

    session = context.new_cdp_session(page)
    _network(session, offline=False)
    page.locator("input[type=file]").set_input_files([chosen / "large.jpg", *photos])
    panel = page.get_by_role("region", name="Uploads")
    large = panel.get_by_role("listitem").filter(has_text="large.jpg")
    expect(large).to_contain_text(re.compile(r"[1-4]\d%"), timeout=WITHIN_MS)
    _network(session, offline=True)
    expect(large).to_contain_text("No connection", timeout=WITHIN_MS)
    _network(session, offline=False)
    expect(large).to_contain_text(re.compile(r"[5-8]\d%"), timeout=WITHIN_MS)
    server.kill()
    expect(large).to_contain_text("No connection", timeout=WITHIN_MS)
    server.serve()
    expect(panel).to_contain_text("41 photos uploaded", timeout=WITHIN_MS)

    page.locator("input[type=file]").set_input_files(photos[:1])
    expect(panel).to_contain_text("There already, not stored twice", timeout=WITHIN_MS)
    folder = server.paths.data / "uploads"
    stored = [path for path in folder.rglob("*.jpg")]
    assert sorted(hashlib.sha256(path.read_bytes()).hexdigest() for path in stored) == sorted(digests)
    assert [each.name for each in (folder / INCOMING).iterdir()] == ["lock"]
    server.until(lambda status: (status.images, status.queued) == (41, 0), within=200)
    context.close()

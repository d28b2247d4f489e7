"""What the benchmarks run on: a home of its own with a large library, and the real agent on it, without tray and popup."""

import contextlib
import shutil
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import psutil

from agent.api.client import Client
from scripts.benchmarks.large_library import fill
from scripts.demo import fetch
from scripts.program import agent, answering, new_home, until

LIMIT_S = 120.0
# Idle: less than this share of a core, for so long.
IDLE_SHARE, IDLE_S = 0.03, 3.0


@contextlib.contextmanager
def running(folder: Path, images: int) -> Iterator[Client]:
    """The agent with so many images, once it has looked through the watched folder and is idle; its newest image is a real photo."""
    with contextlib.redirect_stdout(sys.stderr):  # what is fetched is told, but is no part of the figures
        samples, models = fetch()
    home, watched = folder / "home", folder / "Photos"
    watched.mkdir()
    paths, settings = new_home(home, models, {"library.thumbnails_mb": "4000", "popup.enabled": "false"})
    settings.add_folder(watched)
    fill(paths, settings.load(), watched, samples, images - 1)
    with agent("--no-tray") as process, contextlib.closing(answering(paths, process)) as client:
        client.post("/api/rescan")
        shutil.copy(samples / "biden.jpg", watched / "biden.jpg")
        # What was filled in has to be taken as it is, so that the one photo is all there is to do.
        until(client, lambda status: status.images == images and not status.queued, limit_s=LIMIT_S)
        _until_idle(psutil.Process(process.pid))
        yield client


def _until_idle(process: psutil.Process) -> None:
    """Raises TimeoutError."""
    deadline, since = time.monotonic() + LIMIT_S, time.monotonic()
    process.cpu_percent()
    while time.monotonic() - since < IDLE_S:
        if time.monotonic() > deadline:
            raise TimeoutError("the agent does not come to rest")
        time.sleep(0.5)
        if process.cpu_percent() > 100 * IDLE_SHARE:
            since = time.monotonic()

"""What the benchmarks run on: a home of its own with a large library, and the real agent on it, without tray and popup."""

import contextlib
import shutil
import sys
import time
from collections.abc import Iterator, Mapping
from pathlib import Path

import psutil

from agent.models.model_store import ModelStore
from agent.web.client import Client
from scripts.benchmarks.large_library import fill
from scripts.demo import fetch
from scripts.program import agent, answering, new_home, until

LIMIT_S = 120.0
# Idle: less than this share of a core, for so long.
IDLE_SHARE, IDLE_S = 0.03, 3.0


def fetched() -> tuple[Path, ModelStore]:
    """The samples' folder and the models. What is fetched is told, but is no part of the figures."""
    with contextlib.redirect_stdout(sys.stderr):
        return fetch()


@contextlib.contextmanager
def running(
    folder: Path, images: int, *, tray: bool = False, values: Mapping[str, str] | None = None, prints: Iterator[bytes] | None = None
) -> Iterator[tuple[Client, psutil.Process]]:
    """The agent with so many images, once it has looked through the watched folder and is idle; its newest image is a real photo."""
    samples, models = fetched()
    home, watched = folder / "home", folder / "Photos"
    watched.mkdir(parents=True)
    paths, settings = new_home(home, models, {"library.thumbnails_mb": "4000", "popup.enabled": "false", **(values or {})})
    settings.add_folder(watched)
    fill(paths, settings.load(), watched, samples, images - 1, prints)
    with agent(*([] if tray else ["--no-tray"])) as process, contextlib.closing(answering(paths, process)) as client:
        client.post("/api/rescan")
        shutil.copy(samples / "biden.jpg", watched / "biden.jpg")
        # What was filled in has to be taken as it is, so that the one photo is all there is to do.
        until(client, lambda status: status.images == images and not status.queued, limit_s=LIMIT_S)
        program = psutil.Process(process.pid)
        _until_idle(program)
        yield client, program


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

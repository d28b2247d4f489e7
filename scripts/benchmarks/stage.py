"""The set-up of the benchmarks: a separate home with a large library, and the real agent on it, without tray and popup."""

import contextlib
import shutil
import sys
import time
from collections.abc import Iterator, Mapping
from pathlib import Path

import psutil

from agent.features.models.model_store import ModelStore
from agent.interfaces.web.client import Client
from scripts.benchmarks.large_library import fill
from scripts.demo import fetch
from scripts.program import agent, answering, new_home, until

LIMIT_S = 120.0
# Idle: less than this share of a core, for so long.
IDLE_SHARE, IDLE_S = 0.03, 3.0


def fetched() -> tuple[Path, ModelStore]:
    """Return the samples' folder and the models. Downloads are reported, but are not part of the figures."""
    with contextlib.redirect_stdout(sys.stderr):
        return fetch()


@contextlib.contextmanager
def running(
    folder: Path, images: int, *, tray: bool = False, values: Mapping[str, str] | None = None, prints: Iterator[bytes] | None = None
) -> Iterator[tuple[Client, psutil.Process]]:
    """Yield the agent with so many images, once it has scanned the watched folder and is idle; its newest image is a real photo."""
    samples, models = fetched()
    home, watched = folder / "home", folder / "Photos"
    watched.mkdir(parents=True)
    paths, settings = new_home(home, models, {"library.thumbnails_mb": "4000", "popup.enabled": "false", **(values or {})})
    settings.add_folder(watched)
    fill(paths, settings.load(), watched, samples, images - 1, prints)
    with agent(*([] if tray else ["--no-tray"])) as process, contextlib.closing(answering(paths, process)) as client:
        client.post("/api/rescan")
        shutil.copy(samples / "biden.jpg", watched / "biden.jpg")
        # The generated library must be accepted as it is, so that only the one photo is scanned.
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

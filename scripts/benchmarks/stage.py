"""What the benchmarks run on: a home of its own with a large library, and the real agent on it, without tray and popup."""

import contextlib
import os
import shutil
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import psutil

from agent.adapters.config_file import SettingsFile
from agent.adapters.paths import HOME_VARIABLE, AppPaths
from agent.api.client import Client
from scripts.benchmarks.large_library import fill
from scripts.demo import answering, fetch
from scripts.screens import agent

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
    shutil.copytree(models.folder, home / "data" / "models", ignore=shutil.ignore_patterns("samples"))
    os.environ[HOME_VARIABLE] = str(home)
    paths = AppPaths.find().create()
    settings = SettingsFile(paths.settings)
    for key, value in {"library.key_home": "file", "library.thumbnails_mb": "4000", "popup.enabled": "false"}.items():
        settings.set(key, value)
    settings.add_folder(watched)
    fill(paths, settings.load(), watched, samples, images - 1)
    with agent() as process, contextlib.closing(answering(paths, process)) as client:
        client.post("/api/rescan")
        shutil.copy(samples / "biden.jpg", watched / "biden.jpg")
        _until_indexed(client, images)
        _until_idle(psutil.Process(process.pid))
        yield client


def _until_indexed(client: Client, images: int) -> None:
    """Raises TimeoutError: what was filled in has to be taken as it is, so that the one photo is all there is to do."""
    deadline = time.monotonic() + LIMIT_S
    while (status := client.status()).images != images or status.queued:
        if time.monotonic() > deadline:
            raise TimeoutError(status.model_dump_json(include={"state", "images", "queued", "failed", "problem"}))
        time.sleep(0.2)


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

"""The group `idle`: the agent's resource use while it is idle, with and without tray."""

import contextlib
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from unittest.mock import patch

import psutil

from agent.interfaces.web.client import Client
from scripts.benchmarks.rows import Row, at_most
from scripts.benchmarks.stage import running
from scripts.program import started
from scripts.screens import display

IMAGES = 50_000  # with some 100,000 faces
IDLE_S, LONG_IDLE_S = 60, 600
ALONE_LIMIT_S = 60
SHOWN_S = 3
PSS_MB, CPU_PCT, HEADLESS_PSS_MB = 120, 0.2, 85
SOON = {"engine.idle_s": "5", "popup.keep_warm_s": "5"}  # until engine and popup have ended


@dataclass(frozen=True, slots=True)
class Idle:
    """Proportional memory, and the share of one core during the idle time."""

    pss_mb: float
    cpu_pct: float


def rows(long: bool) -> Iterator[Row]:
    """Yield the rows one after the other; a minute of idle time each, ten with `long`."""
    rest_s = LONG_IDLE_S if long else IDLE_S
    with _as_installed():
        yield from _rows(rest_s)


def _rows(rest_s: float) -> Iterator[Row]:
    with (
        display(),
        started("stalonetray", "--geometry", "3x1+0-0", "--icon-size", "24"),
        _folder() as folder,
        running(folder, IMAGES, tray=True, values=SOON) as (client, process),
    ):
        client.post("/api/popup/show")
        time.sleep(SHOWN_S)
        client.post("/api/popup/hide")
        idle = _idle(client, process, rest_s)
    yield at_most("idle_pss_mb", idle.pss_mb, PSS_MB, [idle.pss_mb])
    yield at_most("idle_cpu_pct", idle.cpu_pct, CPU_PCT, [idle.cpu_pct])
    with _folder() as folder, running(folder, IMAGES, values=SOON) as (client, process):
        idle = _idle(client, process, rest_s)
    yield at_most("headless_pss_mb", idle.pss_mb, HEADLESS_PSS_MB, [idle.pss_mb])


@contextlib.contextmanager
def _as_installed() -> Iterator[None]:
    """Start processes like the packages' program: without docstrings, and without `rich`, which is installed for the tests only.

    Each takes some 4 MB of a checkout's agent once everything is loaded.
    """
    with tempfile.TemporaryDirectory() as folder, patch.dict(os.environ, PYTHONPATH=folder, PYTHONOPTIMIZE="2"):
        os.environ.pop("PYTHONDONTWRITEBYTECODE", None)
        (Path(folder) / "rich.py").write_text("raise ImportError\n")
        # Bytecode is cached: a process that compiles it first keeps some of the memory that this takes.
        subprocess.run(
            [sys.executable, "-c", "import agent.app.commands, agent.app.agent_loop, agent.desktop.tray.tray_bridge"], check=True
        )
        yield


@contextlib.contextmanager
def _folder() -> Iterator[Path]:
    with tempfile.TemporaryDirectory(prefix="ai-popup-bench-", ignore_cleanup_errors=True) as name:
        yield Path(name)


def _idle(client: Client, process: psutil.Process, rest_s: float) -> Idle:
    """Raises TimeoutError if engine or popup stay."""
    client.close()
    deadline = time.monotonic() + ALONE_LIMIT_S
    while process.children():
        if time.monotonic() > deadline:
            raise TimeoutError("engine or popup do not end")
        time.sleep(0.5)
    before, began = process.cpu_times(), time.monotonic()
    time.sleep(rest_s)
    after, took = process.cpu_times(), time.monotonic() - began
    return Idle(process.memory_full_info().pss / 2**20, 100 * (after.user + after.system - before.user - before.system) / took)

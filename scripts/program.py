"""The real program as demo, screenshots and benchmarks run it: a separate home, started, awaited, and ended."""

import contextlib
import os
import shutil
import subprocess
import time
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import IO

from agent.domain.errors import NotRunning
from agent.features.models.model_store import ModelStore
from agent.infrastructure.core.config_file import SettingsFile
from agent.infrastructure.core.json_child import own_command
from agent.infrastructure.core.paths import HOME_VARIABLE, AppPaths
from agent.interfaces.web.client import Client
from agent.interfaces.web.schemas import Status

ROOT = Path(__file__).resolve().parent.parent
START_LIMIT_S = 60.0
END_LIMIT_S = 20.0


def new_home(home: Path, models: ModelStore, values: Mapping[str, str]) -> tuple[AppPaths, SettingsFile]:
    """Return a home with the models and settings; from now on everything this process starts uses it.

    Its key is in a file: a throw-away library leaves no entry in the keyring.
    """
    shutil.copytree(models.folder, home / "data" / "models", ignore=shutil.ignore_patterns("samples"))
    os.environ[HOME_VARIABLE] = str(home)
    paths = AppPaths.find().create()
    settings = SettingsFile(paths.settings)
    for key, value in {"library.key_home": "file", **values}.items():
        settings.set(key, value)
    return paths, settings


@contextlib.contextmanager
def started(
    *command: str,
    pass_fds: tuple[int, ...] = (),
    stdout: int | IO[bytes] = subprocess.DEVNULL,
    stderr: int | IO[bytes] = subprocess.DEVNULL,
    end_s: float = END_LIMIT_S,
) -> Iterator["subprocess.Popen[bytes]"]:
    """Yield a program that ends with the block."""
    path = os.pathsep.join(filter(None, (os.environ.get("PYTHONPATH"), str(ROOT))))
    environment = {**os.environ, "PYTHONPATH": path}
    process = subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=stdout, stderr=stderr, pass_fds=pass_fds, env=environment)
    try:
        yield process
    finally:
        process.terminate()
        try:
            process.wait(timeout=end_s)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()


def agent(*options: str) -> contextlib.AbstractContextManager["subprocess.Popen[bytes]"]:
    """Yield the agent of the home."""
    return started(*own_command("run", *options))


def answering(paths: AppPaths, process: "subprocess.Popen[bytes]") -> Client:
    """Wait for the agent's API. Raises NotRunning."""
    deadline = time.monotonic() + START_LIMIT_S
    while time.monotonic() < deadline and process.poll() is None:
        with contextlib.suppress(NotRunning):
            client = Client.find(paths.runtime)
            client.status()
            return client
        time.sleep(0.1)
    raise NotRunning


def until(client: Client, done: Callable[[Status], bool], *, limit_s: float) -> Status:
    """Wait until the program reaches a state. Raises TimeoutError with its current state, without paths; AgentError if it ends."""
    deadline = time.monotonic() + limit_s
    while not done(status := client.status()):
        if time.monotonic() > deadline:
            raise TimeoutError(status.model_dump_json(include={"state", "images", "queued", "failed", "problem"}))
        time.sleep(0.1)
    return status

"""The child process that checks for updates and downloads them, so that the agent does not need the memory for it."""

import json
from datetime import UTC, datetime
from pathlib import Path

from agent.core.build import Build
from agent.core.child import Message, send, take_pipes
from agent.domain.errors import AgentError, Unexpected
from agent.engine.governor import read_power
from agent.updates.metered import is_metered
from agent.updates.releases import Step
from agent.updates.updater import Updater

LEAST_PERCENT = 20.0


def main() -> int:
    """Serve until the input ends."""
    requests, answers = take_pipes()
    with requests, answers:
        for line in requests:
            try:
                work(json.loads(line))
                send(answers, {"ok": True})
            except AgentError as error:
                send(answers, {"code": error.code, "params": error.params})
            except Exception as error:
                send(answers, {"code": Unexpected.code, "params": {"kind": type(error).__name__}})
    return 0


def request(
    build: Build, folder: Path, cache: Path, installed: str, channel: str, *, check: bool, fetch: bool, patient: bool = True
) -> Message:
    """Check first, if requested; then download, if requested; a `patient` request postpones downloads while they would be a burden."""
    where = {"folder": str(folder), "cache": str(cache), "installed": installed, "channel": channel}
    return {"build": build.model_dump(mode="json"), **where, "check": check, "fetch": fetch, "patient": patient}


def work(asked: Message) -> None:
    """Raises UpdateError, OSError, StoreError."""
    build = Build.model_validate(asked["build"])
    updater = Updater(
        build,
        folder=Path(asked["folder"]),
        cache=Path(asked["cache"]),
        installed=asked["installed"],
        clock=lambda: datetime.now(UTC),
    )
    state = updater.check(asked["channel"]) if asked["check"] else updater.state(asked["channel"])
    wanted = state.step is Step.AVAILABLE and not burden() if asked["patient"] else state.step in (Step.AVAILABLE, Step.MANAGED)
    if asked["fetch"] and wanted:
        updater.download(asked["channel"])


def burden() -> bool:
    """Whether a download would cost money or drain a low battery, as far as the system tells."""
    power = read_power()
    return (power.on_battery and power.percent is not None and power.percent < LEAST_PERCENT) or is_metered()

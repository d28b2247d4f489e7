"""What deployments did, for good, and where the running one is, for after a power failure."""

import getpass
import json
import os
import secrets
import time
from dataclasses import asdict, dataclass, field, replace
from datetime import UTC, datetime
from pathlib import Path

from scripts.deploying.failures import Failed
from scripts.deploying.files import append, remove, write

RECORD, STATE = "record.jsonl", "state.json"


@dataclass(frozen=True)
class State:
    """A deployment that has not ended. `done` are its finished steps, `step` the one that runs."""

    run: str
    environment: str
    backend: str
    action: str
    former: str | None
    target: str
    step: str = ""
    done: tuple[str, ...] = field(default=())


class Book:
    """The record and the state, in one folder."""

    def __init__(self, folder: Path) -> None:
        self._record, self._state = folder / RECORD, folder / STATE

    def last_at(self) -> datetime | None:
        """Return when the newest line was written."""
        if not self._record.is_file():
            return None
        *_, last = self._record.read_text(encoding="utf-8").splitlines() or [""]
        try:
            return datetime.fromisoformat(json.loads(last)["at"])
        except (ValueError, KeyError, TypeError):
            return None  # the power was lost while it was written

    def unfinished(self) -> State | None:
        try:
            said = json.loads(self._state.read_bytes())
            return State(**{**said, "done": tuple(said["done"])})
        except FileNotFoundError:
            return None
        except (ValueError, TypeError, KeyError) as error:
            raise Failed(f"{self._state} is no state of a deployment: move it away after looking at the record") from error

    def begin(self, environment: str, backend: str, action: str, former: str | None, target: str) -> State:
        state = State(secrets.token_hex(4), environment, backend, action, former, target)
        self._keep(state)
        self.note(state, "begin")
        return state

    def step(self, state: State, name: str) -> State:
        state = replace(state, step=name)
        self._keep(state)
        self.note(state, "step")
        return state

    def done(self, state: State, began: float, said: str) -> State:
        self.note(state, "done", seconds=round(time.monotonic() - began, 3), said=said)
        state = replace(state, done=(*state.done, state.step), step="")
        self._keep(state)
        return state

    def end(self, state: State, result: str, said: str = "") -> None:
        self.note(state, "end", result=result, said=said)
        remove(self._state)

    def note(self, state: State, event: str, **more: object) -> None:
        """Add a line: who, when, from which version to which, and what."""
        line = {
            "at": datetime.now(UTC).isoformat(timespec="milliseconds"),
            "who": os.environ.get("SUDO_USER") or getpass.getuser(),
            "run": state.run,
            "environment": state.environment,
            "action": state.action,
            "from": state.former,
            "to": state.target,
            "event": event,
            **({"step": state.step} if state.step else {}),
            **more,
        }
        append(self._record, json.dumps(line, ensure_ascii=False))

    def _keep(self, state: State) -> None:
        write(self._state, json.dumps(asdict(state)).encode())

"""Shows what the set-up is doing, for how long, and why it failed; details go to a log file."""

import contextlib
import os
import signal
import sys
import threading
import time
from collections.abc import Iterator
from pathlib import Path
from typing import NoReturn, TextIO

from agent.infrastructure.core.i18n import Texts

# How often a step without a terminal repeats its message (seconds).
_QUIET_INTERVAL = 15.0
_TAIL_LINES = 15


class SetupFailed(Exception):
    """The set-up can't continue. `code` selects the texts `setup.errors.<code>.cause` and `.remedy`; `params` fill their placeholders."""

    def __init__(self, code: str, **params: str | int) -> None:
        super().__init__(code)
        self.code = code
        self.params = params


class Console:
    """Progress on standard error, so that the program's own output stays clean.

    A terminal gets one line per step that is repainted every second; a pipe gets a line at the start and the end of a step,
    and at intervals in between.
    """

    def __init__(self, log: Path, stream: TextIO = sys.stderr) -> None:
        self.texts = Texts()
        self.log = log
        self._stream = stream
        self._lively = stream.isatty()

    def say(self, key: str, **params: str | int) -> None:
        """Print one line of the catalogue's `setup` section."""
        self._write(self.texts(f"setup.{key}", **params) + "\n")

    @contextlib.contextmanager
    def step(self, key: str, **params: str | int) -> Iterator["Step"]:
        """Show a step while the block runs."""
        step = Step(self.texts(f"setup.steps.{key}", **params))
        self.note(f"== {key}")
        stop = threading.Event()
        ticker = threading.Thread(target=self._tick, args=(step, stop), daemon=True)
        ticker.start()
        ended = "failed"
        try:
            yield step
            ended = "done"
        finally:
            stop.set()
            ticker.join()
            self._write(f"{self._start()}{'✓' if ended == 'done' else '✗'} {step.title} ({clock(step.elapsed())})\n")

    def note(self, line: str) -> None:
        """Add a line to the log file."""
        self.log.parent.mkdir(parents=True, exist_ok=True)
        with self.log.open("a", encoding="utf-8") as file:
            file.write(line + "\n")

    @contextlib.contextmanager
    def failures_shown(self) -> Iterator[None]:
        """Turn SetupFailed into cause, remedy and the log's tail on the screen; the block then ends without a result.

        A termination signal ends the block like any other failure, so that the running tool is ended too.
        """
        before = signal.signal(signal.SIGTERM, _terminated)
        try:
            yield
        except SetupFailed as failure:
            self._explain(failure)
        except KeyboardInterrupt:
            self.say("interrupted")
            raise SystemExit(130) from None
        finally:
            signal.signal(signal.SIGTERM, before)

    def _explain(self, failure: SetupFailed) -> None:
        if self.log.is_file() and failure.code == "command_failed":
            for line in self.log.read_text(encoding="utf-8", errors="replace").splitlines()[-_TAIL_LINES:]:
                self._write(f"  | {line}\n")
        for part in ("cause", "remedy"):
            self._write(self.texts(f"setup.errors.{failure.code}.{part}", **failure.params) + "\n")
        self.say("log", path=os.path.relpath(self.log))

    def _tick(self, step: "Step", stop: threading.Event) -> None:
        self._write(f"… {step.title}" + ("" if self._lively else "\n"))
        while not stop.wait(1.0 if self._lively else _QUIET_INTERVAL):
            self._write(f"{self._start()}… {step.title}  {step.detail}  {clock(step.elapsed())}" + ("" if self._lively else "\n"))

    def _start(self) -> str:
        return "\r\x1b[K" if self._lively else ""

    def _write(self, text: str) -> None:
        encoding = self._stream.encoding or "utf-8"
        self._stream.write(text.encode(encoding, "replace").decode(encoding))
        self._stream.flush()


class Step:
    """A running step; its function sets `detail` to show progress."""

    def __init__(self, title: str) -> None:
        self.title = title
        self.detail = ""
        self._started = time.monotonic()

    def elapsed(self) -> float:
        return time.monotonic() - self._started


def clock(seconds: float) -> str:
    """Return minutes and seconds as `1:05`."""
    return f"{int(seconds) // 60}:{int(seconds) % 60:02}"


def _terminated(_signal: int, _frame: object) -> NoReturn:
    raise SystemExit(143)

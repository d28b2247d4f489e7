"""Tries an installed program from outside: start, a photo dropped, a face found, a covered copy, quit. For the installers' workflow.

`python scripts/try_installed.py --photo FILE [--no-tray] PROGRAM [WORD...]`. Any Python works; nothing of this checkout is imported, and
the program uses a separate home, so the caller's own data stays untouched.
"""

import argparse
import json
import os
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

START_S, LOOK_S, QUIT_S, COMMAND_S = 120.0, 120.0, 60.0, 120.0


class Failed(Exception):
    """An expected result did not come."""


def main(words: Sequence[str] | None = None) -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--photo", type=Path, required=True, help="with at least one face")
    parser.add_argument("--no-tray", action="store_true")
    parser.add_argument("program", nargs="+")
    asked = parser.parse_args(words)
    try:
        with tempfile.TemporaryDirectory(prefix="ai-popup 试用 ", ignore_cleanup_errors=True) as folder:
            attempt(asked.program, Path(folder), asked.photo, ["--no-tray"] if asked.no_tray else [])
    except Failed as error:
        print(f"FAILED: {error}", file=sys.stderr)
        return 1
    return 0


def attempt(program: Sequence[str], folder: Path, photo: Path, words: Sequence[str]) -> None:
    """Try the program. Raises Failed."""
    watched = folder / "照片 photos"
    watched.mkdir()
    environment = {
        **os.environ,
        "AI_POPUP_HOME": str(folder / "home"),
        "AI_POPUP__LIBRARY__KEY_HOME": "file",  # a keychain would ask the user
        "AI_POPUP__FOLDERS": f"[{{path = '{watched}'}}]",
        "PYTHONUTF8": "1",
    }

    def ask(*command: str) -> "subprocess.CompletedProcess[str]":
        none = subprocess.DEVNULL
        everything = [*program, *command]
        return subprocess.run(
            everything, env=environment, capture_output=True, encoding="utf-8", stdin=none, timeout=COMMAND_S, check=False
        )

    def status() -> dict[str, Any]:
        answer = ask("status", "--json")
        found: dict[str, Any] = json.loads(answer.stdout) if answer.returncode == 0 else {}
        return found

    log = folder / "output.txt"
    with log.open("wb") as output:
        started = time.monotonic()
        agent = subprocess.Popen([*program, "run", *words], env=environment, stdin=subprocess.DEVNULL, stdout=output, stderr=output)
        try:
            until("the agent answers", lambda: bool(status()), START_S, agent)
            print(f"answers after {time.monotonic() - started:.1f} s")
            started = time.monotonic()
            shutil.copy(photo, watched)
            until("a face is found", lambda: status().get("faces", 0) >= 1, LOOK_S, agent)
            print(f"first face after {time.monotonic() - started:.1f} s")
            copies = folder / "copies"
            done = ask("redact", str(watched / photo.name), "--out", str(copies))
            if done.returncode or not (copies / photo.name).is_file():
                raise Failed(f"no covered copy: {done.stderr}")
            print("a covered copy is made")
            if ask("quit").returncode or agent.wait(QUIT_S):
                raise Failed("it did not end well")
            print("it ended when asked")
        except (Failed, subprocess.TimeoutExpired):
            agent.kill()
            print(log.read_text(encoding="utf-8", errors="replace"), file=sys.stderr)
            raise


def until(what: str, true: Callable[[], bool], limit_s: float, agent: "subprocess.Popen[bytes]") -> None:
    """Wait until it is true. Raises Failed when the time is over or the agent has ended."""
    end = time.monotonic() + limit_s
    while not true():
        if agent.poll() is not None:
            raise Failed(f"{what}: it ended with {agent.returncode}")
        if time.monotonic() > end:
            raise Failed(f"{what}: not within {limit_s:.0f} s")
        time.sleep(0.5)


if __name__ == "__main__":
    sys.exit(main())

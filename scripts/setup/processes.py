"""Runs the set-up's tools, and finally the program in place of this process."""

import contextlib
import os
import signal
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import NoReturn

from scripts.setup.console import Console, SetupFailed

_LIMIT_S = 3600.0
# Would bring another Python's modules, or a user's own location, into the virtual environment.
_DROPPED = [
    "PYTHONHOME",
    "PYTHONPATH",
    "PYTHONDONTWRITEBYTECODE",  # everything would be compiled again at every start
    "VIRTUAL_ENV",
    "__PYVENV_LAUNCHER__",
    "PIP_TARGET",
    "PIP_PREFIX",
    "PIP_REQUIREMENT",
]


def environment(*, path_first: Path | None = None) -> dict[str, str]:
    """Return this process's environment for a tool: proxies and mirrors stay, variables that change Python's search path are removed."""
    kept = {name: value for name, value in os.environ.items() if name not in _DROPPED}
    if path_first is not None:
        kept["PATH"] = f"{path_first}{os.pathsep}{kept.get('PATH', '')}"
    return {**kept, "PIP_DISABLE_PIP_VERSION_CHECK": "1", "PIP_NO_INPUT": "1", "PIP_USER": "0", "NO_COLOR": "1", "PYTHONUTF8": "1"}


@contextlib.contextmanager
def running(command: Sequence[str], *, cwd: Path | None, env: Mapping[str, str], limit: float) -> Iterator[subprocess.Popen[bytes]]:
    """Yield a tool with its output in one pipe, ended with its children after `limit` seconds or when the block fails. Raises OSError."""
    group: int | None = 0 if sys.platform != "win32" else None
    with subprocess.Popen(
        command, cwd=cwd, env=env, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, process_group=group
    ) as process:
        guard = threading.Timer(limit, end, [process])
        guard.daemon = True
        guard.start()
        try:
            yield process
        except BaseException:
            end(process)
            raise
        finally:
            guard.cancel()


def end(process: subprocess.Popen[bytes]) -> None:
    """Kill a tool and its children."""
    with contextlib.suppress(ProcessLookupError, PermissionError):  # already ended (macOS reports EPERM)
        if sys.platform == "win32":
            subprocess.run(["taskkill", "/F", "/T", "/PID", str(process.pid)], capture_output=True, timeout=30, check=False)
        else:
            os.killpg(process.pid, signal.SIGKILL)


def run_logged(
    console: Console,
    command: Sequence[str],
    *,
    cwd: Path | None = None,
    env: Mapping[str, str] | None = None,
    on_line: Callable[[str], None] | None = None,
    limit: float = _LIMIT_S,
) -> None:
    """Run a tool with its output in the log. Raises SetupFailed if it can't start, fails or takes longer than `limit` seconds."""
    tool = Path(command[0]).name
    console.note(f"$ {tool} {' '.join(command[1:])}")
    try:
        with running(command, cwd=cwd, env=env or environment(), limit=limit) as process:
            assert process.stdout is not None
            for raw in process.stdout:
                line = raw.decode("utf-8", "replace").rstrip()
                console.note(line)
                if on_line is not None:
                    on_line(line)
            code = process.wait()
    except OSError as error:
        console.note(str(error))
        raise SetupFailed("command_failed", tool=tool) from error
    if code != 0:
        console.note(f"{tool}: exit code {code}")
        raise SetupFailed("command_failed", tool=tool)


def answers(command: Sequence[str], *, env: Mapping[str, str] | None = None) -> str | None:
    """Return a tool's standard output for a quick query; None if it fails or hangs."""
    try:
        done = subprocess.run(
            command,
            env=env or environment(),
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            encoding="utf-8",
            errors="replace",
            timeout=30,
        )
    except (OSError, subprocess.TimeoutExpired):
        return None
    return done.stdout.strip() if done.returncode == 0 else None


def hand_over(command: Sequence[str]) -> int:
    """Become that program (POSIX: same process id, signals reach it), or run it and return its exit code (Windows has no exec)."""
    sys.stdout.flush()
    sys.stderr.flush()
    env = {name: value for name, value in os.environ.items() if name not in _DROPPED}
    if sys.platform != "win32":
        _exec(command, env)
    with contextlib.suppress(ValueError):
        # Ctrl-C goes to the whole console: the program decides how to handle it.
        signal.signal(signal.SIGINT, signal.SIG_IGN)
    return subprocess.run(command, env=env, check=False).returncode


def _exec(command: Sequence[str], env: Mapping[str, str]) -> NoReturn:
    os.execve(command[0], list(command), dict(env))

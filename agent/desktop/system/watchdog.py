"""Starts the agent again on Windows when it was killed or crashed: the process that was started watches another, which is the agent.

On Linux and macOS systemd and launchd do this for an agent that they started at login. Windows has nothing for it: its scheduled tasks
start a program again only if it could not be started at all.
"""

import os
import subprocess
import sys
import time
from collections import deque
from collections.abc import Callable, Mapping, Sequence
from pathlib import PureWindowsPath
from typing import Final

WATCHED: Final = "AI_POPUP_WATCHED"  # 1 in the environment of the watched process
OWN_DECISION: Final = 64  # added to its exit code if that is not 0: who kills a program chooses its code, most often 1
PAUSE_S: Final = 5.0  # these three as in the unit that `agent.desktop.system.autostart` completes
MOST: Final = 5
WITHIN_S: Final = 600.0
_WINDOWLESS: Final = frozenset({"ai-popup-window.exe", "pythonw.exe"})  # at login, from the menu and by the installer


def is_to_watch(words: Sequence[str], platform: str = sys.platform, environment: Mapping[str, str] = os.environ) -> bool:
    """Return if this process is to watch the agent instead of being it. In a console the agent ends with Ctrl+C, and nothing starts it."""
    if platform != "win32" or words[:1] != ["run"] or "--trial" in words or environment.get(WATCHED) == "1":
        return False
    return PureWindowsPath(sys.executable).name.lower() in _WINDOWLESS


def watch(words: Sequence[str], pause: Callable[[float], None] = time.sleep) -> int:
    """Watch an agent with this command's words. Return its exit code."""
    from agent.infrastructure.core.json_child import own_command

    command, none = own_command(*words), subprocess.DEVNULL

    def run() -> int:
        watched = {**os.environ, WATCHED: "1"}
        return subprocess.run(command, stdin=none, stdout=none, stderr=none, env=watched, check=False).returncode

    return keep(run, pause, time.monotonic)


def keep(run: Callable[[], int], pause: Callable[[float], None], clock: Callable[[], float]) -> int:
    """Run the agent until it ends by its own decision, or was killed too often in a short time; return its exit code.

    `run` starts it and returns the exit code of its process.
    """
    killed = deque[float](maxlen=MOST)
    while True:
        code = run()
        if code == 0:
            return 0
        if OWN_DECISION < code <= OWN_DECISION + 2:
            return code - OWN_DECISION
        now = clock()
        if len(killed) == MOST and now - killed[0] < WITHIN_S:
            return 1
        killed.append(now)
        pause(PAUSE_S)


def marked(code: int, environment: Mapping[str, str] = os.environ) -> int:
    """Return the exit code of an agent that ends by its own decision, in the way that its watchdog knows."""
    return code + OWN_DECISION if code and environment.get(WATCHED) == "1" else code


def unwatched(environment: Mapping[str, str]) -> dict[str, str]:
    """Return the environment for a process that takes over from a watched one, and gets a watchdog of its own."""
    return {name: value for name, value in environment.items() if name != WATCHED}

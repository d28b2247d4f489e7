"""What starts this process again when it ends. Tells systemd that it is ready, or alive: see `sd_notify(3)`."""

import asyncio
import contextlib
import os
import socket
from collections.abc import Mapping
from typing import Final

# Our units and images set it to 1. An exit code other than 0 makes them start another process.
SUPERVISED: Final = "AI_POPUP_SUPERVISED"
# The exit code of a server or worker that drained because of its memory: EX_TEMPFAIL, "try again".
START_AGAIN: Final = 75
# The exit code of a server or worker whose settings only a person can mend: EX_CONFIG. Our units don't start it again.
SETTINGS_WRONG: Final = 78


def is_supervised() -> bool:
    """Return whether something starts this process again when it ends."""
    return os.environ.get(SUPERVISED) == "1"


def sd_notify(state: str, environment: Mapping[str, str] = os.environ) -> None:
    """Send a state such as `READY=1`; nothing happens without a supervisor, or if it does not listen."""
    address = environment.get("NOTIFY_SOCKET", "")
    if not address or not hasattr(socket, "AF_UNIX"):
        return
    with contextlib.suppress(OSError), socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM | socket.SOCK_CLOEXEC) as to:
        to.connect("\0" + address[1:] if address.startswith("@") else address)
        to.send(state.encode())


async def keep_alive(environment: Mapping[str, str] = os.environ) -> None:
    """Tell it twice within its limit that the event loop runs; a process that hangs is started again. Returns if it has no limit."""
    limit_us = int(environment.get("WATCHDOG_USEC", "0"))
    if not limit_us or environment.get("WATCHDOG_PID", str(os.getpid())) != str(os.getpid()):
        return
    while True:
        sd_notify("WATCHDOG=1", environment)
        await asyncio.sleep(limit_us / 2e6)

"""How clients find a running agent: a file that only its owner can read, a lock held while it serves, and the address of its pages."""

import json
import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import IO
from urllib.parse import urlencode

from agent.domain.errors import NotRunning
from agent.infrastructure.core.files import replace_file, retry_while_locked

FILE = "agent.json"
LOCK_FILE = "serving.lock"

if sys.platform == "win32":
    import msvcrt

    def _take(file: IO[bytes], *, wait: bool) -> None:
        msvcrt.locking(file.fileno(), msvcrt.LK_LOCK if wait else msvcrt.LK_NBLCK, 1)

else:
    import fcntl

    def _take(file: IO[bytes], *, wait: bool) -> None:
        # Readers share it, so that they never block each other.
        fcntl.flock(file, fcntl.LOCK_EX if wait else fcntl.LOCK_SH | fcntl.LOCK_NB)


@dataclass(frozen=True, slots=True)
class RuntimeInfo:
    """The data that a client needs to talk to the agent."""

    port: int
    token: str
    pid: int
    certificate: str = ""
    """the file to trust where it serves over HTTPS"""


def opening(address: str, code: str, page: str, at: str | None = None) -> str:
    """The address at which a one-time code opens a page, at a place in it. The code is in the fragment, which browsers never send."""
    return f"{address}/{'' if page == 'library' else page}#{urlencode({'code': code} | ({'at': at} if at else {}), safe='/')}"


def leave(runtime: Path, runtime_info: RuntimeInfo) -> None:
    """Write the file atomically and owner-only, never readable by others even for a moment."""
    temporary = runtime / (FILE + ".tmp")
    temporary.unlink(missing_ok=True)
    handle = os.open(temporary, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    with os.fdopen(handle, "w", encoding="utf-8") as out:
        json.dump(asdict(runtime_info), out)
    replace_file(temporary, runtime / FILE)


def find(runtime: Path) -> RuntimeInfo:
    """Read the file. Raises NotRunning. The agent may still be gone: it may have been killed."""
    try:
        facts = json.loads((runtime / FILE).read_text(encoding="utf-8"))
        return RuntimeInfo(int(facts["port"]), str(facts["token"]), int(facts["pid"]), str(facts.get("certificate", "")))
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise NotRunning from error


def runtimes(runtime: Path) -> list[Path]:
    """Return where agents may have left the file: the folder, and those of servers that are instances with a name."""
    return [runtime, *sorted(each.parent for each in runtime.glob(f"*/{FILE}"))]


def forget(runtime: Path) -> None:
    retry_while_locked(lambda: (runtime / FILE).unlink(missing_ok=True))


@contextmanager
def serving_lock(runtime: Path) -> Iterator[None]:
    """Hold the lock while the agent serves: it goes when the agent dies, so that the file of a killed one is recognised.

    Waits briefly while another process checks it.
    """
    with os.fdopen(os.open(runtime / LOCK_FILE, os.O_RDWR | os.O_CREAT, 0o600), "r+b") as file:
        _take(file, wait=True)
        yield


def is_serving(runtime: Path) -> bool:
    """Whether an agent serves. True also if the lock was never held: versions before the lock served without it."""
    try:
        with (runtime / LOCK_FILE).open("r+b") as file:
            _take(file, wait=False)
            return False
    except FileNotFoundError:
        return True
    except OSError:  # another process holds it
        return True

"""The connection file through which clients find a running agent, readable only by its owner, and the address of its pages."""

import json
import os
from dataclasses import asdict, dataclass
from pathlib import Path
from urllib.parse import urlencode

from agent.domain.errors import NotRunning

FILE = "agent.json"


@dataclass(frozen=True, slots=True)
class Whereabouts:
    """The data that a client needs to talk to the agent."""

    port: int
    token: str
    pid: int
    certificate: str = ""
    """the file to trust where it serves over HTTPS"""


def opening(address: str, code: str, page: str, at: str | None = None) -> str:
    """The address at which a one-time code opens a page, at a place in it. The code is in the fragment, which browsers never send."""
    return f"{address}/{'' if page == 'library' else page}#{urlencode({'code': code} | ({'at': at} if at else {}), safe='/')}"


def leave(runtime: Path, whereabouts: Whereabouts) -> None:
    """Write the file atomically and owner-only, never readable by others even for a moment."""
    temporary = runtime / (FILE + ".tmp")
    temporary.unlink(missing_ok=True)
    handle = os.open(temporary, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    with os.fdopen(handle, "w", encoding="utf-8") as out:
        json.dump(asdict(whereabouts), out)
    temporary.replace(runtime / FILE)


def find(runtime: Path) -> Whereabouts:
    """Read the file. Raises NotRunning. The agent may still be gone: it may have been killed."""
    try:
        facts = json.loads((runtime / FILE).read_text(encoding="utf-8"))
        return Whereabouts(int(facts["port"]), str(facts["token"]), int(facts["pid"]), str(facts.get("certificate", "")))
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise NotRunning from error


def runtimes(runtime: Path) -> list[Path]:
    """Return where agents may have left the file: the folder, and those of servers that are instances with a name."""
    return [runtime, *sorted(each.parent for each in runtime.glob(f"*/{FILE}"))]


def forget(runtime: Path) -> None:
    (runtime / FILE).unlink(missing_ok=True)

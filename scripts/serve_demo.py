"""The team server's demo: its own database and two workers in a temporary home, the sample photos in a shared folder, a first member.

`scripts/run.py serve --demo [--exit]` starts it in the virtual environment. With `--exit` it signs in over the network, lists the photos,
names a face, signs out, prints that as a table, and ends.
"""

import contextlib
import json
import socket
import ssl
import subprocess
import sys
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import httpx

ROOT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT))

from agent.domain.errors import AgentUnreachable, NotRunning, from_code  # noqa: E402
from agent.features.library.schemas import ImageOut, ImagePage  # noqa: E402
from agent.infrastructure.core.json_child import own_command  # noqa: E402
from agent.infrastructure.core.paths import AppPaths  # noqa: E402
from agent.infrastructure.core.settings import Settings  # noqa: E402
from agent.interfaces.web.certificates import AUTHORITY_FILE, CERTIFICATES_FOLDER  # noqa: E402
from scripts.demo import NAME, NAMED_PHOTO, TEXTS, WORK_LIMIT_S, drop, fetch, print_rows, print_table, run, say  # noqa: E402
from scripts.program import new_home, started  # noqa: E402

START_LIMIT_S = 60.0
END_LIMIT_S = 60.0  # its workers and its database end in order, also on a busy machine
_LOOK_S = 0.2
WORKERS = 2


@dataclass(frozen=True, slots=True)
class ServerAddresses:
    """What the server printed when it answered."""

    address: str
    fingerprint: str
    invitation: str

    @property
    def here(self) -> str:
        """The address on this computer, whose name need not lead anywhere."""
        return f"https://localhost:{self.address.rpartition(':')[2]}"


class Member:
    """A member on the network who trusts the server's authority. Each method raises AgentError."""

    def __init__(self, reached: ServerAddresses, authority: Path) -> None:
        trust = ssl.create_default_context(cafile=authority)
        self._http = httpx.Client(base_url=reached.here, verify=trust, trust_env=False, timeout=60)

    def accept(self, invitation: str, password: str) -> dict[str, object]:
        """Set the password by the link, and be signed in; returns the account."""
        answer = self._call("POST", f"/api/invitations/{invitation.rpartition('/')[2]}", {"password": password})
        self._http.headers["authorization"] = f"Session {answer['key']}"
        return self._call("GET", "/api/account")

    def images(self) -> list[ImageOut]:
        return sorted(ImagePage.model_validate(self._call("GET", "/api/images?limit=200")).items, key=lambda image: image.name)

    def settled(self, count: int) -> list[ImageOut]:
        """Wait until so many photos are scanned."""
        until = time.monotonic() + WORK_LIMIT_S
        while len(found := self.images()) < count:
            if time.monotonic() > until:
                raise AgentUnreachable
            time.sleep(_LOOK_S)
        return found

    def name(self, image: ImageOut, name: str) -> None:
        self._call("POST", "/api/people", {"face_id": image.faces[0].id, "name": name})

    def sign_out(self) -> int:
        """Returns the status of the next request."""
        self._call("POST", "/api/account/sign-out")
        return self._http.get("/api/images").status_code

    def close(self) -> None:
        self._http.close()

    def _call(self, method: str, path: str, body: object = None) -> dict[str, object]:
        try:
            answer = self._http.request(method, path, json=body)
        except httpx.HTTPError as error:
            raise AgentUnreachable from error
        if not answer.is_success:
            said = answer.json()
            raise from_code(str(said["code"]), said.get("params") or {})
        found: dict[str, object] = answer.json() if answer.content else {}
        return found


def main() -> int:
    """Returns the exit code."""
    return run("serve --demo", "demo.serve", demo)


def demo(folder: Path, ends: bool) -> int:
    samples, models = fetch()
    home, shared = folder / "home", folder / "shared"
    shared.mkdir()
    port = Settings().server.port
    # A server asks for consent before it recognises anyone; these portraits are public.
    values = {"recognition.enabled": "true", "consent.required": "never", "server.workers": str(WORKERS), "server.drain_s": "10"}
    values["server.operations_port"] = "0"
    paths, settings = new_home(home, models, values | {"server.port": str(0 if ends or taken(port) else port)})
    settings.add_folder(shared)
    say("serve.starting", workers=WORKERS)
    with server(folder) as (process, reached):
        say("serve.reached", address=reached.address, fingerprint=reached.fingerprint)
        say("watching", folder=str(shared))
        drop(samples, shared)
        if ends:
            check(reached, paths, len(list(samples.iterdir())))
        else:
            say("serve.invitation", link=reached.invitation)
            say("serve.consent")
            say("terms")
            say("serve.stays")
            if code := process.wait():
                say("serve.ended", code=code)
                return 1
    return 0


def check(reached: ServerAddresses, paths: AppPaths, count: int) -> None:
    """Do over the network what the first member does, and print it."""
    with contextlib.closing(Member(reached, paths.data / CERTIFICATES_FOLDER / AUTHORITY_FILE)) as member:
        account = member.accept(reached.invitation, "four words hard to guess")
        rows = [("signed_in", f"{account['name']}, {account['role']}")]
        images = member.settled(count)
        rows.append(("listed", str(len(images))))
        member.name(next(image for image in images if image.name == NAMED_PHOTO), NAME)
        rows.append(("named", f"{NAME} ({NAMED_PHOTO})"))
        named = member.images()
        rows.append(("signed_out", TEXTS("demo.serve.refused", status=member.sign_out())))
    print_table(named)
    heading = [TEXTS(f"demo.serve.column.{name}") for name in ("step", "result")]
    print_rows([heading, *([TEXTS(f"demo.serve.step.{step}"), result] for step, result in rows)])


@contextlib.contextmanager
def server(folder: Path) -> Iterator[tuple["subprocess.Popen[bytes]", ServerAddresses]]:
    """Yield the server of the home and how it is reached; it ends with the block. Raises NotRunning; SystemExit with what it said."""
    printed, complaint = folder / "printed", folder / "complaint"
    command = own_command("serve", "--json")
    with printed.open("wb") as out, complaint.open("wb") as err, started(*command, stdout=out, stderr=err, end_s=END_LIMIT_S) as process:
        until = time.monotonic() + START_LIMIT_S
        while not (line := printed.read_bytes()).endswith(b"\n"):
            if process.poll() is not None and (said := complaint.read_text(encoding="utf-8", errors="replace").strip()):
                raise SystemExit(said)
            if process.poll() is not None or time.monotonic() > until:
                raise NotRunning
            time.sleep(_LOOK_S)
        said = json.loads(line)
        yield process, ServerAddresses(said["address"], said["fingerprint"], Path(said["invitation_file"]).read_text().strip())


def taken(port: int) -> bool:
    with socket.socket() as probe:
        return probe.connect_ex(("127.0.0.1", port)) == 0


if __name__ == "__main__":
    sys.exit(main())

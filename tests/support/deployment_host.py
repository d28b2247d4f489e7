"""A host of its own in a network namespace, to which versions are deployed by the real scripts/deploy.sh."""

import contextlib
import itertools
import json
import os
import random
import re
import shutil
import signal
import ssl
import subprocess
import sys
import tempfile
import threading
import time
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx
import psutil

from agent.app.server.addresses import LINK_FILE
from scripts.deploying.releases import _DATA, LOCK
from tests.support.real_program import CHECKOUT, WAIT_S
from tests.support.server_load import PASSWORD

PACE_S = 0.05
LOOK_S = 0.01
_NUMBERS = itertools.count()
_ENVIRONMENT = """
[deploy]
least_free_gb = 0
gate_s = 60
[deploy.host]
root = "{root}/opt"
home = "{root}/home"
state = "{root}/state"
units = "{root}/units"
command = "{root}/command"
user = ""
environment_files = ["{root}/server.env"]
workers = 0
venv = "{venv}"
[settings.server]
names = ["{inside}"]
workers = 0
migrate = "never"
drain_s = 5
"""
_MIGRATION = '''"""A step of a later version."""

from alembic import op

revision = "{revision}"
down_revision = "{before}"
kind = "expand"


def upgrade() -> None:
    op.execute("CREATE TABLE later (id integer PRIMARY KEY)")
{fails}'''

_CONTRACTS = '''"""What the version before still needed goes."""

from alembic import op

revision = "9001"
down_revision = "9000"
kind = "contract"
works_from = "9000"
deferred = True


def upgrade() -> None:
    op.execute("DROP TABLE later")
'''


def free_network() -> str:
    """Return the beginning of addresses that no network of this machine has; tests beside this one have hosts, too."""
    taken = subprocess.run(["ip", "-4", "-o", "addr"], capture_output=True, text=True, check=True).stdout
    while f" {(network := f'10.{random.randint(200, 249)}.{random.randint(0, 249)}')}." in taken:
        pass
    return network


class Version:
    """A copy of this checkout, as little of it as is deployed, to be changed."""

    def __init__(self, folder: Path, number: str) -> None:
        self.folder = folder
        for part in ("agent", "scripts/deploying", "installers/server/systemd", "installers/server/environments", *_DATA):
            if (CHECKOUT / part).is_dir():
                shutil.copytree(CHECKOUT / part, folder / part, ignore=shutil.ignore_patterns("__pycache__"))
        for file in ("scripts/deploy.sh", LOCK):
            (folder / file).parent.mkdir(parents=True, exist_ok=True)
            shutil.copy2(CHECKOUT / file, folder / file)
        self.change("agent/__init__.py", r'__version__ = ".*"', f'__version__ = "{number}"')

    def change(self, file: str, found: str, becomes: str) -> None:
        path = self.folder / file
        text, count = re.subn(found, lambda _: becomes, path.read_text())
        assert count == 1, (file, found, count)
        path.write_text(text)

    def migrates(self, *, fails: bool = False) -> None:
        """Add an expand step."""
        schema = (self.folder / "agent/infrastructure/store/schema.py").read_text()
        [before] = re.findall(r'^REVISION = "(\d+)"', schema, re.MULTILINE)
        revision = "9000"
        self.change("agent/infrastructure/store/schema.py", r'(?m)^REVISION = ".*"', f'REVISION = "{revision}"')
        text = _MIGRATION.format(revision=revision, before=before, fails='    raise RuntimeError("it fails")\n' if fails else "")
        (self.folder / "agent/infrastructure/store/migrations/versions" / f"v{revision}_later.py").write_text(text)

    def contracts(self) -> None:
        """Add an expand step, and after it a contract step that may be left for later."""
        self.migrates()
        self.change("agent/infrastructure/store/schema.py", r'(?m)^REVISION = "9000"', 'REVISION = "9001"')
        self.change("agent/infrastructure/store/schema.py", r"(?m)^SERVES_FROM = REVISION", 'SERVES_FROM = "9000"')
        self.change("agent/infrastructure/store/schema.py", r'(?m)^WORKS_FROM = ".*"', 'WORKS_FROM = "9000"')
        (self.folder / "agent/infrastructure/store/migrations/versions" / "v9001_gone.py").write_text(_CONTRACTS)


class DeployedHost:
    """Needs root. `start` boots it; what is killed by `power_off` comes back at the next `start`."""

    def __init__(self, root: Path, models: Path) -> None:
        self.root = root
        number = next(_NUMBERS)
        self.name = f"ai-popup-{os.getpid()}-{number}"
        self._link = f"ai{os.getpid()}-{number}"
        network = free_network()
        self.inside, self._outside = f"{network}.2", f"{network}.1"
        self._sockets = Path(tempfile.mkdtemp(prefix="ai-popup-", dir="/tmp"))
        self._systemd: subprocess.Popen[bytes] | None = None
        for folder in ("units", "home/data", "environments"):
            (root / folder).mkdir(parents=True)
        (root / "home/data/models").symlink_to(models, target_is_directory=True)
        (root / "server.env").write_text("# this host\n")
        said = _ENVIRONMENT.format(root=root, venv=sys.prefix, inside=self.inside)
        (root / "environments/prod.toml").write_text(said)
        self._network()

    # -- its life ----------------------------------------------------------------------------------------------------------------
    def start(self) -> None:
        paths = {"/opt/ai-popup": f"{self.root}/opt", "/var/lib/ai-popup": f"{self.root}/home", "/etc/ai-popup": str(self.root)}
        command = [
            sys.executable,
            "-P",
            "-m",
            "tests.support.fake_systemd",
            str(self.root / "units"),
            str(self._sockets),
            json.dumps(paths),
        ]
        environment = {**os.environ, "PYTHONPATH": str(CHECKOUT)}
        self._systemd = subprocess.Popen(self._inside(command), env=environment, stdout=subprocess.PIPE)
        assert self._systemd.stdout is not None and self._systemd.stdout.readline() == b"up\n"

    def power_off(self) -> None:
        """Everything on it ends at once."""
        for number in subprocess.run(["ip", "netns", "pids", self.name], capture_output=True, text=True, check=True).stdout.split():
            with contextlib.suppress(ProcessLookupError):
                os.kill(int(number), signal.SIGKILL)
        if self._systemd is not None:
            self._systemd.wait(WAIT_S)
            assert self._systemd.stdout is not None
            self._systemd.stdout.close()
        until = time.monotonic() + WAIT_S
        while self._left():
            assert time.monotonic() < until
            time.sleep(0.05)

    def remove(self) -> None:
        self.power_off()
        subprocess.run(["ip", "link", "delete", f"{self._link}o"], check=True)
        subprocess.run(["ip", "netns", "delete", self.name], check=True)
        shutil.rmtree(self._sockets)

    def _left(self) -> bool:
        """Whether a process is there, or a socket of one whose last threads end."""
        if subprocess.run(self._inside(["ss", "-H", "-l", "-t"]), capture_output=True, check=True).stdout:
            return True
        done = subprocess.run(["ip", "netns", "pids", self.name], capture_output=True, text=True, check=True)
        return any(
            psutil.pid_exists(int(each)) and psutil.Process(int(each)).status() != psutil.STATUS_ZOMBIE for each in done.stdout.split()
        )

    def _network(self) -> None:
        outer, inner = f"{self._link}o", f"{self._link}i"
        for words in (
            f"netns add {self.name}",
            f"link add {outer} type veth peer name {inner}",
            f"link set {inner} netns {self.name}",
            f"addr add {self._outside}/30 dev {outer}",
            f"link set {outer} up",
            f"-n {self.name} addr add {self.inside}/30 dev {inner}",
            f"-n {self.name} link set {inner} up",
            f"-n {self.name} link set lo up",
        ):
            subprocess.run(["ip", *words.split()], check=True)

    def _inside(self, command: list[str]) -> list[str]:
        return ["ip", "netns", "exec", self.name, *command]

    # -- deployments -------------------------------------------------------------------------------------------------------------
    def begin(self, version: Version, *words: str) -> subprocess.Popen[str]:
        environment = {
            **{name: value for name, value in os.environ.items() if not name.startswith("AI_POPUP")},
            "AI_POPUP_ENVIRONMENTS": str(self.root / "environments"),
            "PATH": f"{self.root}/units/bin:{os.environ['PATH']}",
            "PYTHON": sys.executable,
            "SUDO_USER": "ada",
        }
        command = self._inside([str(version.folder / "scripts/deploy.sh"), "prod", *words])
        return subprocess.Popen(command, env=environment, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)

    def begin_to(self, step: str, version: Version, *words: str) -> subprocess.Popen[str]:
        """Begin a deployment; returns once it is at `step`."""
        before = len(self.record())
        process = self.begin(version, *words)
        while not any((line["event"], line.get("step")) == ("step", step) for line in self.record()[before:]):
            assert process.poll() is None, process.communicate()[0]
            time.sleep(LOOK_S)
        return process

    @contextlib.contextmanager
    def taken(self, port: int) -> Iterator[None]:
        """Have another program of this host listen at a port."""
        listens = f"import socket, sys; held = socket.create_server(('0.0.0.0', {port})); print('up', flush=True); sys.stdin.read()"
        command = self._inside([sys.executable, "-c", listens])
        with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE) as process:
            assert process.stdout is not None and process.stdout.readline() == b"up\n"
            yield
            process.communicate()

    def deploy(self, version: Version, *words: str) -> tuple[int, str]:
        process = self.begin(version, *words)
        said, _ = process.communicate()
        return process.returncode, said

    def record(self) -> list[dict[str, Any]]:
        file = self.root / "state" / "record.jsonl"
        whole = file.read_text().rpartition("\n")[0] if file.exists() else ""  # a line may be being written
        return [json.loads(line) for line in whole.splitlines()]

    @property
    def current(self) -> str:
        return (self.root / "opt/current").readlink().name.partition("-")[0]

    # -- its visitors ------------------------------------------------------------------------------------------------------------
    def client(self, key: str = "") -> httpx.Client:
        trust = ssl.create_default_context(cafile=self.root / "home/data/certificates/authority.pem")
        headers = {"authorization": f"Session {key}"} if key else {}
        return httpx.Client(base_url=f"https://{self.inside}:8443", verify=trust, trust_env=False, timeout=WAIT_S, headers=headers)

    def sign_in_first(self) -> str:
        """Accept the first administrator's invitation; returns the session's key."""
        file, until = self.root / "home/data" / LINK_FILE, time.monotonic() + WAIT_S
        while not file.exists():
            assert time.monotonic() < until  # it is told once the server leads, which is after it is ready
            time.sleep(LOOK_S)
        link = re.compile(r"https://\S+/([A-Za-z0-9_-]{20,})")
        assert not link.search((self.root / "units/ai-popup.service.log").read_text())
        [secret] = link.findall(file.read_text())
        with self.client() as visitor:
            answer = visitor.post(f"/api/invitations/{secret}", json={"password": PASSWORD})
            assert answer.is_success, answer.text
            return str(answer.json()["key"])


class Visitor(threading.Thread):
    """Asks over and over until it is told to stop; `anew` opens a connection for each request."""

    def __init__(self, host: DeployedHost, key: str, *, anew: bool) -> None:
        super().__init__(daemon=True)
        self._host = host
        self._key = key
        self._headers = {"connection": "close"} if anew else {}
        self.over = threading.Event()
        self.answers: Counter[str] = Counter()

    def run(self) -> None:
        with self._host.client(self._key) as client:
            while not self.over.wait(PACE_S):
                try:
                    self.answers[str(client.get("/api/members", headers=self._headers).status_code)] += 1
                except httpx.HTTPError as error:
                    self.answers[type(error).__name__] += 1

    def ended(self) -> Counter[str]:
        self.over.set()
        self.join()
        return self.answers

"""Hosts in network namespaces, and programs on them that are started again as systemd does."""

import asyncio
import contextlib
import ctypes
import os
import shutil
import signal
import socket
import struct
import subprocess
from collections.abc import Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from pathlib import Path

from scripts.program import ROOT

_RESOLVERS = Path("/etc/netns")


class Network:
    """Hosts on one bridge, this machine among them. Needs root."""

    def __init__(self) -> None:
        number = os.getpid()
        self._name = f"aipa{number}"
        self._part = f"10.{100 + number % 100}.{number // 100 % 250}"
        self._hosts: list[Host] = []
        _ip(f"link add {self._name} type bridge")
        _ip(f"addr add {self._part}.1/24 dev {self._name}")
        _ip(f"link set {self._name} up")

    def host(self, name: str) -> "Host":
        """Add one."""
        number = len(self._hosts) + 2
        host = Host(f"{self._name}-{name}", f"{self._part}.{number}")
        self._hosts.append(host)
        outer, inner = f"{self._name}v{number}", f"{self._name}i{number}"
        for words in (
            f"netns add {host.name}",
            f"link add {outer} type veth peer name {inner}",
            f"link set {inner} netns {host.name}",
            f"link set {outer} master {self._name} up",
            f"-n {host.name} addr add {host.address}/24 dev {inner}",
            f"-n {host.name} link set {inner} up",
            f"-n {host.name} link set lo up",
        ):
            _ip(words)
        (resolver := _RESOLVERS / host.name).mkdir(parents=True)
        (resolver / "resolv.conf").write_text("nameserver 127.0.0.1\n")
        return host

    @property
    def address(self) -> str:
        """This machine's."""
        return f"{self._part}.1"

    @property
    def addresses(self) -> str:
        return f"{self._part}.0/24"

    def remove(self) -> None:
        """End everything on the hosts, and remove them."""
        for host in self._hosts:
            for pid in _ip(f"netns pids {host.name}").split():
                with contextlib.suppress(ProcessLookupError):
                    os.kill(int(pid), signal.SIGKILL)
            _ip(f"netns delete {host.name}")
            shutil.rmtree(_RESOLVERS / host.name)
        _ip(f"link delete {self._name}")


@dataclass(frozen=True, slots=True)
class Host:
    name: str
    address: str

    def inside(self, command: Sequence[str], user: int = 0) -> list[str]:
        """Return the command that runs another one there; it ends with this process."""
        become = [f"--reuid={user}", f"--regid={user}", "--clear-groups"] if user else []
        return ["ip", "netns", "exec", self.name, "setpriv", *become, "--pdeathsig", "KILL", *command]

    def listening(self, port: int) -> socket.socket:
        """Return a listening socket there, as systemd holds one."""
        with ThreadPoolExecutor(1) as alone:  # a namespace is its thread's
            return alone.submit(self._listen, port).result()

    def _listen(self, port: int) -> socket.socket:
        with Path(f"/run/netns/{self.name}").open() as namespace:
            if ctypes.CDLL(None, use_errno=True).setns(namespace.fileno(), 0):
                raise OSError(ctypes.get_errno(), "setns")
        listener = socket.create_server((self.address, port), backlog=1024)
        listener.set_inheritable(True)
        return listener


@dataclass
class Unit:
    """A program that is started again `pause_s` after it ends, as a systemd unit with `Restart=always` is.

    While it isn't `allowed` it doesn't start again, like all on a host that lost its power.
    """

    command: Sequence[str]
    log: Path
    pause_s: float
    environment: Mapping[str, str] = field(default_factory=dict)
    held: socket.socket | None = None  # it has this socket under the same number, and another start has it too
    pid: int | None = None
    allowed: asyncio.Event = field(default_factory=asyncio.Event)
    _task: "asyncio.Task[None] | None" = None

    def start(self) -> None:
        self.allowed.set()
        self._task = asyncio.create_task(self._run())

    async def _run(self) -> None:
        environment = {**os.environ, "PYTHONPATH": str(ROOT), **self.environment}
        held = () if self.held is None else (self.held.fileno(),)
        while True:
            with self.log.open("ab") as log:
                process = await asyncio.create_subprocess_exec(
                    *self.command, stdin=subprocess.DEVNULL, stdout=log, stderr=log, env=environment, cwd="/", pass_fds=held
                )
            self.pid = process.pid
            try:
                await process.wait()
                self.pid = None
                await asyncio.sleep(self.pause_s)
                await self.allowed.wait()
            except asyncio.CancelledError:
                with contextlib.suppress(ProcessLookupError):
                    process.kill()
                await process.wait()
                raise

    def kill(self) -> None:
        """As `kill -9` does."""
        if self.pid is not None:
            os.kill(self.pid, signal.SIGKILL)

    async def runs_anew(self, earlier: int | None) -> bool:
        """Return whether another process than the `earlier` one runs."""
        return self.pid not in (None, earlier)

    async def end(self) -> None:
        if self._task is not None:
            self._task.cancel()
            await asyncio.gather(self._task, return_exceptions=True)
        if self.held is not None:
            self.held.close()


def answer_names(addresses: Sequence[str], port: int = 53) -> None:
    """Answer every question for an IPv4 address with all of `addresses`, until this process ends: the DNS of a host."""
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as server:
        server.bind(("127.0.0.1", port))
        while True:
            question, asker = server.recvfrom(512)
            server.sendto(answered(question, addresses), asker)


def answered(question: bytes, addresses: Sequence[str]) -> bytes:
    """Return the DNS answer to one question."""
    end = question.index(b"\0", 12) + 5  # the name, the type and the class
    found = addresses if question[end - 4 : end - 2] == b"\0\x01" else ()
    head = question[:2] + struct.pack(">HHHHH", 0x8580, 1, len(found), 0, 0)
    records = [b"\xc0\x0c" + struct.pack(">HHIH", 1, 1, 1, 4) + socket.inet_aton(each) for each in found]
    return head + question[12:end] + b"".join(records)


@contextlib.contextmanager
def network() -> Iterator[Network]:
    made = Network()
    try:
        yield made
    finally:
        made.remove()


def _ip(words: str) -> str:
    return subprocess.run(["ip", *words.split()], check=True, capture_output=True, text=True).stdout


if __name__ == "__main__":
    import sys

    answer_names(sys.argv[1:])

"""What an attacker in the engine could do: the same code runs inside the sandbox and, to prove that it can do harm, outside."""

import ctypes
import json
import os
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, TypeAlias

import pytest

from agent.domain.image import Recipe
from agent.inference.engine import rpc
from agent.inference.engine.analyser import Analyse
from agent.inference.engine.compute_setup import ComputeSetup
from agent.inference.engine.engine_calls import HELLO, EngineConfig
from agent.inference.engine.model_preparer import ModelPreparer
from agent.inference.engine.pool import EnginePool
from agent.infrastructure.core.core_dumps import CORE_LIMIT
from agent.infrastructure.core.json_child import environment, own_command
from agent.infrastructure.core.settings import EngineSettings

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="the walls of the other systems are tested beside their modules")

# The real worker, in which a preview is a break-out (in the matcher, a question is): it tries each thing in a thread that OpenVINO
# could have started, and says what came.
ENGINE = """
import ctypes, fcntl, json, os, queue, signal, socket, subprocess, sys, threading
from agent.inference.engine import engine_worker, matcher_worker, rpc_worker, screen_worker
from agent.inference.engine.sandbox.report import Sandbox
from agent.inference.engine.sandbox import landlock, linux, seccomp

way, places, kind = sys.argv[1], json.loads(sys.argv[2]), sys.argv[3]
module = {"matcher": matcher_worker, "engine": engine_worker, "screen": screen_worker}[kind]

def reading(name): return lambda: open(places[name], "rb").read()
def writing(name): return lambda: open(os.path.join(places[name], "written"), "wb").write(b"x")
def stream(family, address): return lambda: socket.socket(family, socket.SOCK_STREAM).connect(address)

def cloned():
    # The bare call, without what fork() does around it. The new process goes straight into C's _exit: it has no right to run
    # Python, whose lock stays with a thread that does not exist in it.
    libc = ctypes.CDLL(None, use_errno=True)
    stack = ctypes.create_string_buffer(65_536)
    top = (ctypes.addressof(stack) + len(stack)) & ~15
    pid = libc.clone(libc._exit, ctypes.c_void_p(top), signal.SIGCHLD, ctypes.c_void_p(0))
    if pid < 0:
        raise OSError(ctypes.get_errno(), "clone")
    os.waitpid(pid, 0)

def forked():
    if (pid := os.fork()) == 0:
        os._exit(0)
    os.waitpid(pid, 0)

def traced():
    libc = ctypes.CDLL(None, use_errno=True)
    if libc.ptrace(16, places["agent"], 0, 0) < 0:
        raise OSError(ctypes.get_errno(), "ptrace")
    os.waitpid(places["agent"], 0)
    libc.ptrace(17, places["agent"], 0, 0)

def asked():
    # A queue's number is all it takes: nobody has to have opened it.
    libc = ctypes.CDLL(None, use_errno=True)
    if libc.msgctl(places["queue"], 2, ctypes.create_string_buffer(512)) < 0:
        raise OSError(ctypes.get_errno(), "msgctl")

def owned():
    # What comes through the pipe is then told to the agent, by whatever signal is chosen: that it is chosen at all is too much.
    ours, theirs = os.pipe()
    try:
        fcntl.fcntl(ours, 10, 0)  # F_SETSIG
        fcntl.fcntl(ours, fcntl.F_SETOWN, places["agent"])
    finally:
        os.close(ours)
        os.close(theirs)

def marked():
    # A descriptor to read from is enough.
    photo = os.open(places["photo"], os.O_RDONLY)
    try:
        flags = ctypes.c_long()
        fcntl.ioctl(photo, 0x80086601, flags)
        fcntl.ioctl(photo, 0x40086602, flags)
    finally:
        os.close(photo)

def watched():
    libc = ctypes.CDLL(None, use_errno=True)
    if libc.inotify_add_watch(libc.inotify_init1(0), places["home"].encode(), 0x100) < 0:
        raise OSError(ctypes.get_errno(), "inotify_add_watch")

attempts = {
    "tcp": stream(socket.AF_INET, ("127.0.0.1", places["port"])),
    "unix socket": stream(socket.AF_UNIX, places["bus"]),
    "abstract socket": stream(socket.AF_UNIX, places["abstract"].replace("@", "\\0", 1)),
    "udp": lambda: socket.socket(socket.AF_INET, socket.SOCK_DGRAM).sendto(b"x", ("127.0.0.1", 9)),
    "connection by a socket it had": lambda: had["tcp"].connect(("127.0.0.1", places["port"])),
    "datagram by a socket it had": lambda: had["udp"].sendto(b"x", ("127.0.0.1", 9)),
    "address for a socket it had": lambda: had["bound"].bind(("127.0.0.1", 0)),
    "listening by a socket it had": lambda: had["listening"].listen(),
    "pair of sockets": lambda: [each.close() for each in socket.socketpair()],
    "token": reading("token"),
    "key": reading("key"),
    "database": reading("database"),
    "photo": reading("photo"),
    "agent's environment": lambda: open("/proc/%d/environ" % places["agent"], "rb").read(),
    "home": writing("home"),
    "temporary folder": writing("temporary"),
    "list of home": lambda: os.listdir(places["home"]),
    "times of a file": lambda: os.utime(places["photo"], (1, 1)),
    "length of a file": lambda: os.truncate(places["photo"], 5),
    "marks of a file": marked,
    "notes of a file": lambda: os.listxattr(places["photo"]),
    "program": lambda: subprocess.run(["/bin/true"], check=True),
    "fork": forked,
    "clone": cloned,
    "signal to the agent": lambda: os.kill(places["agent"], 0),
    "signal to the agent by a pipe": owned,
    "processors of the agent": lambda: os.sched_setaffinity(places["agent"], os.sched_getaffinity(places["agent"])),
    "trace of the agent": traced,
    "queue of the agent": asked,
    "watch of home": watched,
    "models of later engines": writing("models"),
    "kernels of later engines": writing("kernels"),
    "scratch": writing("scratch"),
    "thread": lambda: None,
}

# What a library may have opened, or started, before the wall was raised.
had = {name: socket.socket() for name in ("tcp", "bound", "listening")}
had["udp"] = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
asked_early, said_early = queue.Queue(), queue.Queue()

def attempt(name):
    try:
        attempts[name]()
        return "done"
    except OSError as error:
        return type(error).__name__

def early():
    while True:
        said_early.put(attempt(asked_early.get()))

if way == "early thread":
    threading.Thread(target=early, daemon=True).start()

def tried(name):
    if way == "early thread":
        asked_early.put(name)
        return said_early.get()
    said = []
    thread = threading.Thread(target=lambda: said.append(attempt(name)))
    thread.start()
    thread.join()
    return said[0]

if way == "open":
    module.enter_sandbox = lambda rooms: Sandbox()
if way == "no landlock":
    landlock.version = lambda: 0
if way == "no seccomp":
    seccomp.install = lambda: False
answer = rpc_worker.RpcWorker.answer
def tries(self, name, *asked):
    return {name: tried(name) for name in attempts} if name in ("preview", "near", "frame") else answer(self, name, *asked)
rpc_worker.RpcWorker.answer = tries
raise SystemExit(module.main())
"""
Places: TypeAlias = dict[str, Any]

# Landlock knows of TCP: connecting, and taking an address.
TCP = {"tcp", "connection by a socket it had", "address for a socket it had"}
NETWORK = TCP | {"unix socket", "abstract socket", "udp", "datagram by a socket it had", "listening by a socket it had", "pair of sockets"}
FILES = {"token", "key", "database", "photo", "agent's environment", "list of home"}
# What one engine leaves there, the next would load.
BY_NAME = {"home", "temporary folder", "models of later engines", "kernels of later engines"}
OF_A_FILE = {"times of a file", "length of a file", "marks of a file", "notes of a file"}  # Landlock leaves them open
WRITES = BY_NAME | OF_A_FILE
ON_THE_AGENT = {
    "signal to the agent",
    "signal to the agent by a pipe",
    "processors of the agent",
    "trace of the agent",
    "queue of the agent",
}
PROGRAMS = {"program", "fork", "clone", "watch of home"} | ON_THE_AGENT
ITS_WORK = {"scratch", "thread"}


@dataclass
class Taken:
    """An engine that an attacker controls."""

    process: subprocess.Popen[bytes]
    hello: dict[str, Any]
    breaks_out: str

    def ask(self, operation: str, body: object) -> Any:
        assert self.process.stdin is not None and self.process.stdout is not None
        self.process.stdin.write(json.dumps(rpc.request(2, operation, body)).encode() + b"\n")
        self.process.stdin.flush()
        return json.loads(self.process.stdout.readline())

    def done(self) -> set[str]:
        """What it could do."""
        said = self.ask(self.breaks_out, None)["body"]
        return {name for name, came in said.items() if came == "done"}


@contextmanager
def engine(way: str, places: Places, config: EngineConfig | None, display: str | None = None) -> Iterator[Taken]:
    """Without a configuration it is the matcher; with a display the screen's engine."""
    kind = "matcher" if config is None else "engine" if display is None else "screen"
    command = [sys.executable, "-c", ENGINE, way, json.dumps(places), kind]
    pipe, told = subprocess.PIPE, environment({} if display is None else {"DISPLAY": display}, desktop=False)
    process = subprocess.Popen(command, stdin=pipe, stdout=pipe, stderr=subprocess.DEVNULL, env=told, start_new_session=True)
    taken = Taken(process, {}, {"matcher": "near", "engine": "preview", "screen": "frame"}[kind])
    try:
        taken.hello = taken.ask("hello", None if config is None else HELLO.request.dump(config))["body"]
        yield taken
    finally:
        os.killpg(process.pid, signal.SIGKILL)  # also what it started: that would hold its output open
        process.communicate()


@pytest.fixture
def config(engine_config: EngineConfig, tmp_path: Path) -> EngineConfig:
    folders = {name: tmp_path / "engines" / name for name in ("converted", "cache", "scratch")}
    for folder in folders.values():
        folder.mkdir(parents=True)
    converted, cache, scratch = (str(folder) for folder in folders.values())
    return replace(engine_config, converted=converted, cache=cache, scratch=scratch)


@pytest.fixture
def places(tmp_path: Path, config: EngineConfig) -> Iterator[Places]:
    """All that is worth stealing, and those who could be told of it, are there."""
    for name in ("token", "key", "database", "photo"):
        (tmp_path / "home" / name).parent.mkdir(exist_ok=True)
        (tmp_path / "home" / name).write_bytes(b"precious")
    agent = subprocess.Popen([sys.executable, "-S", "-c", "import sys; sys.stdin.read()"], stdin=subprocess.PIPE)
    libc = ctypes.CDLL(None)
    queue = libc.msgget(0, 0o600)
    short = tempfile.mkdtemp()
    abstract = f"@ai-popup-test-{os.getpid()}"
    with (
        socket.create_server(("127.0.0.1", 0)) as tcp,
        socket.socket(socket.AF_UNIX) as bus,
        socket.socket(socket.AF_UNIX) as hidden,
    ):
        bus.bind(f"{short}/bus")
        bus.listen()
        hidden.bind(abstract.replace("@", "\0", 1))
        hidden.listen()
        yield {
            **{name: str(tmp_path / "home" / name) for name in ("token", "key", "database", "photo")},
            **{"home": str(tmp_path / "home"), "temporary": short, "scratch": config.scratch, "agent": agent.pid, "queue": queue},
            **{"models": config.converted, "kernels": config.cache},
            **{"port": tcp.getsockname()[1], "bus": f"{short}/bus", "abstract": abstract},
        }
    libc.msgctl(queue, 0, None)
    shutil.rmtree(short)
    agent.communicate()


def test_without_a_wall_all_of_it_can_be_done(places: Places, config: EngineConfig) -> None:
    with engine("open", places, config) as taken:
        assert taken.hello["wall"]["by"] == ""
        assert taken.done() == NETWORK | FILES | WRITES | PROGRAMS | ITS_WORK


@pytest.mark.smoke
def test_inside_the_wall_nothing_can_be_done_but_its_work(places: Places, config: EngineConfig) -> None:
    with engine("walled", places, config) as taken:
        wall = taken.hello["wall"]
        assert wall["network"] and wall["programs"]
        done = taken.done()
    assert done & ITS_WORK == ITS_WORK and not done & (NETWORK | PROGRAMS)
    assert not done & (FILES | WRITES) or not wall["files"]  # a kernel without Landlock; the next test is about it


def test_without_a_wall_the_matcher_could_do_as_much(places: Places, config: EngineConfig) -> None:
    with engine("open", places, None) as taken:
        assert taken.done() == NETWORK | FILES | WRITES | PROGRAMS | ITS_WORK


def test_the_matcher_can_write_nowhere_either(places: Places, config: EngineConfig) -> None:
    with engine("walled", places, None) as taken:
        assert taken.done() == {"thread"} or not taken.hello["wall"]["files"]


def test_the_engine_that_sees_the_screen_can_do_no_more_than_the_others(places: Places, config: EngineConfig, x_display: str) -> None:
    """The connection that it has is its only one: it can make no other, not even to the same server."""
    places = {**places, "bus": f"/tmp/.X11-unix/X{x_display.removeprefix(':')}"}
    with engine("open", places, config, x_display) as taken:
        assert taken.done() == NETWORK | FILES | WRITES | PROGRAMS | ITS_WORK
    with engine("walled", places, config, x_display) as taken:
        assert taken.hello["wall"]["network"] and taken.hello["wall"]["programs"]
        done = taken.done()
        held = taken.hello["wall"]["files"]
        grabbed = taken.ask("grab", {"monitor": 1, "region": None})["body"]
    assert done & ITS_WORK == ITS_WORK and not done & (NETWORK | PROGRAMS) and (not done & (FILES | WRITES) or not held)
    assert (grabbed["width"], grabbed["height"]) == (1280, 800)


def test_a_kernel_without_landlock_still_keeps_it_from_the_network_and_from_programs(places: Places, config: EngineConfig) -> None:
    with engine("no landlock", places, config) as taken:
        assert not taken.done() & (NETWORK | PROGRAMS | OF_A_FILE)
        assert taken.hello["wall"] == {"files": False, "writes": False, "network": True, "programs": True, "by": "seccomp"}


def test_a_kernel_without_seccomp_still_keeps_it_from_files(places: Places, config: EngineConfig) -> None:
    with engine("no seccomp", places, config) as taken:
        done, (_, _, version) = taken.done(), taken.hello["wall"]["by"].partition(" ")
        if taken.hello["wall"]["files"]:
            assert not done & (FILES | BY_NAME | {"program"})
        assert not done & TCP or int(version or 0) < 4
        assert "abstract socket" not in done or int(version or 0) < 6
        assert not taken.hello["wall"]["network"] and not taken.hello["wall"]["programs"]


def test_a_thread_that_was_there_before_the_wall_is_held_by_seccomp(places: Places, config: EngineConfig) -> None:
    """Landlock can't hold it, and claims nothing then."""
    with engine("early thread", places, config) as taken:
        assert taken.hello["wall"] == {"files": False, "writes": False, "network": True, "programs": True, "by": "seccomp"}
        assert not taken.done() & (NETWORK | PROGRAMS | OF_A_FILE)


async def test_photos_are_looked_at_inside_it_from_the_first_start_on(config: EngineConfig, samples_folder: Path, tmp_path: Path) -> None:
    """A process that sees no photo has made what the engine reads."""
    prepared = tmp_path / "prepared"
    pool = EnginePool(
        EngineSettings(workers=1), config.models, ComputeSetup(preparer=ModelPreparer(prepared, own_command("engine-worker")))
    )
    try:
        analysis = await pool.analyse(Analyse(str(samples_folder / "obama.jpg"), Recipe("centerface-2", "mobilefacenet-2")))
        assert len(analysis.faces) == 1 and (await pool.wall()).network
    finally:
        await pool.close()
    assert {path.suffix for path in prepared.rglob("*.*")} == {".xml", ".bin", ".blob", ".json"}


def test_others_can_not_look_into_its_memory(places: Places, config: EngineConfig) -> None:
    with engine("walled", places, config) as taken:
        assert Path(f"/proc/{taken.process.pid}/environ").stat().st_uid == 0, "the kernel keeps what is not dumpable for root"
        limits = Path(f"/proc/{taken.process.pid}/limits").read_text(encoding="ascii")
        assert [line.split()[-3:-1] for line in limits.splitlines() if line.startswith("Max core")] == [[str(CORE_LIMIT)] * 2]

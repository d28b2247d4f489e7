"""Every system's wall: what it claims to hold it holds, what it does not claim can be done, and the work goes on inside."""

import json
import socket
import subprocess
import sys
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from agent.inference.engine import rpc
from agent.inference.engine.engine_calls import HELLO, EngineConfig
from agent.infrastructure.core.json_child import environment

# The real worker, in which a preview tries what each part of the wall is there to refuse.
ENGINE = """
import json, os, socket, subprocess, sys
from agent.inference.engine import engine_worker, rpc_worker
from agent.inference.engine.sandbox.report import Sandbox

home, scratch, models, port, walled = json.loads(sys.argv[1])
attempts = {
    "files": lambda: open(os.path.join(home, "secret"), "rb").read(),
    "writes": lambda: open(os.path.join(home, "written"), "wb").write(b"x"),
    "models": lambda: open(os.path.join(models, "written"), "wb").write(b"x"),
    "network": lambda: socket.create_connection(("127.0.0.1", port), 10).close(),
    "programs": lambda: subprocess.run([sys.executable, "-S", "-c", ""], check=True, timeout=60),
    "work": lambda: open(os.path.join(scratch, "written"), "wb").write(b"x"),
}

def done(name):
    try:
        attempts[name]()
    except OSError:
        return False
    return True

if not walled:
    engine_worker.enter_sandbox = lambda rooms: Sandbox()
answer = rpc_worker.RpcWorker.answer
def tries(self, name, *asked):
    return [name for name in attempts if done(name)] if name == "preview" else answer(self, name, *asked)
rpc_worker.RpcWorker.answer = tries
raise SystemExit(engine_worker.main())
"""


def broken_out(tmp_path: Path, config: EngineConfig, *, walled: bool) -> tuple[set[str], set[str]]:
    """What the engine's wall claims to hold, and what could be done inside."""
    home, scratch = tmp_path / "home", tmp_path / "scratch"
    home.mkdir()
    (home / "secret").write_bytes(b"secret")
    config = replace(config, converted=str(tmp_path / "models"), cache="", scratch=str(scratch))
    for folder in (tmp_path / "models", scratch):
        folder.mkdir()
    with socket.create_server(("127.0.0.1", 0)) as server:
        told = json.dumps([str(home), config.scratch, config.converted, server.getsockname()[1], walled])
        asked = (rpc.request(1, "hello", HELLO.request.dump(config)), rpc.request(2, "preview", None))
        lines = b"".join(json.dumps(request).encode() + b"\n" for request in asked)
        command = [sys.executable, "-c", ENGINE, told]
        ended = subprocess.run(command, input=lines, capture_output=True, timeout=100, check=False, env=environment(desktop=False))
    hello, came = (_body(line) for line in ended.stdout.splitlines())
    return {name for name, held in hello["wall"].items() if held is True}, set(came)


def _body(line: bytes) -> Any:
    return json.loads(line)["body"]


def test_without_a_wall_all_of_it_can_be_done(tmp_path: Path, engine_config: EngineConfig) -> None:
    assert broken_out(tmp_path, engine_config, walled=False) == (set(), {"files", "writes", "models", "network", "programs", "work"})


def test_a_wall_holds_what_it_claims_and_lets_the_work_go_on(tmp_path: Path, engine_config: EngineConfig) -> None:
    held, done = broken_out(tmp_path, engine_config, walled=True)
    assert "work" in done and not held & done and ("models" not in done or "writes" not in held)


@pytest.mark.skipif(sys.platform == "win32", reason="reading and the network stay open there")
def test_nobody_reaches_the_network_or_starts_a_program(tmp_path: Path, engine_config: EngineConfig) -> None:
    held, _ = broken_out(tmp_path, engine_config, walled=True)
    assert {"network", "programs"} <= held

"""The desktop agent and commands never load a team server's accounts, nor the libraries that these need."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[3]
SERVERS = (
    "argon2",
    "limits",
    "pyotp",
    "agent.server.accounts.service",
    "agent.server.accounts.routes",
    "agent.server.accounts.queries",
    "agent.server.uploads",
    "agent.server.alerts.service",
)


@pytest.mark.parametrize("entry", ["agent.app.agent_loop", "agent.app.http", "agent.app.commands", "agent.app.in_process"])
def test_the_desktop_loads_nothing_of_accounts(entry: str) -> None:
    asked = f"import sys, {entry}; print([name for name in {SERVERS!r} if name in sys.modules])"
    said = subprocess.run([sys.executable, "-c", asked], cwd=ROOT, capture_output=True, text=True, timeout=120, check=True)
    assert said.stdout.strip() == "[]"


def test_commands_do_not_load_the_web_framework() -> None:
    asked = "import sys, agent.app.commands, agent.server.accounts.schemas, agent.interfaces.web.client; print('fastapi' in sys.modules)"
    said = subprocess.run([sys.executable, "-c", asked], cwd=ROOT, capture_output=True, text=True, timeout=120, check=True)
    assert said.stdout.strip() == "False"

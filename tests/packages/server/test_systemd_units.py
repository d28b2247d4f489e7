"""The server's units: systemd accepts them, they are hardened, and the deployment's own names agree with theirs."""

import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from agent.app.server.loop import SOCKET
from agent.infrastructure.core.sd_notify import SETTINGS_WRONG, SUPERVISED
from scripts.deploying import looks

UNITS = Path(__file__).parents[3] / "installers/server/systemd"
SERVICES = ["ai-popup.service", "ai-popup-worker@.service"]
MOST_EXPOSED = 20  # of 100; a service without any protection has 96

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="systemd is Linux's")
needs_systemd = pytest.mark.skipif(shutil.which("systemd-analyze") is None, reason="needs systemd-analyze")


def said(unit: str) -> dict[str, list[str]]:
    found: dict[str, list[str]] = {}
    for name, value in re.findall(r"(?m)^([A-Za-z]+)=(.*)$", (UNITS / unit).read_text()):
        found.setdefault(name, []).append(value)
    return found


@needs_systemd
def test_systemd_accepts_every_unit(tmp_path: Path) -> None:
    """The programs that they start are made up: `verify` wants them to be there."""
    program = tmp_path / "opt/current/bin/ai-popup"
    resume = tmp_path / "opt/current/deploy/deploy.sh"
    for each in (program, resume):
        each.parent.mkdir(parents=True)
        each.write_text("#!/bin/sh\n")
        each.chmod(0o755)
    units = tmp_path / "units"
    units.mkdir()
    for unit in UNITS.iterdir():
        text = unit.read_text().replace("/opt/ai-popup", str(tmp_path / "opt")).replace("User=ai-popup", "User=daemon")
        (units / unit.name).write_text(text.replace("Group=ai-popup", "Group=daemon"))
    names = [str(each).replace("@.", "@1.") for each in sorted(units.iterdir()) if each.suffix != ".env"]
    (units / "ai-popup-worker@1.service").symlink_to(units / "ai-popup-worker@.service")
    done = subprocess.run(
        ["systemd-analyze", "verify", "--man=no", "--recursive-errors=no", *names], capture_output=True, text=True, check=False
    )
    assert (done.returncode, done.stderr) == (0, "")


@needs_systemd
@pytest.mark.parametrize("unit", SERVICES)
def test_little_of_the_computer_is_in_reach_of_a_flaw(unit: str) -> None:
    words = ["security", "--offline=true", f"--threshold={MOST_EXPOSED}", "--no-pager", str(UNITS / unit)]
    done = subprocess.run(["systemd-analyze", *words], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout[-300:]


@pytest.mark.parametrize("unit", SERVICES)
def test_it_has_limits_and_ends_in_order(unit: str) -> None:
    service = said(unit)
    for name, value in {
        "NoNewPrivileges": "yes",
        "ProtectSystem": "strict",
        "PrivateTmp": "yes",
        "UMask": "0077",
        "User": "ai-popup",
    }.items():
        assert service[name] == [value], name
    assert {"MemoryMax", "MemoryHigh", "TasksMax", "LimitNOFILE"} <= service.keys()
    # What takes too much memory ends to be started again.
    assert f"{SUPERVISED}=1" in service["Environment"] and service["Restart"][0] in ("on-failure", "always")
    assert int(service["TimeoutStopSec"][0]) > 60 and service["KillMode"] == ["mixed"]
    # What the engine's own sandbox calls.
    assert service["SystemCallFilter"][0] == "@system-service @sandbox"
    assert service["EnvironmentFile"][0] == "-/opt/ai-popup/current/environment.env"


@pytest.mark.parametrize("unit", SERVICES)
def test_it_is_started_again_however_often_it_fails(unit: str) -> None:
    assert said(unit)["StartLimitIntervalSec"] == ["0"], "a database that is away for minutes would end it for good"
    assert said(unit)["RestartPreventExitStatus"] == [str(SETTINGS_WRONG)]


def test_the_socket_outlives_the_server_and_has_the_name_that_it_asks_for() -> None:
    socket, server = said(looks.SOCKET), said(looks.SERVER)
    assert socket["FileDescriptorName"] == [SOCKET] and socket["Service"] == [looks.SERVER]
    assert server["Requires"] == [looks.SOCKET] and server["Type"] == ["notify"]
    assert int(socket["Backlog"][0]) >= 1_024

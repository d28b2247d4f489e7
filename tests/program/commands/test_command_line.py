"""Commands as processes of their own: where their output cannot be written, what they ask on a terminal, how they end."""

from __future__ import annotations

import os
import pty
import re
import select
import shutil
import subprocess
import sys
import time
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from agent.interfaces.cli.wrapping import cells

if TYPE_CHECKING:
    from tests.support.real_program import RealProgram

pytestmark = [pytest.mark.skipif(not Path("/dev/full").exists(), reason="a device of Linux")]
ROOT = Path(__file__).parents[3]
WAIT_S = 60.0


class CommandLine:
    """`ai-popup` with a home of its own."""

    def __init__(self, home: Path) -> None:
        self.home = home
        self.settings = home / "config" / "settings.toml"
        self.settings.parent.mkdir(parents=True)
        self.settings.write_text('[library]\nkey_home = "file"\n')
        self.environment = {
            **os.environ,
            "PYTHONUNBUFFERED": "",
            "AI_POPUP_HOME": str(home),
            "LC_ALL": "C.UTF-8",
            "DBUS_SESSION_BUS_ADDRESS": "disabled:",
        }
        for name in ("DISPLAY", "WAYLAND_DISPLAY"):
            self.environment.pop(name, None)

    def __call__(self, *words: str, stdout: int | None = subprocess.PIPE, **environment: str) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            [sys.executable, "-m", "agent", *words],
            env={**self.environment, **environment},
            cwd=ROOT,
            stdin=subprocess.DEVNULL,
            stdout=stdout,
            stderr=subprocess.PIPE,
            text=True,
            timeout=WAIT_S,
            check=False,
        )

    def on_terminal(self, *words: str, answer: str = "", columns: int = 80) -> tuple[int, str]:
        """Exit code and all that the terminal shows; `answer` is typed once a question stands there."""
        terminal, end = pty.openpty()
        environment = {**self.environment, "COLUMNS": str(columns)}
        process = subprocess.Popen([sys.executable, "-m", "agent", *words], env=environment, cwd=ROOT, stdin=end, stdout=end, stderr=end)
        os.close(end)
        shown, deadline = b"", time.monotonic() + WAIT_S
        try:
            while time.monotonic() < deadline:
                if not select.select([terminal], [], [], 1)[0]:
                    continue
                try:
                    read = os.read(terminal, 65_536)
                except OSError:  # the other end is closed
                    break
                if not read:
                    break
                shown += read
                if answer and b"[y/N]" in shown:
                    os.write(terminal, f"{answer}\n".encode())
                    answer = ""
            return process.wait(WAIT_S), shown.decode()
        finally:
            process.kill()
            process.wait()
            os.close(terminal)


@pytest.fixture
def command(tmp_path: Path) -> CommandLine:
    return CommandLine(tmp_path / "home")


PRINTING = [
    ["--help"],
    ["--version"],
    ["config", "show"],
    ["backup", "create"],
    ["models", "list"],
    ["people", "export", "--csv"],
    ["recovery-code"],
    ["update", "status"],
]


@pytest.fixture(scope="module")
def used(tmp_path_factory: pytest.TempPathFactory) -> CommandLine:
    """With a library that nothing is in."""
    made = CommandLine(tmp_path_factory.mktemp("used") / "home")
    made("backup", "create")
    return made


@pytest.mark.parametrize("words", PRINTING, ids=" ".join)
def test_an_output_that_can_not_be_written_is_told_without_a_traceback(used: CommandLine, words: list[str]) -> None:
    unbuffered = "1" if "--version" in words else ""
    with Path("/dev/full").open("w") as full:
        said = used(*words, stdout=full.fileno(), PYTHONUNBUFFERED=unbuffered)
    assert said.returncode == 1 and "[output.failed]" in said.stderr and "no space" in said.stderr, said.stderr
    assert "Traceback" not in said.stderr and "Exception ignored" not in said.stderr


def test_hints_that_can_not_be_written_keep_no_command_from_its_work(command: CommandLine) -> None:
    with Path("/dev/full").open("w") as full:
        words = [sys.executable, "-m", "agent", "config", "set", "popup.seconds", "5"]
        done = subprocess.run(words, env=command.environment, cwd=ROOT, stderr=full.fileno(), timeout=WAIT_S, check=False)
    assert done.returncode == 0 and "seconds = 5" in command.settings.read_text()


@pytest.mark.parametrize("name", ["", "x" * 201])
def test_a_name_that_nobody_can_have_is_wrong_usage(used: CommandLine, name: str) -> None:
    said = used("people", "rename", "Mei", name)
    assert said.returncode == 2 and "Traceback" not in said.stderr and "a name" in said.stderr


@pytest.mark.parametrize(("answer", "code"), [("n", 1), ("y", 0)])
def test_a_restore_over_a_whole_library_asks_on_the_terminal(command: CommandLine, answer: str, code: int) -> None:
    command("backup", "create")
    ended, shown = command.on_terminal("backup", "restore", answer=answer)
    assert ended == code and "The library is in good order (0 photos)" in shown
    assert len(list((command.home / "data" / "library").glob("damaged-*"))) == 1 - code


def test_the_progress_of_a_scan_fits_a_narrow_terminal(program: RealProgram, samples_folder: Path, tmp_path: Path) -> None:
    command = CommandLine(tmp_path / "unused")
    command.environment = program.environment
    photos = tmp_path / "photos"
    shutil.copytree(samples_folder, photos, dirs_exist_ok=True)
    code, shown = command.on_terminal("scan", "--json", str(photos), columns=50)
    bars = [part for part in re.split(r"\r|\n|\x1b\[K|\x1b\[\?25[lh]", shown) if part.lstrip().startswith("[")]
    assert code == 0 and bars and max(map(cells, bars)) <= 50, bars
    assert f"{len(list(photos.iterdir()))}/" in bars[-1]

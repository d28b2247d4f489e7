"""The shells' own scripts, and what the program answers them."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from agent.interfaces.cli.completion import SHELLS, script

if TYPE_CHECKING:
    from tests.unit.interfaces.cli.conftest import CommandLine

ROOT = Path(__file__).parents[4]


@pytest.mark.parametrize("shell", SHELLS)
def test_each_shell_gets_its_script(cli: CommandLine, shell: str) -> None:
    said = cli("completion", shell)
    assert (said.code, said.out, said.err) == (0, script(shell).rstrip("\n") + "\n", "")
    assert f"_AI_POPUP_COMPLETE={shell}_complete" in said.out.replace("$env:", "").replace(" = '", "=").replace("'", "")


def test_another_shell_is_wrong_usage(cli: CommandLine) -> None:
    assert cli("completion", "tcsh").code == 2


def test_fish_shows_descriptions_with_commas_whole() -> None:
    assert 'string split -m 1 ","' in script("fish")


@pytest.mark.skipif(shutil.which("bash") is None, reason="no bash here")
@pytest.mark.parametrize(
    ("line", "expected"),
    [
        ("ai-popup fold", {"folders"}),
        ("ai-popup folders ", {"list", "add", "remove", "share"}),
        ("ai-popup redact --sty", {"--style"}),
        ("ai-popup redact --style s", {"solid"}),
        ("ai-popup config set popup.sec", {"popup.seconds"}),
        ("ai-popup models fetch center", {"centerface"}),
        ("ai-popup open pe", {"people"}),
        ("ai-popup config show popu", {"popup"}),
    ],
)
def test_bash_completes_commands_options_and_values(cli: CommandLine, tmp_path: Path, line: str, expected: set[str]) -> None:
    program = tmp_path / "bin" / "ai-popup"
    program.parent.mkdir()
    program.write_text(f'#!/bin/sh\nexec "{sys.executable}" -m agent "$@"\n')
    program.chmod(0o755)
    words = " ".join(f"'{word}'" for word in line.split(" "))
    asked = f"{script('bash')}\nCOMP_WORDS=({words})\nCOMP_CWORD={line.count(' ')}\n_ai_popup_completion ai-popup\n"
    asked += 'printf "%s\\n" "${COMPREPLY[@]}"\n'
    environment = {**os.environ, "PATH": f"{program.parent}:{os.environ['PATH']}", "PYTHONPATH": str(ROOT)}
    done = subprocess.run(["bash", "--norc", "-c", asked], env=environment, capture_output=True, text=True, timeout=60, check=True)
    assert set(done.stdout.split()) == expected, done.stderr

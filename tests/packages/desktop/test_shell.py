"""A linter reads the shell scripts, which are never run by hand."""

import shutil
import subprocess
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[3]


@pytest.mark.skipif(shutil.which("shellcheck") is None, reason="needs shellcheck")
def test_shell_scripts_pass_shellcheck() -> None:
    scripts = [*(ROOT / "installers").rglob("*.sh"), ROOT / ".ci" / "run"]
    done = subprocess.run(
        ["shellcheck", "--shell=bash", "--severity=warning", *map(str, scripts)], capture_output=True, text=True, timeout=100, check=False
    )
    assert done.stdout == ""

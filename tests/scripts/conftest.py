"""A console that writes into memory, and an empty checkout with lock files."""

import io
from pathlib import Path

import pytest

from scripts.setup.console import Console


@pytest.fixture
def screen() -> io.StringIO:
    return io.StringIO()


@pytest.fixture
def console(tmp_path: Path, screen: io.StringIO) -> Console:
    return Console(tmp_path / "build" / "setup.log", screen)


@pytest.fixture
def checkout(tmp_path: Path) -> Path:
    locks = tmp_path / "installers" / "locks"
    locks.mkdir(parents=True)
    for name in ("requirements.lock", "requirements-tools.lock", "requirements-node.lock"):
        (locks / name).write_text("one==1 \\\n    --hash=sha256:00\ntwo==2 ; sys_platform == 'win32' \\\n    --hash=sha256:00\n")
    ui = tmp_path / "ui"
    (ui / "src").mkdir(parents=True)
    (ui / "src" / "main.ts").write_text("let a = 1")
    (ui / "package-lock.json").write_text("{}")
    (tmp_path / "assets" / "locales").mkdir(parents=True)
    (tmp_path / "assets" / "locales" / "en.json").write_text("{}")
    return tmp_path

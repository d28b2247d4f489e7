"""Starts the tests' object store, and says what goes wrong in it."""

import json
import subprocess
import sys
from pathlib import Path

from tests.support.real_program import CHECKOUT


class S3Store:
    """A server process; `folder` is its one bucket."""

    BUCKET = "camera-bucket"

    def __init__(self, root: Path) -> None:
        self.root = root
        self.folder = root / self.BUCKET
        self.folder.mkdir(parents=True)
        self.goes()
        self._process: subprocess.Popen[str] | None = None
        self.port = 0
        self.start()

    @property
    def endpoint(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    def goes(self, **wrong: object) -> None:
        """From now on, in one step: see `s3_server`."""
        aside = self.root / "control.new"
        aside.write_text(json.dumps(wrong))
        aside.replace(self.root / "control.json")

    def start(self) -> None:
        """Start it, on its earlier port if it had one."""
        command = [sys.executable, "-m", "tests.support.s3_server", str(self.root), str(self.port)]
        self._process = subprocess.Popen(command, stdout=subprocess.PIPE, text=True, cwd=CHECKOUT)
        assert self._process.stdout is not None
        self.port = int(self._process.stdout.readline())

    def kill(self) -> None:
        assert self._process is not None and self._process.stdout is not None
        self._process.kill()
        self._process.wait()
        self._process.stdout.close()

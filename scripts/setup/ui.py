"""Builds the web UI when its sources changed, with the machine's Node or the one from a Python package."""

import contextlib
import hashlib
import json
import os
import re
import shutil
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from scripts.setup.console import Console
from scripts.setup.processes import answers, environment, run_logged
from scripts.setup.venv import Venv

NODE_LOCK = "installers/locks/requirements-node.lock"
# The versions that Vite and rolldown support.
_NODE_OLDEST = (20, 19)
_NOT_SOURCES = {"node_modules", "dist", "dist-help"}


@dataclass(frozen=True)
class Ui:
    """`checkout/ui`, with stamps of the inputs of its packages and its build."""

    checkout: Path

    @property
    def folder(self) -> Path:
        return self.checkout / "ui"

    @property
    def stamps(self) -> Path:
        return self.checkout / "build" / "ui.json"

    def built(self) -> bool:
        """Return whether the build exists and none of its inputs changed."""
        return all(map(Path.is_file, self._results())) and self._read("inputs") == self._inputs()

    def _results(self) -> tuple[Path, ...]:
        return self.folder / "dist" / "index.html", self.folder / "dist-help" / "en" / "guide.json"

    def packages_installed(self) -> bool:
        return (self.folder / "node_modules").is_dir() and self._read("packages") == self._packages()

    def build(self, console: Console, venv: Venv) -> None:
        """Build if needed. Raises SetupFailed."""
        if self.built():
            return
        npm, env = node(console, venv)
        self.install(console, npm, env)
        with console.step("ui"):
            inputs = self._inputs()
            self._note("inputs", "")
            run_logged(console, [npm, "run", "build"], cwd=self.folder, env=env)
        self._note("inputs", inputs)

    def install(self, console: Console, npm: str, env: dict[str, str]) -> None:
        """Install the packages that `package-lock.json` names, if it changed. Raises SetupFailed."""
        if self.packages_installed():
            return
        with console.step("ui_packages"):
            self._note("packages", "")
            run_logged(console, [npm, "ci", "--ignore-scripts", "--no-audit", "--no-fund"], cwd=self.folder, env=env)
        self._note("packages", self._packages())

    def _packages(self) -> str:
        return hashlib.sha256((self.folder / "package-lock.json").read_bytes()).hexdigest()

    def _inputs(self) -> str:
        digest = hashlib.sha256()
        for path in sorted(
            path for place in (self.folder, self.checkout / "assets" / "locales", self.checkout / "docs") for path in self._sources(place)
        ):
            content = path.read_bytes()
            digest.update(f"{path.relative_to(self.checkout).as_posix()} {len(content)}\n".encode() + content)
        return digest.hexdigest()

    def _sources(self, folder: Path) -> Iterator[Path]:
        for root, folders, files in os.walk(folder):
            folders[:] = [name for name in folders if name not in _NOT_SOURCES]
            yield from (Path(root) / name for name in files)

    def _read(self, name: str) -> str:
        with contextlib.suppress(OSError, ValueError, AttributeError):
            return str(json.loads(self.stamps.read_text(encoding="utf-8")).get(name, ""))
        return ""

    def _note(self, name: str, value: str) -> None:
        notes = {key: self._read(key) for key in ("inputs", "packages")} | {name: value}
        self.stamps.parent.mkdir(exist_ok=True)
        fresh = self.stamps.with_suffix(".new")
        fresh.write_text(json.dumps(notes), encoding="utf-8")
        fresh.replace(self.stamps)


def node(console: Console, venv: Venv) -> tuple[str, dict[str, str]]:
    """Return npm's path and the environment in which it finds its Node. Installs Node into the virtual environment if needed."""
    npm = shutil.which("npm")
    version = re.match(r"v(\d+)\.(\d+)", answers(["node", "--version"]) or "")
    if npm and version and (int(version[1]), int(version[2])) >= _NODE_OLDEST:
        return npm, environment()
    venv.install(console, NODE_LOCK)
    return str(venv.bin / ("npm.exe" if sys.platform == "win32" else "npm")), environment(path_first=venv.bin)

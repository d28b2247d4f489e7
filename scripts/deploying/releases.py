"""Versions of the program in folders of their own: `releases/VERSION`, and links `current` and `former` to two of them."""

import hashlib
import json
import os
import re
import shlex
import shutil
import sys
import zipfile
from collections.abc import Iterator
from dataclasses import asdict
from pathlib import Path

from scripts.deploying import by_hand
from scripts.deploying.commands import Runner, expect
from scripts.deploying.environment import ROOT, Environment
from scripts.deploying.failures import Failed
from scripts.deploying.files import point

_VERSION = re.compile(r'^__version__ = "([^"]+)"', re.MULTILINE)
# As the wheel has them: agent/infrastructure/core/resources.py finds them there.
_DATA = {
    "assets/config": "config",
    "assets/icons": "icons",
    "assets/locales": "locales",
    "assets/models": "models",
    "ui/dist": "ui",
    "ui/dist-help": "help",
}
_OPTIONAL = ("ui/dist-help",)
LOCK = "installers/locks/requirements-server.lock"
_UNITS, _ENVIRONMENTS = "installers/server/systemd", "installers/server/environments"
_START = """#!/bin/sh
# Runs this release; made by scripts/deploy.sh.
export PYTHONPATH={program} PYTHONSAFEPATH=1 PYTHONDONTWRITEBYTECODE=1
exec {python} -m agent "$@"
"""


class Releases:
    """`wheel` is the program to deploy; without one it is this checkout."""

    def __init__(self, environment: Environment, runner: Runner, source: Path = ROOT, wheel: Path | None = None) -> None:
        self._environment = environment
        self._runner = runner
        self._source = source
        self._wheel = wheel
        self._root = Path(environment.host.root)
        self._version: str | None = None

    # -- which there are ---------------------------------------------------------------------------------------------------------
    def linked(self, name: str) -> str | None:
        """Return the version that the link `current` or `former` leads to."""
        link = self._root / name
        return link.readlink().name if link.is_symlink() and link.exists() else None

    def link(self, name: str, version: str | None) -> None:
        if version is None:
            (self._root / name).unlink(missing_ok=True)
        else:
            point(self._root / name, Path("releases") / version)

    def folder(self, version: str) -> Path:
        return self._root / "releases" / version

    def version(self) -> str:
        """Return the version with a digest of all that makes it, settings and host included: the same content has the same name."""
        if self._version is None:
            digest = hashlib.sha256(json.dumps([self._environment.variables(), asdict(self._environment.host)], sort_keys=True).encode())
            for name, path in self._content():
                digest.update(f"{name}\0".encode())
                digest.update(hashlib.sha256(path.read_bytes()).digest())
            self._version = f"{self._number()}-{digest.hexdigest()[:12]}"
        return self._version

    def _number(self) -> str:
        if self._wheel is not None:
            return self._wheel.name.split("-")[1]
        found = _VERSION.search((self._source / "agent/__init__.py").read_text(encoding="utf-8"))
        if found is None:
            raise Failed("agent/__init__.py names no version")
        return found[1]

    def _content(self) -> Iterator[tuple[str, Path]]:
        """Yield the files of a release with their places in it."""
        if self._wheel is not None:
            yield "program.whl", self._wheel
        else:
            yield from _tree(self._source / "agent", "program/agent")
            for place, name in _DATA.items():
                if not (self._source / place).is_dir() and place not in _OPTIONAL:
                    raise Failed(f"{place} is missing: run python3 scripts/run.py --version once, or deploy a wheel by --wheel")
                yield from _tree(self._source / place, f"program/agent/_data/{name}")
        yield LOCK, self._source / LOCK
        yield "deploy/deploy.sh", self._source / "scripts/deploy.sh"
        yield from _tree(self._source / "scripts/deploying", "deploy/scripts/deploying")
        yield from _tree(self._source / _UNITS, "deploy/systemd")
        yield from _tree(self._source / _ENVIRONMENTS, f"deploy/{_ENVIRONMENTS}")  # for a deployment that is resumed

    # -- making and removing -----------------------------------------------------------------------------------------------------
    def build(self, version: str) -> str:
        """Make the release aside, then give it its name: it is there whole, or not at all."""
        folder = self.folder(version)
        if folder.is_dir():
            return "is there"
        for left in folder.parent.glob(".*.new"):  # by deployments that were killed
            shutil.rmtree(left, ignore_errors=True)
        aside = folder.with_name(f".{version}.new")
        try:
            self._fill(aside, folder)
        except BaseException:
            shutil.rmtree(aside, ignore_errors=True)  # it may have filled the disk that the server writes to
            raise
        os.sync()  # Linux waits until all of it is on the disk; file by file that takes twenty times as long
        aside.rename(folder)
        return "built"

    def _fill(self, aside: Path, folder: Path) -> None:
        for name, path in self._content():
            (aside / name).parent.mkdir(parents=True, exist_ok=True)
            shutil.copy2(path, aside / name)
        if self._wheel is not None:
            with zipfile.ZipFile(self._wheel) as wheel:
                wheel.extractall(aside / "program", [each for each in wheel.namelist() if each.startswith("agent/")])
        (aside / "environment.env").write_text(_lines(self._environment.variables()), encoding="utf-8")
        (aside / "bin").mkdir()
        start = aside / "bin" / "ai-popup"
        python = self._environment.host.venv or str(folder / "venv")
        start.write_text(_START.format(program=shlex.quote(str(folder / "program")), python=shlex.quote(f"{python}/bin/python")))
        start.chmod(0o755)
        (aside / by_hand.NAME).write_text(by_hand.script(self._environment.host, folder), encoding="utf-8")
        (aside / by_hand.NAME).chmod(0o755)
        (aside / "deploy/deploy.sh").chmod(0o755)
        if not self._environment.host.venv:
            self._packages(aside)
        self._compile(aside)

    def _packages(self, aside: Path) -> None:
        """A virtual environment from the lock, by hashes; its own path stands in no file that we run."""
        venv = aside / "venv"
        expect(self._runner.run([sys.executable, "-m", "venv", "--copies", str(venv)]), "making the virtual environment")
        install = ["-m", "pip", "install", "--disable-pip-version-check", "--no-input", "--require-hashes", "--only-binary", ":all:"]
        expect(self._runner.run([str(venv / "bin/python"), *install, "-r", str(aside / LOCK)]), "installing the packages")

    def _compile(self, aside: Path) -> None:
        """A release is not written to when it runs: without this, each command and each start of the server would compile it anew."""
        python = Path(self._environment.host.venv or aside / "venv") / "bin/python"
        expect(self._runner.run([str(python), "-m", "compileall", "-q", str(aside / "program")]), "compiling the program")

    def retire(self, kept: set[str]) -> int:
        """Remove all but `kept` and the newest ones; returns how many."""
        folders = [each for each in (self._root / "releases").iterdir() if each.is_dir()]
        folders.sort(key=lambda each: each.stat().st_mtime, reverse=True)
        left = kept | {each.name for each in folders[: self._environment.keep_releases]}
        gone = [each for each in folders if each.name not in left]
        for each in gone:
            shutil.rmtree(each)
        return len(gone)


def _tree(folder: Path, place: str) -> Iterator[tuple[str, Path]]:
    for path in sorted(folder.rglob("*")):
        if path.is_file() and "__pycache__" not in path.parts:
            yield f"{place}/{path.relative_to(folder).as_posix()}", path


def _lines(variables: dict[str, str]) -> str:
    """As systemd reads an environment file."""
    for value in variables.values():
        if "'" in value or "\n" in value:
            raise Failed("a setting of the environment holds a quote or a line break: put it into server.env")
    return "".join(f"{name}='{value}'\n" for name, value in variables.items())

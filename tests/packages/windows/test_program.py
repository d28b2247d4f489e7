"""The program on Windows' own Python under Wine, with its packages for Windows: what a user of Windows counts, keeps and finds again."""

import json
import subprocess
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

from agent.features.models.model_store import ModelStore
from tests.packages.windows.conftest import Wine
from tests.packages.windows.windows_python import CHECKOUT
from tests.support.journey import LIMIT_S, Albums, Running, Said, Scan

pytestmark = pytest.mark.timeout(1_100)  # some fifty starts of programs under Wine


class User(Albums):
    """A user at a command line of this Windows, with the photos in its Pictures folder."""

    def __init__(self, wine: Wine, python: Path, samples: Path) -> None:
        self.wine = wine
        self._c = wine.prefix / "drive_c"
        super().__init__(samples, self._c / "users" / "tester" / "Pictures")
        self._python = python
        cache = wine.prefix.parent / "bytecode"
        self._environment = {**wine.environment, "PYTHONUTF8": "1", "PYTHONPYCACHEPREFIX": f"Z:{cache}"}

    def windows(self, path: Path) -> str:
        """The path as Windows has it."""
        return "C:\\" + str(path.relative_to(self._c)).replace("/", "\\") if path.is_relative_to(self._c) else f"Z:{path}"

    @contextmanager
    def begun(self, *words: str | Path) -> Iterator[Running]:
        """`ai-popup WORDS`, still under way."""
        said = [self.windows(word) if isinstance(word, Path) else word for word in words]
        process = subprocess.Popen(
            ["wine", str(self._python), "-m", "agent", *said],
            env=self._environment,
            cwd=CHECKOUT,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            encoding="utf-8",
        )
        try:
            yield Running(process)
        finally:
            process.kill()
            process.wait()

    def command(self, *words: str | Path) -> Said:
        with self.begun(*words) as running:
            return running.end()

    def done(self, *words: str | Path) -> str:
        """What a command prints that does what it is asked for."""
        said = self.command(*words)
        assert said.code == 0, said
        return said.out

    def scan(self, path: Path | str) -> Scan:
        return Scan(self.command("scan", "--json", path))

    def status(self) -> Mapping[str, Any]:
        said = self.command("status", "--json")
        found: dict[str, Any] = json.loads(said.out) if said.code == 0 else {}
        return found

    def until(self, condition: Callable[[Mapping[str, Any]], bool]) -> Mapping[str, Any]:
        """The agent's status once it is so."""
        end, status = time.monotonic() + LIMIT_S, self.status()
        while not (status and condition(status)):
            assert time.monotonic() < end, (status, self.log()[-3:])
            status = self.status()
        return status

    def has(self, photos: int) -> Mapping[str, Any]:
        """Wait until nothing is left to do and the library has so many photos."""
        return self.until(lambda status: status["queued"] == 0 and status["images"] == photos)

    def log(self) -> list[dict[str, Any]]:
        lines = (self.wine.local / "ai-popup" / "Logs" / "agent.log").read_text(encoding="utf-8").splitlines()
        return [json.loads(line) for line in lines]


@pytest.fixture
def user(wine: Wine, python: Path, samples_folder: Path, model_store: ModelStore) -> User:
    wine.stay()
    user = User(wine, python, samples_folder)
    model_store.fetch("centerface")
    (detector,) = (model_store.folder / "centerface").iterdir()
    user.done("models", "add", detector)
    return user


def test_a_week_on_windows_loses_and_doubles_no_photo(user: User) -> None:
    holiday = user.album("假期 Photos", faces=8, plain=12)
    typed = user.windows(holiday).swapcase()
    assert user.scan(typed).photos == 20
    code = user.done("recovery-code")

    # Watched in whatever case it's typed, once; what is added, renamed and removed meanwhile is followed.
    assert json.loads(user.done("folders", "add", "--json", typed)) == {"path": user.windows(holiday), "added": True}
    assert json.loads(user.done("folders", "add", "--json", holiday)) == {"path": user.windows(holiday), "added": False}
    with user.begun("run", "--no-tray") as agent:
        user.has(20)
        user.album("假期 Photos/二月", faces=3, plain=4)
        (holiday / "plain-0001.jpg").rename(holiday / "plain renamed.jpg")
        user.has(27)
        assert user.scan(holiday).photos == 27
        agent.kill()

    # Killed, and photos arrive while it is down.
    user.album("假期 Photos", plain=5)
    with user.begun("run", "--no-tray") as agent:
        user.has(32)
        found = user.scan(typed)
        assert (found.photos, found.failed, set(found.by_path)) == (32, 0, {user.windows(file) for file in holiday.rglob("*.jpg")})
        assert user.status()["images"] == 32

        # The agent is asked in Chinese and covers faces; its key is in Windows' own keyring.
        user.done("config", "set", "general.language", "zh-CN")
        assert "32 张照片" in user.done("status")
        user.done("redact", holiday / "face-0013.jpg", "-o", user.root / "遮盖")
        assert (user.root / "遮盖" / "face-0013.jpg").is_file()
        assert user.done("recovery-code") == code
        user.done("config", "set", "general.autostart", "true")
        run = r"Software\Microsoft\Windows\CurrentVersion\Run"
        user.until(lambda _: "AI Popup" in user.wine.registry(run).get("", {}))
        user.done("quit")
        assert agent.end().code == 0
    assert not [line for line in user.log() if line["level"] == "error"]
    user.done("uninstall", "--library", "--yes")
    assert not [file for file in (user.wine.local / "ai-popup").rglob("*") if file.is_file()]
    assert len(list(holiday.rglob("*.jpg"))) == 32

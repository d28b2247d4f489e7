"""A user at a terminal: the real program in processes of its own, albums of small made photos, and the counts a user would count.

A journey is a test that takes the fixture `journey` and tells a story:

    album = journey.album("holiday", faces=30, plain=70)
    assert journey.scan(album).photos == 100
    assert journey.scan(album).photos == 100
"""

from __future__ import annotations

import json
import os
import re
import signal
import subprocess
import sys
import threading
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import IO, Any

from PIL import Image, ImageOps

from tests.support.real_program import CHECKOUT, RealProgram

LIMIT_S = 300.0  # for one command: a busy machine is no failure
HEAD = 240  # pixels: smaller faces are refused as references
PORTRAITS = {"Barack": ("obama.jpg", "obama2.jpg", "obama3.jpg"), "Joe": ("biden.jpg",)}


@dataclass(frozen=True)
class Said:
    """What a command printed, and its exit code."""

    code: int
    out: str
    err: str

    @cached_property
    def objects(self) -> list[dict[str, Any]]:
        """What `--json` printed, a line each."""
        return [json.loads(line) for line in self.out.splitlines()]

    @property
    def sums(self) -> list[int]:
        """The numbers in the last line on standard error, where commands tell their sum."""
        return [int(each.replace(",", "")) for each in re.findall(r"\d[\d,]*", self.err.splitlines()[-1])]


@dataclass(frozen=True)
class Scan:
    """What `scan --json` told."""

    said: Said

    @cached_property
    def by_path(self) -> Mapping[str, dict[str, Any]]:
        lines = self.said.objects
        found = {line["path"]: line for line in lines}
        assert len(found) == len(lines), "a file was told twice"
        return found

    @property
    def photos(self) -> int:
        return sum(line["error"] is None for line in self.by_path.values())

    @property
    def faces(self) -> int:
        return sum(len(line["faces"]) for line in self.by_path.values())

    @property
    def failed(self) -> int:
        return sum(line["error"] is not None for line in self.by_path.values())


class Running:
    """A command under way, as in a terminal of its own."""

    def __init__(self, process: subprocess.Popen[str]) -> None:
        self.process = process
        self._out: list[str] = []
        self._err: list[str] = []
        self._came = threading.Condition()
        self._readers = [
            threading.Thread(target=self._read, args=(stream, lines), daemon=True)
            for stream, lines in ((process.stdout, self._out), (process.stderr, self._err))
        ]
        for reader in self._readers:
            reader.start()

    def _read(self, stream: IO[str] | None, lines: list[str]) -> None:
        assert stream is not None
        with stream:
            for line in stream:
                with self._came:
                    lines.append(line)
                    self._came.notify_all()

    def after(self, lines: int) -> Running:
        """Wait until so many lines stand on standard output."""
        with self._came:
            assert self._came.wait_for(lambda: len(self._out) >= lines or self.process.poll() is not None, LIMIT_S)
        assert len(self._out) >= lines, self._err
        return self

    def interrupt(self) -> Said:
        """Ctrl-C: every process of the terminal gets the signal."""
        os.killpg(self.process.pid, signal.SIGINT)
        return self.end()

    def kill(self) -> Said:
        """`kill -9` of the command; what it started notices by itself."""
        self.process.kill()
        return self.end()

    def end(self) -> Said:
        """Wait for its end."""
        code = self.process.wait(LIMIT_S)
        for reader in self._readers:
            reader.join(LIMIT_S)
        return Said(code, "".join(self._out), "".join(self._err))


class Albums:
    """Folders of small made photos below `root`."""

    def __init__(self, samples: Path, root: Path) -> None:
        self.root = root
        self._samples = samples
        self._made = 0

    def album(self, folder: str | Path, *, faces: int = 0, plain: int = 0) -> Path:
        """Put so many more photos into a folder, each of another content: those with `faces` show one, the `plain` ones none."""
        for number in self._numbers(plain):
            _plain(number).save(self._place(folder, f"plain-{number:04}.jpg"), quality=80)
        for number in self._numbers(faces):
            self._portrait(tuple(PORTRAITS)[number % 2], number).save(self._place(folder, f"face-{number:04}.jpg"), quality=90)
        return self.root / folder

    def portraits(self, folder: str | Path, person: str, count: int) -> Path:
        """Put so many more photos of one person of `PORTRAITS` into a folder."""
        for number in self._numbers(count):
            self._portrait(person, number).save(self._place(folder, f"portrait-{number:04}.jpg"), quality=90)
        return self.root / folder

    def _numbers(self, count: int) -> Iterator[int]:
        for _ in range(count):
            self._made += 1
            yield self._made

    def _place(self, folder: str | Path, name: str) -> Path:
        (self.root / folder).mkdir(parents=True, exist_ok=True)
        return self.root / folder / name

    def _portrait(self, person: str, number: int) -> Image.Image:
        name = PORTRAITS[person][number % len(PORTRAITS[person])]
        whole = Image.open(self._samples / name).convert("RGB")
        head = ImageOps.contain(whole.crop((0, 0, whole.width, min(whole.height, whole.width))), (HEAD, HEAD))
        picture = Image.new("RGB", (HEAD + 50, HEAD + 30), (number * 37 % 256, number * 91 % 256, number * 53 % 256))
        picture.paste(head, (number % 50, number // 50 % 30))
        return picture


class Journey(Albums):
    """Commands run without an agent until `program.start()`; `program.watched` is the folder that an agent watches."""

    def __init__(self, program: RealProgram, samples: Path, root: Path) -> None:
        super().__init__(samples, root)
        self.program = program

    # -- commands ----------------------------------------------------------------------------------------------------------------
    def command(self, *words: str | Path) -> Said:
        """`ai-popup WORDS`, to its end."""
        with self.begun(*words) as running:
            return running.end()

    def scan(self, *paths: Path) -> Scan:
        """`ai-popup scan --json PATHS`."""
        return Scan(self.command("scan", "--json", *paths))

    @contextmanager
    def begun(self, *words: str | Path) -> Iterator[Running]:
        """`ai-popup WORDS`, still under way."""
        process = subprocess.Popen(
            [sys.executable, "-m", "agent", *map(str, words)],
            env=self.program.environment,
            cwd=CHECKOUT,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            encoding="utf-8",
            start_new_session=True,
        )
        try:
            yield Running(process)
        finally:
            if process.poll() is None:
                process.kill()
                process.wait()

    def quit(self) -> None:
        """`ai-popup quit`, and the agent's end."""
        assert self.command("quit").code == 0 and self.program.process is not None
        assert self.program.process.wait(LIMIT_S) == 0

    def recognise(self) -> None:
        """As a user who consented has it."""
        self.program.file.set("recognition.enabled", "true")

    # -- what there is -----------------------------------------------------------------------------------------------------------
    def library(self) -> tuple[int, int, int]:
        """Photos, faces and people in the library, once it is found to be sound."""
        with self.program.library() as library:
            assert library.database.sound()
            counts = library.counts()
            return counts.images, counts.faces, counts.people

    def people(self) -> dict[str, int]:
        """How many faces each person has, by `people list`."""
        return {each["name"]: each["faces"] for each in self.command("people", "list", "--json").objects}


def _plain(number: int) -> Image.Image:
    picture = Image.linear_gradient("L").resize((96, 72)).convert("RGB")
    picture.paste((number * 37 % 256, number * 91 % 256, number // 7 % 256), (number % 64, number // 64 % 48, 90, 70))
    return picture

"""Thirty-two bad things at once and one after the other, by chance but reproducibly so: nothing is lost, nothing doubled, nobody blamed.

`--seed N` repeats a run.
"""

import contextlib
import hashlib
import os
import random
import signal
import sys
import time
from collections import Counter
from collections.abc import Callable
from datetime import timedelta
from typing import TYPE_CHECKING

import psutil
import pytest
from PIL import Image

from agent.app.library_home import home_of_key
from agent.domain.errors import AgentError
from agent.domain.events import ImageIndexed
from agent.domain.jobs import JobState
from agent.infrastructure.store.database import Database
from agent.infrastructure.store.keys import LibraryKeys
from agent.infrastructure.store.open_library import DATABASE_FILE
from tests.support.real_program import WAIT_S

if TYPE_CHECKING:
    from tests.support.process_fixtures import WallClock
    from tests.support.real_program import RealProgram

BAD_THINGS = 32


class BadDay:
    """Each word is a bad thing that begins, or happens and is over; `over` ends all that has begun."""

    def __init__(self, program: "RealProgram", clock: "WallClock", photo: Callable[[int], Image.Image], chance: random.Random) -> None:
        self._program = program
        self._clock = clock
        self._photo = photo
        self._chance = chance
        self._began = contextlib.ExitStack()
        self._good = program.paths.settings.read_text()
        self._away = program.watched.with_name("away")
        self.dropped = 0
        self.things: dict[str, Callable[[], None]] = {
            "the agent is killed": self.kill,
            "an engine is killed": self.kill_engine,
            "the disk is full": self.full_disk,
            "another program holds the library": self.hold_library,
            "the settings are invalid": self.spoil_settings,
            "the clock leaps": self.leap,
            "the computer sleeps": self.sleep,
            "the folder is away": self.unplug,
            "a file is moved": self.move,
            "the user quits": self.restart,
        }

    def drop(self, count: int) -> None:
        folder = self._away if self._away.exists() else self._program.watched
        for _ in range(count):
            part = folder.parent / "part.jpg"
            self._photo(self.dropped).save(part)
            part.replace(folder / f"{self.dropped}.jpg")
            self.dropped += 1

    def over(self) -> None:
        self._began.close()

    def _start(self) -> None:
        self._program.start(before=self._clock.before, wait=False)

    def up(self) -> None:
        """It runs: a start that met a bad thing may only now have refused, and counts no more than whoever starts it again does."""
        deadline = time.monotonic() + WAIT_S
        while time.monotonic() < deadline:
            with contextlib.suppress(AgentError):
                self._program.status()
                return
            if not self._program.alive:
                self._start()
            time.sleep(0.1)
        pytest.fail("it does not start any more")

    def kill(self) -> None:
        self._program.kill()
        self._start()

    def restart(self) -> None:
        self.over()  # who ends it on a full disk may wait long
        self._program.quit()
        self._start()

    def kill_engine(self) -> None:
        for engine in self._program.children("engine-worker")[:1]:
            with contextlib.suppress(psutil.NoSuchProcess):
                engine.kill()

    def full_disk(self) -> None:
        """A limit on the size of its files: what is mounted by nobody is full for nobody else."""
        self._limit(4096)
        self._began.callback(self._limit, psutil.RLIM_INFINITY)

    def _limit(self, size: int) -> None:
        assert self._program.process is not None
        with contextlib.suppress(psutil.NoSuchProcess):
            psutil.Process(self._program.process.pid).rlimit(psutil.RLIMIT_FSIZE, (size, psutil.RLIM_INFINITY))

    def hold_library(self) -> None:
        """For a moment."""
        with contextlib.suppress(AgentError):
            key = LibraryKeys(self._program.paths.library, home_of_key(self._program.file.load(), self._program.paths)).unlock()
            database = Database.in_file(self._program.paths.library / DATABASE_FILE, key)
            with contextlib.closing(database), database.write():
                self.drop(1)
                time.sleep(self._chance.uniform(0.1, 0.5))

    def spoil_settings(self) -> None:
        self._program.paths.settings.write_text(self._chance.choice(["this is no TOML", self._good + "\n[general]\nlanguge = 'en'\n"]))
        self._began.callback(self._program.paths.settings.write_text, self._good)

    def leap(self) -> None:
        """Within the grace time: what was deleted is forgotten when that is over by the clock."""
        self._clock.leap(timedelta(days=self._chance.uniform(-14, 14)))

    def sleep(self) -> None:
        assert self._program.process is not None
        with contextlib.suppress(psutil.NoSuchProcess):
            asleep = [psutil.Process(self._program.process.pid), *self._program.children()]
            for process in asleep:
                with contextlib.suppress(psutil.NoSuchProcess):
                    process.send_signal(signal.SIGSTOP)
            self.drop(1)
            self.leap()
            time.sleep(self._chance.uniform(0.1, 0.5))
            for process in asleep:
                with contextlib.suppress(psutil.NoSuchProcess):
                    process.send_signal(signal.SIGCONT)

    def unplug(self) -> None:
        if not self._away.exists():
            self._program.watched.rename(self._away)
            self._began.callback(self._away.rename, self._program.watched)

    def move(self) -> None:
        folder = self._away if self._away.exists() else self._program.watched
        photos = sorted(folder.glob("*.jpg"))
        if photos:
            (folder / "moved").mkdir(exist_ok=True)
            chosen = self._chance.choice(photos)
            chosen.rename(folder / "moved" / chosen.name)


@pytest.mark.timeout(300)
def test_thirty_two_bad_things_at_once_lose_nothing(
    program: "RealProgram",
    wall_clock: "WallClock",
    photo: Callable[[int], Image.Image],
    pytestconfig: pytest.Config,
    capsys: pytest.CaptureFixture[str],
) -> None:
    if sys.platform != "linux":
        pytest.skip("needs Linux")
    given = pytestconfig.getoption("seed")
    seed = random.SystemRandom().randrange(10**6) if given is None else int(given)
    with capsys.disabled():
        print(f"\nbad things: {BAD_THINGS}, seed: {seed}")
    chance = random.Random(seed)
    day = BadDay(program, wall_clock, photo, chance)
    program.start(before=wall_clock.before)
    day.drop(4)
    program.settled(4)

    done: Counter[str] = Counter()
    while done.total() < BAD_THINGS:
        wave = chance.sample(sorted(day.things), k=min(chance.randint(2, 6), BAD_THINGS - done.total()))
        for thing in wave:
            done[thing] += 1
            day.drop(1)
            day.things[thing]()
            if not program.alive:  # killed or refused to start while its disk was full or its settings spoilt
                day.over()
                program.start(before=wall_clock.before, wait=False)
            time.sleep(chance.uniform(0, 0.4))
        day.over()
    print(dict(done))

    day.up()
    program.post("/api/rescan")
    status = program.until(lambda status: not status.queued and status.images == day.dropped, within=120)
    assert status.failed == 0
    program.until(lambda status: status.problem is None and not any(folder.problem for folder in status.folders))
    program.quit()
    check(program, day.dropped)


def check(program: "RealProgram", dropped: int) -> None:
    """Each content one image in its place, indexed once, with its faces; and no work left."""
    files = {hashlib.sha256(path.read_bytes()).hexdigest(): path for path in program.watched.rglob("*.jpg")}
    assert len(files) == dropped
    with program.library() as library:
        assert library.database.sound()
        assert not {state: count for state, count in library.counts().jobs.items() if count and state is not JobState.DONE}
        images = {image.sha256: image for image in library.images(limit=10_000)}
        known = set(dict(library.known_files(os.fspath(program.watched))))
        indexed = Counter(r.event.image_id for r in library.events(after=0, limit=1_000_000) if isinstance(r.event, ImageIndexed))
    assert known == {os.fspath(path) for path in files.values()}, "what was moved is known to be gone from where it was"
    assert {sha256: [path for _, path in image.places if path in known] for sha256, image in images.items()} == {
        sha256: [os.fspath(path)] for sha256, path in files.items()
    }
    assert {sha256: len(image.faces) for sha256, image in images.items()} == {
        sha256: 1 + int(path.stem) % 2 for sha256, path in files.items()
    }
    assert indexed == {image.id: 1 for image in images.values()}

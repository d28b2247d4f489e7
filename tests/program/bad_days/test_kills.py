"""Whatever is killed at whatever moment, every image ends up indexed exactly once.

Without options it kills five times, with a new seed that it prints. `--count N` kills N times; `--seed N` repeats a run.
"""

import contextlib
import hashlib
import random
import time
from collections import Counter
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING

import psutil
import pytest
from PIL import Image

from agent.domain.events import ImageIndexed
from agent.domain.jobs import JobState

if TYPE_CHECKING:
    from tests.support.real_program import RealProgram

LEAST_PHOTOS = 24
KILLS = 5
NEW_PER_KILL = 3
KINDS = ("engine-worker", "popup-window", "agent")


class Rampage:
    """Drops photos and kills processes, by chance, but reproducibly so."""

    def __init__(self, program: "RealProgram", photos: list[Path], chance: random.Random) -> None:
        self._program = program
        self._photos = photos
        self._chance = chance
        self.dropped: list[Path] = []
        self.seen: set[psutil.Process] = set()
        self.tally: Counter[str] = Counter()

    def drop(self, count: int) -> None:
        """Put the next photos into the watched folder, some of them twice."""
        for photo in self._photos[len(self.dropped) :][:count]:
            self.dropped.append(photo)
            for folder in ("", "copies")[: 2 if len(self.dropped) % 6 == 0 else 1]:
                target = self._program.watched / folder / photo.name
                target.parent.mkdir(exist_ok=True)
                target.write_bytes(photo.read_bytes())

    def kill(self, kind: str | None = None) -> None:
        """Kill a process of that kind, waiting for one, or one of those that run."""
        time.sleep(self._chance.uniform(0.02, 0.9))
        victims, deadline = self._victims(), time.monotonic() + 60
        while kind is not None and kind not in victims:
            assert time.monotonic() < deadline, f"no {kind}"
            self.drop(1)
            time.sleep(0.1)
            victims = self._victims()
        kind = kind or self._chance.choice(sorted(victims))
        self.tally[kind] += 1
        self.seen |= {*victims.values(), *self._program.children()}
        if kind == "agent":
            self._program.kill()
            self._program.start(wait=self._chance.random() < 0.5)
        else:
            with contextlib.suppress(psutil.NoSuchProcess):
                victims[kind].kill()

    def _victims(self) -> dict[str, psutil.Process]:
        assert self._program.process is not None
        found = {"agent": psutil.Process(self._program.process.pid)}
        for kind in KINDS[:2]:
            if children := self._program.children(kind):
                found[kind] = self._chance.choice(children)
        return found


@pytest.mark.timeout(0)
def test_every_image_is_indexed_exactly_once_whatever_is_killed(
    program_with_display: "RealProgram",
    photo: Callable[[int], Image.Image],
    tmp_path: Path,
    pytestconfig: pytest.Config,
    capsys: pytest.CaptureFixture[str],
) -> None:
    program = program_with_display
    count, given = pytestconfig.getoption("count"), pytestconfig.getoption("seed")
    kills = KILLS if count is None else int(count)
    seed = random.SystemRandom().randrange(10**6) if given is None else int(given)
    with capsys.disabled():
        print(f"\nkills: {kills}, seed: {seed}")
    rampage = Rampage(program, _photos(photo, tmp_path, kills), random.Random(seed))

    program.start()
    for number in range(kills):
        rampage.drop(NEW_PER_KILL)
        rampage.kill(KINDS[number] if number < len(KINDS) else None)
    rampage.drop(10**6)
    program.until(lambda status: not status.queued and status.images == len(rampage.dropped), within=120)
    rampage.seen |= set(program.children())
    program.quit()

    print(f"killed: {dict(rampage.tally)}")
    assert sum(rampage.tally.values()) == kills
    _check(program, rampage.dropped)
    _, left = psutil.wait_procs(rampage.seen, timeout=60)  # a child notices its parent's death by the end of its input
    assert not left


def _photos(photo: Callable[[int], Image.Image], folder: Path, kills: int) -> list[Path]:
    made = []
    (folder / "outside").mkdir()
    for number in range(max(LEAST_PHOTOS, (NEW_PER_KILL + 1) * kills)):
        made.append(folder / "outside" / f"{number}.jpg")
        photo(number).save(made[-1], quality=90)
    return made


def _check(program: "RealProgram", dropped: list[Path]) -> None:
    """Each content one image, each file one place, the faces as they were placed, and no work left."""
    hashes = {hashlib.sha256(path.read_bytes()).hexdigest(): path for path in dropped}
    assert len(hashes) == len(dropped)
    files = {str(path) for path in program.watched.rglob("*.jpg")}
    with program.library() as library:
        assert library.database.sound()
        assert not {state: count for state, count in library.counts().jobs.items() if count and state is not JobState.DONE}
        images = {image.sha256: image for image in library.images(limit=100_000)}
        indexed = Counter(r.event.image_id for r in library.events(after=0, limit=1_000_000) if isinstance(r.event, ImageIndexed))
    assert images.keys() == hashes.keys()
    places = [path for image in images.values() for _, path in image.places]
    assert sorted(places) == sorted(files)
    assert {sha256: len(image.faces) for sha256, image in images.items()} == {
        sha256: 1 + int(path.stem) % 2 for sha256, path in hashes.items()
    }
    assert indexed == {image.id: 1 for image in images.values()}

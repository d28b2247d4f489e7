"""A hundred photos with names beside them, hostile ones among them: who is known, what is written, and what never changes."""

from __future__ import annotations

import json
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from agent.domain.regions import area_of
from agent.features.library.records import StoredImage
from tests.support import hostile_xmp
from tests.support.inline_sidecars import SidecarsNow
from tests.support.journey import Journey
from tests.support.xmp_packets import region, regions, with_properties

pytestmark = [pytest.mark.timeout(1200)]
PHOTOS, READ, HOSTILE, TO_WRITE = 100, 60, 14, 20
# The engine of this journey hangs on one sidecar and crashes on another; no call about names may then take longer than seconds.
BENT = f"""
import sys
from agent.inference.engine import pool, xmp_calls
own_command = pool.own_command
pool.own_command = lambda *words: {hostile_xmp.COMMAND!r} if words == ("engine-worker",) else own_command(*words)
object.__setattr__(xmp_calls.READ_NAMES, "limit", 3.0)
object.__setattr__(xmp_calls.WRITE_NAMES, "limit", 3.0)
sys.argv = ["ai-popup", *sys.argv[4:]]
from agent.__main__ import main
sys.exit(main())
"""


@pytest.fixture
def running(journey: Journey) -> Iterator[Journey]:
    """A watched album that was looked at, with recognition on and names in sidecars still off."""
    journey.recognise()
    journey.portraits(journey.program.watched, "Barack", PHOTOS)
    journey.program.start(before=[sys.executable, "-c", BENT])
    journey.program.settled(PHOTOS)
    yield journey
    journey.program.quit()


def named(image: StoredImage, name: str) -> str:
    """A packet that names the photo's face."""
    [face] = image.faces
    area = area_of(face.face.box, image.width, image.height, 1)
    sides = " ".join(f'stArea:{side}="{getattr(area, side)}"' for side in "xywh")
    return with_properties(regions(region(name).replace('stArea:x="0.25" stArea:y="0.5" stArea:w="0.2" stArea:h="0.2"', sides)))


def test_a_hundred_sidecars_are_read_and_written_and_hostile_ones_change_nothing(running: Journey) -> None:
    program = running.program
    with program.library() as library:
        images = {Path(image.places[0][1]): image for image in library.images(limit=PHOTOS)}
    first, *photos, last = sorted(images)
    hostile = {
        **hostile_xmp.SIDECARS,
        "hangs": (hostile_xmp.HANGS + named(images[photos[READ]], "Mallory")).encode(),
        "crashes": (hostile_xmp.CRASHES + named(images[photos[READ]], "Mallory")).encode(),
    }
    assert len(hostile) == HOSTILE
    odd = dict(zip(photos[READ:], hostile.values(), strict=False))
    before = {photo: photo.read_bytes() for photo in images}
    for number, photo in enumerate(photos[:READ]):
        hostile_xmp.put_beside(photo, named(images[photo], ("Mei", "Xu", "Bo")[number % 3]).encode())
    for photo, data in odd.items():
        hostile_xmp.put_beside(photo, data)

    def confirmed() -> dict[str, int]:
        lines = program.run("people", "list", "--json").stdout.splitlines()
        return {line["name"]: line["confirmed"] for line in map(json.loads, lines)}

    program.file.change_folder(str(program.watched), {"names_in_sidecars": "both"})
    program.until(lambda _: confirmed() == {"Mei": 20, "Xu": 20, "Bo": 20}, within=300)

    # The user names more, also on the photos with hostile sidecars: the good ones are written, the others stay as they are.
    faces = [images[photo].faces[0].id for photo in photos[READ : READ + HOSTILE + TO_WRITE]]
    with program.api() as api:
        api.post("/people/edits", json={"kind": "name", "face_ids": faces, "name": "Anna"}).raise_for_status()
    good = photos[READ + HOSTILE : READ + HOSTILE + TO_WRITE]
    written = [beside(photo) for photo in good]
    program.until(lambda _: all(path.exists() for path in written), within=300)
    assert [[each.name for each in SidecarsNow().read(photo).regions.items] for photo in good] == [["Anna"]] * TO_WRITE
    assert confirmed() == {"Mei": 20, "Xu": 20, "Bo": 20, "Anna": HOSTILE + TO_WRITE}
    assert {photo: beside(photo).read_bytes() for photo in odd} == odd

    # Another look at all of it changes nothing, ends, and the agent is the same one.
    sidecars = {path: path.read_bytes() for path in program.watched.glob("*.xmp")}
    program.post("/api/rescan")
    for photo, name in ((first, "First"), (last, "Last")):  # at both ends of what is to be read
        beside(photo).write_text(named(images[photo], name))
        sidecars[beside(photo)] = beside(photo).read_bytes()
    everyone = {"Mei": 20, "Xu": 20, "Bo": 20, "Anna": HOSTILE + TO_WRITE, "First": 1, "Last": 1}
    program.until(lambda _: confirmed() == everyone, within=300)
    program.settled(PHOTOS)
    assert {path: path.read_bytes() for path in program.watched.glob("*.xmp")} == sidecars
    assert {photo: photo.read_bytes() for photo in images} == before
    assert not any(name in log(running) for name in ("Mei", "Anna", "Mallory", "portrait"))
    assert program.alive and not parsers(program.process.pid if program.process else 0)
    # Who is forgotten is named no more.
    assert running.command("people", "forget", "Anna", "--yes").code == 0
    assert confirmed() == {name: count for name, count in everyone.items() if name != "Anna"}
    assert not any("Anna" in path.read_text(encoding="utf-8") for path in written)


def beside(photo: Path) -> Path:
    return photo.with_name(f"{photo.name}.xmp")


def log(journey: Journey) -> str:
    return "".join(path.read_text(encoding="utf-8") for path in sorted(journey.program.paths.logs.glob("*")))


def parsers(pid: int) -> list[str]:
    """What the process has loaded that parses XML; known on Linux, where Python has its parser as a file of its own."""
    maps = Path(f"/proc/{pid}/maps")
    return [line for line in maps.read_text().splitlines() if "pyexpat" in line or "libxml" in line] if maps.exists() else []

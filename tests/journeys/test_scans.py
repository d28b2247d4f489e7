"""A folder of photos is scanned again and again: whatever happened to it meanwhile, each scan tells every file."""

import shutil
import sys
from collections import Counter

import pytest

from agent.domain.events import ImageIndexed
from tests.support.journey import Journey

pytestmark = [pytest.mark.timeout(600)]


def test_a_folder_is_scanned_twice_grows_is_renamed_and_its_files_are_moved(journey: Journey) -> None:
    album = journey.album("holiday", faces=30, plain=80)
    first = journey.scan(album)
    assert (first.photos, first.faces, first.said.code) == (110, 30, 0)
    again = journey.scan(album)
    assert again.by_path.keys() == first.by_path.keys()
    assert (again.photos, again.faces, again.said.code) == (110, 30, 0)
    in_words = journey.command("scan", album)
    assert (len(in_words.out.splitlines()), in_words.sums, in_words.code) == (110, [110, 30], 0)

    journey.album("holiday", faces=5, plain=70)
    (album / "notes.jpg").write_bytes(b"no photo")
    grown = journey.scan(album)
    assert (grown.photos, grown.faces, grown.failed, grown.said.code) == (185, 35, 1, 1)
    (album / "notes.jpg").unlink()

    renamed = album.rename(album.with_name("summer"))
    assert (journey.scan(renamed).photos, journey.library()) == (185, (185, 35, 0))

    best = renamed / "best"
    best.mkdir()
    for photo in sorted(renamed.glob("*.jpg"))[:90]:
        photo.rename(best / f"moved-{photo.name}")
    for photo in sorted(renamed.glob("*.jpg"))[:10]:
        shutil.copyfile(photo, best / f"copy-{photo.name}")
    moved = journey.scan(best, renamed)
    assert (moved.photos, len({line["sha256"] for line in moved.by_path.values()})) == (195, 185)
    assert journey.library() == (185, 35, 0)


def test_a_scan_that_is_interrupted_and_killed_goes_on_where_it_was(journey: Journey) -> None:
    album = journey.album("holiday", faces=20, plain=180)
    if sys.platform != "win32":  # there Ctrl-C goes to every program of a console
        with journey.begun("scan", album) as scan:
            interrupted = scan.after(70).interrupt()
        assert interrupted.code == 130 and "Traceback" not in interrupted.err
    with journey.begun("scan", album) as scan:
        killed = scan.after(100).kill()
    assert killed.code == (1 if sys.platform == "win32" else -9)
    whole = journey.scan(album)
    assert (whole.photos, whole.faces, whole.said.code) == (200, 20, 0)
    assert journey.scan(album).photos == 200
    with journey.program.library() as library:
        indexed = Counter(each.event.image_id for each in library.events(after=0, limit=10_000) if isinstance(each.event, ImageIndexed))
    assert (len(indexed), set(indexed.values())) == (200, {1})


def test_a_scan_tells_the_same_through_an_agent_and_without_one(journey: Journey) -> None:
    program = journey.program
    journey.album(program.watched, faces=20, plain=80)
    program.start()
    assert program.settled(100).faces == 20
    through = journey.scan(program.watched)
    assert (through.photos, through.faces) == (100, 20)

    journey.album(program.watched / "new", faces=5, plain=65)
    assert journey.scan(program.watched).photos == 170  # asked for before the agent has looked for itself
    elsewhere = journey.album("elsewhere", plain=70)
    for _ in range(2):
        assert journey.scan(elsewhere, program.watched).photos == 240
    (program.watched / "new").rename(program.watched / "old")
    for photo in sorted(program.watched.glob("face-*.jpg")):
        photo.unlink()
    program.until(lambda status: (status.images, status.faces, status.queued) == (220, 5, 0))
    journey.quit()

    alone = journey.scan(elsewhere, program.watched)
    assert (alone.photos, alone.faces, alone.said.code) == (220, 5, 0)
    program.start()
    assert program.settled(220).faces == 5


def test_in_chinese_the_sums_are_the_same(journey_in_chinese: Journey) -> None:
    journey = journey_in_chinese
    album = journey.album("假期", faces=10, plain=90)
    for _ in range(2):
        said = journey.command("scan", album)
        assert (len(said.out.splitlines()), said.sums, said.code) == (100, [100, 10], 0)
        assert said.err.splitlines()[-1].endswith("。") and str(album) in said.out
    assert journey.library() == (100, 10, 0)

"""The newest photos of a folder that was just chosen."""

from agent.domain.image import FileSeen
from agent.features.library.new_folder_priority import LOOK_S, newest


def seen(*times: int) -> list[FileSeen]:
    return [FileSeen(f"/photos/{index}.jpg", 1, time) for index, time in enumerate(times)]


def test_come_first_and_are_not_more_than_were_asked_for() -> None:
    assert [each.mtime_ns for each in newest(iter(seen(3, 9, 1, 7)), most=3)] == [9, 7, 3]


def test_are_those_that_were_met_in_time() -> None:
    ticks = iter((0.0, 0.1, LOOK_S + 0.1))
    assert [each.mtime_ns for each in newest(iter(seen(1, 2, 3)), clock=lambda: next(ticks))] == [2, 1]

"""What the library page needs of every library: the whole of it at a glance, hiding, looking again, and taking back."""

from datetime import UTC, date, datetime, timedelta

import pytest

from agent.app.ports import Library, Shown
from agent.domain.errors import ImageMissing
from agent.domain.events import ImageIndexed, ImagesHidden
from agent.domain.face import Analysis, Box, Face, Quality, StageTimes
from agent.domain.image import FileSeen, Recipe
from agent.domain.jobs import JobState, Priority

NOW = datetime(2026, 3, 4, 5, 6, 7, tzinfo=UTC)
LATER = NOW + timedelta(hours=1)
RECIPE = Recipe("centerface-1")
NOON = datetime(2025, 6, 1, 12)  # noqa: DTZ001 - the camera's clock
MTIME_NS = 1_700_000_000_123_456_789


def a_face(x: float) -> Face:
    return Face(Box(x, 1, 30, 40), 0.9, ((1, 1), (9, 1), (5, 5), (1, 9), (9, 9)), Quality(30, 90, 0, 0))


def analysis(content: str, *, taken_at: datetime | None, faces: int, width: int, height: int) -> Analysis:
    found = tuple(a_face(100.0 * place) for place in range(faces))
    return Analysis(content * 64, 100, width, height, "jpeg", RECIPE, "f32", found, StageTimes(), taken_at)


def index(
    library: Library, path: str, content: str, *, taken_at: datetime | None = NOON, faces: int = 0, width: int = 640, height: int = 480
) -> int:
    """Note and analyse one file; returns the image id."""
    library.note_file(FileSeen(path, 100, MTIME_NS, "/photos"), RECIPE, priority=Priority.NEW, now=NOW, sha256=content * 64)
    for job in library.lease(1, now=NOW, until=LATER):
        library.commit(job, analysis(content, taken_at=taken_at, faces=faces, width=width, height=height), now=NOW)
    state = library.place(path)
    assert state is not None and state.image_id is not None
    return state.image_id


@pytest.fixture
def three(library: Library) -> tuple[int, int, int]:
    """Three images of two days, the second of them the newest."""
    return (
        index(library, "/photos/a/1.jpg", "a", taken_at=NOON, width=300, height=200),
        index(library, "/photos/b/2.jpg", "b", taken_at=NOON + timedelta(days=40), faces=2, width=200, height=300),
        index(library, "/photos/a/3.jpg", "c", taken_at=NOON + timedelta(hours=11, minutes=59), faces=1, width=100, height=100),
    )


# -- index ---------------------------------------------------------------------------------------------------------------------------


def test_an_empty_library_has_an_empty_index(library: Library) -> None:
    found = library.index(Shown())
    assert (found.ids, found.ratios, found.days) == ((), (), ())


def test_the_index_holds_every_image_newest_taken_first(library: Library, three: tuple[int, int, int]) -> None:
    first, second, third = three
    found = library.index(Shown())
    assert found.ids == (second, third, first)
    assert found.ratios == (67, 100, 150)
    assert found.days == ((date(2025, 7, 11), 1), (date(2025, 6, 1), 2))


def test_the_index_is_narrowed_by_folder_days_and_faces(library: Library, three: tuple[int, int, int]) -> None:
    first, second, third = three

    def ids(shown: Shown) -> tuple[int, ...]:
        return library.index(shown).ids

    assert ids(Shown(folder="/photos/a")) == ids(Shown(folder="/photos/a/")) == (third, first)
    assert ids(Shown(folder="/photos/")) == (second, third, first)
    assert ids(Shown(folder="/phot")) == ()
    assert ids(Shown(after=date(2025, 6, 2))) == (second,)
    assert ids(Shown(before=date(2025, 6, 1))) == (third, first)
    assert ids(Shown(after=date(2025, 6, 1), before=date(2025, 7, 11))) == (second, third, first)
    assert ids(Shown(before=date.max)) == (second, third, first)
    assert ids(Shown(faces_min=1)) == (second, third)
    assert ids(Shown(faces_max=1)) == (third, first)
    assert ids(Shown(folder="/photos/a", faces_min=1, faces_max=1)) == (third,)
    assert library.count_below("/photos/a") == 2


def test_an_image_is_there_once_however_many_files_hold_it_and_while_one_does(library: Library) -> None:
    image = index(library, "/photos/a.jpg", "a")
    index(library, "/photos/b.jpg", "a")
    assert library.index(Shown()).ids == library.index(Shown(folder="/photos")).ids == (image,)
    library.files_gone(["/photos/a.jpg"], now=NOW)
    assert library.index(Shown(folder="/photos")).ids == (image,)
    library.files_gone(["/photos/b.jpg"], now=NOW)
    assert library.index(Shown()).ids == library.index(Shown(folder="/photos")).ids == ()
    assert library.count_below("/photos") == 0
    assert library.hashes() == {"a" * 64}, "its faces stay for the grace time"


def test_a_photo_that_does_not_say_when_it_was_taken_has_its_files_time(library: Library) -> None:
    image = library.image(index(library, "/photos/a.jpg", "a", taken_at=None))
    assert image is not None
    assert image.taken_at == datetime.fromtimestamp(MTIME_NS / 1e9)  # noqa: DTZ006


def test_a_photo_from_before_1970_has_its_day(library: Library) -> None:
    index(library, "/photos/a.jpg", "a", taken_at=datetime(1969, 12, 31, 23, 59, 59))  # noqa: DTZ001
    assert library.index(Shown()).days == ((date(1969, 12, 31), 1),)


def test_images_come_in_the_order_asked_for(library: Library, three: tuple[int, int, int]) -> None:
    first, second, third = three
    found = library.images_by_id([third, 999, first, third])
    assert [image.id for image in found] == [third, first]
    assert found == [library.image(third), library.image(first)]
    assert library.images_by_id([]) == []
    assert library.sha256(second) == "b" * 64 and library.sha256(999) is None


# -- actions -------------------------------------------------------------------------------------------------------------------------


def test_hidden_images_are_in_no_list_until_asked_for(library: Library, three: tuple[int, int, int]) -> None:
    first, second, third = three
    token, happened = library.set_hidden([second, third, 999], True, now=NOW)
    assert token and [each.event for each in happened] == [ImagesHidden(count=2, hidden=True)]
    assert library.index(Shown()).ids == (first,)
    assert [image.id for image in library.images(limit=9)] == [first]
    assert library.index(Shown(hidden=True)).ids == (second, third)
    assert library.count_below("/photos") == 1
    hidden = library.image(second)
    assert hidden is not None and hidden.hidden


def test_hiding_is_taken_back_once(library: Library, three: tuple[int, int, int]) -> None:
    first, second, _ = three
    library.set_hidden([first], True, now=NOW)
    token, happened = library.set_hidden([first, second], True, now=NOW)
    assert token is not None and [each.event for each in happened] == [ImagesHidden(count=1, hidden=True)], "only what it changed counts"
    assert [each.event for each in library.undo(token, now=NOW) or ()] == [ImagesHidden(count=1, hidden=False)]
    assert library.index(Shown(hidden=True)).ids == (first,), "what was hidden before stays so"
    assert library.undo(token, now=NOW) is None
    assert library.undo("made up", now=NOW) is None


def test_showing_again_is_taken_back_too(library: Library, three: tuple[int, int, int]) -> None:
    library.set_hidden(three, True, now=NOW)
    token, happened = library.set_hidden(three[:2], False, now=NOW)
    assert token is not None and [each.event for each in happened] == [ImagesHidden(count=2, hidden=False)]
    assert library.undo(token, now=NOW)
    assert set(library.index(Shown(hidden=True)).ids) == set(three)


def test_nothing_changed_is_nothing_to_take_back(library: Library, three: tuple[int, int, int]) -> None:
    assert library.set_hidden(three, False, now=NOW) == (None, [])
    assert library.set_hidden([], True, now=NOW) == (None, [])


def test_many_are_hidden_at_once_and_old_tokens_end(library: Library, three: tuple[int, int, int]) -> None:
    oldest, happened = library.set_hidden([*range(1_000, 3_000), *three], True, now=NOW)
    assert oldest is not None and [each.event for each in happened] == [ImagesHidden(count=3, hidden=True)]
    for turn in range(100):
        library.set_hidden(three, turn % 2 == 1, now=NOW)
    assert library.undo(oldest, now=NOW) is None


def test_an_image_looked_at_again_has_its_analysis_replaced(library: Library) -> None:
    image_id = index(library, "/photos/a.jpg", "a", faces=1)
    assert library.look_again([image_id, 999], now=NOW) == 1
    assert library.index(Shown()).ids == (image_id,), "it is seen meanwhile"
    [job] = library.lease(9, now=NOW, until=LATER)
    assert job.priority == Priority.ASKED
    [recorded] = library.commit(job, analysis("a", taken_at=NOON, faces=2, width=640, height=480), now=LATER)
    assert recorded.event == ImageIndexed(image_id=image_id, place_id=job.place_id, faces=2)
    image = library.image(image_id)
    assert image is not None and len(image.faces) == 2 and image.recipe == RECIPE and image.indexed_at == LATER
    assert library.index(Shown(faces_min=2)).ids == (image_id,)


def test_looking_again_needs_a_file_and_keeps_what_is_known_if_it_fails(library: Library) -> None:
    gone = index(library, "/photos/a.jpg", "a")
    library.files_gone(["/photos/a.jpg"], now=NOW)
    assert library.look_again([gone], now=NOW) == 0
    image_id = index(library, "/photos/b.jpg", "b", faces=1)
    library.look_again([image_id], now=NOW)
    [job] = library.lease(9, now=NOW, until=LATER)
    library.fail(job, JobState.FAILED, ImageMissing(), now=NOW)
    assert library.index(Shown(faces_min=1)).ids == (image_id,)

"""What the library page needs of every library: the whole of it at a glance, hiding, looking again, and taking back."""

from collections.abc import Sequence
from datetime import UTC, date, datetime, timedelta

import pytest
from sqlalchemy import insert, text, update

from agent.domain.errors import ImageMissing
from agent.domain.events import FavouritesChanged, ImageIndexed, ImagesHidden
from agent.domain.face import Analysis, Box, Face, Quality, StageTimes
from agent.domain.image import FileSeen, Recipe
from agent.domain.jobs import JobState, Priority
from agent.features.library.records import Noted, Shown
from agent.features.redaction.queries.redaction_queries import RedactionQueries
from agent.infrastructure.core.access_scope import AccessScope, reaching
from agent.infrastructure.store import trigram_index, undo_log
from agent.infrastructure.store.schema import library as library_table
from agent.infrastructure.store.schema import library_source
from agent.infrastructure.store.schema import place as place_table
from agent.infrastructure.store.server_database import secured
from tests.support.postgres_server import ON_SERVER

NOW = datetime(2026, 3, 4, 5, 6, 7, tzinfo=UTC)
LATER = NOW + timedelta(hours=1)
RECIPE = Recipe("centerface-2")
NOON = datetime(2025, 6, 1, 12)  # noqa: DTZ001 - the camera's clock
MTIME_NS = 1_700_000_000_123_456_789


def a_face(x: float) -> Face:
    return Face(Box(x, 1, 30, 40), 0.9, ((1, 1), (9, 1), (5, 5), (1, 9), (9, 9)), Quality(30, 90, 0, 0))


def analysis(content: str, *, taken_at: datetime | None, faces: int, width: int, height: int) -> Analysis:
    found = tuple(a_face(100.0 * place) for place in range(faces))
    return Analysis(content * 64, 100, width, height, "jpeg", RECIPE, "f32", found, StageTimes(), taken_at)


def index(
    library: RedactionQueries,
    path: str,
    content: str,
    *,
    taken_at: datetime | None = NOON,
    faces: int = 0,
    width: int = 640,
    height: int = 480,
    folder: str = "/photos",
) -> int:
    """Note and analyse one file; returns the image id."""
    library.note_file(FileSeen(path, 100, MTIME_NS, folder), RECIPE, priority=Priority.NEW, now=NOW, sha256=content * 64)
    for job in library.lease(1, now=NOW, until=LATER)[0]:
        library.commit(job, analysis(content, taken_at=taken_at, faces=faces, width=width, height=height), now=NOW)
    state = library.place(path)
    assert state is not None and state.image_id is not None
    return state.image_id


@pytest.fixture
def three(library: RedactionQueries) -> tuple[int, int, int]:
    """Three images of two days, the second of them the newest."""
    return (
        index(library, "/photos/a/1.jpg", "a", taken_at=NOON, width=300, height=200),
        index(library, "/photos/b/2.jpg", "b", taken_at=NOON + timedelta(days=40), faces=2, width=200, height=300),
        index(library, "/photos/a/3.jpg", "c", taken_at=NOON + timedelta(hours=11, minutes=59), faces=1, width=100, height=100),
    )


# -- index ---------------------------------------------------------------------------------------------------------------------------


def test_an_empty_library_has_an_empty_index(library: RedactionQueries) -> None:
    found = library.index(Shown())
    assert (found.ids, found.ratios, found.days) == ((), (), ())


def test_the_index_holds_every_image_newest_taken_first(library: RedactionQueries, three: tuple[int, int, int]) -> None:
    first, second, third = three
    found = library.index(Shown())
    assert found.ids == (second, third, first)
    assert found.ratios == (67, 100, 150)
    assert found.days == ((date(2025, 7, 11), 1), (date(2025, 6, 1), 2))


def test_a_strip_counts_as_the_longest_that_the_index_can_tell(library: RedactionQueries) -> None:
    for number, (width, height) in enumerate([(65_535, 100), (65_536, 100), (900_000, 10), (10, 900_000)]):
        index(library, f"/photos/{number}.jpg", chr(ord("a") + number), taken_at=NOON - timedelta(days=number), width=width, height=height)
    assert library.index(Shown()).ratios == (65_535, 65_535, 65_535, 0)


def test_the_index_is_narrowed_by_folder_days_and_faces(library: RedactionQueries, three: tuple[int, int, int]) -> None:
    first, second, third = three

    def ids(shown: Shown) -> Sequence[int]:
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


def test_an_image_is_there_once_however_many_files_hold_it_and_while_one_does(library: RedactionQueries) -> None:
    image = index(library, "/photos/a.jpg", "a")
    index(library, "/photos/b.jpg", "a")
    assert library.index(Shown()).ids == library.index(Shown(folder="/photos")).ids == (image,)
    library.files_gone(["/photos/a.jpg"], now=NOW)
    assert library.index(Shown(folder="/photos")).ids == (image,)
    library.files_gone(["/photos/b.jpg"], now=NOW)
    assert library.index(Shown()).ids == library.index(Shown(folder="/photos")).ids == ()
    assert library.count_below("/photos") == 0
    assert library.hashes() == {"a" * 64}, "its faces stay for the grace time"


def test_a_photo_that_does_not_say_when_it_was_taken_has_its_files_time(library: RedactionQueries) -> None:
    image = library.image(index(library, "/photos/a.jpg", "a", taken_at=None))
    assert image is not None
    assert image.taken_at == datetime.fromtimestamp(MTIME_NS / 1e9)  # noqa: DTZ006


def test_a_photo_from_before_1970_has_its_day(library: RedactionQueries) -> None:
    index(library, "/photos/a.jpg", "a", taken_at=datetime(1969, 12, 31, 23, 59, 59))  # noqa: DTZ001
    assert library.index(Shown()).days == ((date(1969, 12, 31), 1),)


def test_images_come_in_the_order_asked_for(library: RedactionQueries, three: tuple[int, int, int]) -> None:
    first, second, third = three
    found = library.images_by_id([third, 999, first, third])
    assert [image.id for image in found] == [third, first]
    assert found == [library.image(third), library.image(first)]
    assert library.images_by_id([]) == []
    assert library.sha256(second) == "b" * 64 and library.sha256(999) is None


# -- actions -------------------------------------------------------------------------------------------------------------------------


def test_hidden_images_are_in_no_list_until_asked_for(library: RedactionQueries, three: tuple[int, int, int]) -> None:
    first, second, third = three
    token, happened = library.set_hidden([second, third, 999], True, now=NOW)
    assert token and [each.event for each in happened] == [ImagesHidden(count=2, hidden=True)]
    assert library.index(Shown()).ids == (first,)
    assert [image.id for image in library.images(limit=9)] == [first]
    assert library.index(Shown(hidden=True)).ids == (second, third)
    assert library.count_below("/photos") == 1
    hidden = library.image(second)
    assert hidden is not None and hidden.hidden


def test_hiding_is_taken_back_once(library: RedactionQueries, three: tuple[int, int, int]) -> None:
    first, second, _ = three
    library.set_hidden([first], True, now=NOW)
    token, happened = library.set_hidden([first, second], True, now=NOW)
    assert token is not None and [each.event for each in happened] == [ImagesHidden(count=1, hidden=True)], "only what it changed counts"
    assert [each.event for each in (library.undo(token, now=NOW) or (None, ()))[1]] == [ImagesHidden(count=1, hidden=False)]
    assert library.index(Shown(hidden=True)).ids == (first,), "what was hidden before stays so"
    assert library.undo(token, now=NOW) is None
    assert library.undo("made up", now=NOW) is None


def test_showing_again_is_taken_back_too(library: RedactionQueries, three: tuple[int, int, int]) -> None:
    library.set_hidden(three, True, now=NOW)
    token, happened = library.set_hidden(three[:2], False, now=NOW)
    assert token is not None and [each.event for each in happened] == [ImagesHidden(count=2, hidden=False)]
    assert library.undo(token, now=NOW)
    assert set(library.index(Shown(hidden=True)).ids) == set(three)


def test_nothing_changed_is_nothing_to_take_back(library: RedactionQueries, three: tuple[int, int, int]) -> None:
    assert library.set_hidden(three, False, now=NOW) == (None, [])
    assert library.set_hidden([], True, now=NOW) == (None, [])


def test_many_are_hidden_at_once_and_old_tokens_end(
    library: RedactionQueries, three: tuple[int, int, int], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(undo_log, "KEPT", 100)
    oldest, happened = library.set_hidden([*range(1_000, 3_000), *three], True, now=NOW)
    assert oldest is not None and [each.event for each in happened] == [ImagesHidden(count=3, hidden=True)]
    for turn in range(100):
        library.set_hidden(three, turn % 2 == 1, now=NOW)
    assert library.undo(oldest, now=NOW) is None


def test_an_image_looked_at_again_has_its_analysis_replaced(library: RedactionQueries) -> None:
    image_id = index(library, "/photos/a.jpg", "a", faces=1)
    assert library.rescan([image_id, 999], now=NOW) == 1
    assert library.index(Shown()).ids == (image_id,), "it is seen meanwhile"
    [job], _ = library.lease(9, now=NOW, until=LATER)
    assert job.priority == Priority.ASKED
    [recorded] = library.commit(job, analysis("a", taken_at=NOON, faces=2, width=640, height=480), now=LATER)
    assert recorded.event == ImageIndexed(image_id=image_id, place_id=job.place_id, faces=2)
    image = library.image(image_id)
    assert image is not None and len(image.faces) == 2 and image.recipe == RECIPE and image.indexed_at == LATER
    assert library.index(Shown(faces_min=2)).ids == (image_id,)


def test_looking_again_needs_a_file_and_keeps_what_is_known_if_it_fails(library: RedactionQueries) -> None:
    gone = index(library, "/photos/a.jpg", "a")
    library.files_gone(["/photos/a.jpg"], now=NOW)
    assert library.rescan([gone], now=NOW) == 0
    image_id = index(library, "/photos/b.jpg", "b", faces=1)
    library.rescan([image_id], now=NOW)
    [job], _ = library.lease(9, now=NOW, until=LATER)
    library.fail(job, JobState.FAILED, ImageMissing(), now=NOW)
    assert library.index(Shown(faces_min=1)).ids == (image_id,)


# -- problems ------------------------------------------------------------------------------------------------------------------------


def fail(library: RedactionQueries, path: str, *, state: JobState = JobState.FAILED, now: datetime = NOW) -> None:
    library.note_file(FileSeen(path, 200, 1, "/photos"), RECIPE, priority=Priority.NEW, now=now)
    [job], _ = library.lease(1, now=now, until=now + timedelta(hours=1))
    library.fail(job, state, ImageMissing(), now=now)


def test_problems_are_paged_newest_first_whatever_became_of_them(library: RedactionQueries) -> None:
    for place, state in enumerate([JobState.FAILED, JobState.QUARANTINED, JobState.FAILED, JobState.DEFERRED, JobState.QUARANTINED]):
        fail(library, f"/photos/{place}", state=state, now=NOW + timedelta(minutes=place))
    first, second = library.problems(limit=3), library.problems(limit=3, offset=3)
    assert [place.path for place in first.items + second.items] == ["/photos/4", "/photos/2", "/photos/1", "/photos/0"]
    assert first.total == second.total == 4
    assert library.problems(limit=3, offset=9).items == ()
    assert [place.path for place in library.deferred(limit=3).items] == ["/photos/3"]


def test_problems_are_narrowed_to_a_folder(library: RedactionQueries) -> None:
    for name in ("a/1", "b/2", "ab/3"):
        fail(library, f"/photos/{name}")
        fail(library, f"/photos/{name}-online", state=JobState.DEFERRED)
    page = library.problems(limit=9, folder="/photos/a")
    assert ([place.path for place in page.items], page.total) == (["/photos/a/1"], 1)
    assert [place.path for place in library.deferred(limit=9, folder="/photos/a/").items] == ["/photos/a/1-online"]


# -- folders that are watched no more ------------------------------------------------------------------------------------------------


def test_the_count_is_of_images_that_are_shown(library: RedactionQueries, three: tuple[int, int, int]) -> None:
    first, second, third = three
    index(library, "/photos/b/copy.jpg", "b", faces=2)
    assert library.counts().images == 3
    library.files_gone(["/photos/b/2.jpg"], now=NOW)
    assert library.counts().images == 3, "its copy is there"
    library.files_gone(["/photos/b/copy.jpg"], now=NOW)
    library.set_hidden([first, second], True, now=NOW)
    assert library.counts().images == 1 == len(library.index(Shown()).ids)
    library.set_hidden([third], True, now=NOW)
    assert library.counts().images == 0


def test_photos_of_a_folder_that_is_watched_no_more_leave_and_wait_for_the_grace_time(library: RedactionQueries) -> None:
    here, there = index(library, "/photos/1.jpg", "a"), index(library, "/other/2.jpg", "b")
    fail(library, "/photos/broken.jpg")
    assert library.folders_left(["/photos", "/other"], now=NOW) == 0
    assert library.folders_left(["/other"], now=NOW) == 2
    assert library.folders_left(["/other"], now=LATER) == 0, "once is enough"
    assert library.index(Shown()).ids == (there,)
    assert library.problems(limit=9).items == ()
    assert library.image(here) is not None
    assert library.purge_missing(before=NOW) == 0
    assert library.purge_missing(before=LATER) == 1


def test_a_folder_that_is_watched_again_has_its_photos_back_without_new_work(library: RedactionQueries) -> None:
    known = index(library, "/photos/1.jpg", "a", faces=1)
    fail(library, "/photos/broken.jpg")
    library.folders_left([], now=NOW)
    assert dict(library.known_files("/photos")) == {}, "or its source would pass them over"
    again = FileSeen("/photos/1.jpg", 100, MTIME_NS, "/photos")
    assert library.note_file(again, RECIPE, priority=Priority.BACKLOG, now=LATER)[0] is Noted.UNCHANGED
    assert library.index(Shown()).ids == (known,)
    broken = FileSeen("/photos/broken.jpg", 200, 1, "/photos")
    assert library.note_file(broken, RECIPE, priority=Priority.BACKLOG, now=LATER)[0] is Noted.QUEUED
    assert library.purge_missing(before=LATER + timedelta(days=99)) == 0


def test_files_scanned_by_hand_and_those_of_a_folder_around_it_stay(library: RedactionQueries) -> None:
    index(library, "/photos/in/1.jpg", "a")
    library.note_file(FileSeen("/by-hand.jpg", 200, 1), RECIPE, priority=Priority.ASKED, now=NOW)
    assert library.folders_left(["/photos"], now=NOW) == 0
    assert len(library.lease(9, now=NOW, until=LATER)[0]) == 1


def test_a_file_that_was_gone_before_is_not_kept_longer(library: RedactionQueries) -> None:
    index(library, "/photos/1.jpg", "a")
    library.files_gone(["/photos/1.jpg"], now=NOW)
    assert library.folders_left([], now=LATER) == 1
    assert library.purge_missing(before=LATER) == 1


def test_scanned_by_hand_a_file_of_such_a_folder_is_back_and_stays(library: RedactionQueries) -> None:
    known = index(library, "/photos/1.jpg", "a")
    library.folders_left([], now=NOW)
    library.note_file(FileSeen("/photos/1.jpg", 100, MTIME_NS), RECIPE, priority=Priority.ASKED, now=LATER)
    library.folders_left([], now=LATER)
    assert library.index(Shown()).ids == (known,)


def test_what_leaves_with_a_folder_is_counted(library: RedactionQueries, three: tuple[int, int, int]) -> None:
    first, _, _ = three
    index(library, "/elsewhere/copy.jpg", "c")
    assert library.count_leaving("/photos", []) == 2, "the third lies elsewhere too"
    assert library.count_leaving("/photos", ["/photos/b", "/elsewhere"]) == 1
    assert library.count_leaving("/photos/c", []) == 0
    library.set_hidden([first], True, now=NOW)
    assert library.count_leaving("/photos", []) == 1, "nobody misses a hidden one"


# -- favourites, folders and text ----------------------------------------------------------------------------------------------------


def test_favourites_can_be_listed_alone_and_taken_back(library: RedactionQueries, three: tuple[int, int, int]) -> None:
    first, second, third = three
    token, happened = library.set_favourite([first, second, 999], True, now=NOW)
    assert token is not None and [each.event for each in happened] == [FavouritesChanged(count=2, favourite=True)]
    assert library.set_favourite([first], True, now=LATER) == (None, []), "it is one already"
    assert library.index(Shown(favourites=True)).ids == (second, first)
    assert library.index(Shown()).ids == (second, third, first), "all are still there"
    [favourite, other] = library.images_by_id([first, third])
    assert favourite.favourite and not other.favourite
    library.set_hidden([first], True, now=NOW)
    assert library.index(Shown(favourites=True)).ids == (second,)
    back = library.undo(token, now=LATER)
    assert back is not None and [each.event for each in back[1]] == [FavouritesChanged(count=2, favourite=False)]
    assert library.index(Shown(favourites=True)).ids == ()
    again = library.do_again(now=LATER)
    assert again is not None and [each.event for each in again[1]] == [FavouritesChanged(count=2, favourite=True)]
    token, happened = library.set_favourite(three, False, now=LATER)
    assert token is not None and [each.event for each in happened] == [FavouritesChanged(count=2, favourite=False)]


def test_a_favourite_stays_one_when_it_is_scanned_again(library: RedactionQueries, three: tuple[int, int, int]) -> None:
    library.set_favourite([three[0]], True, now=NOW)
    library.rescan([three[0]], now=NOW)
    [job] = library.lease(1, now=LATER, until=LATER + timedelta(hours=1))[0]
    library.commit(job, analysis("a", taken_at=NOON, faces=1, width=300, height=200), now=LATER)
    assert library.index(Shown(favourites=True)).ids == (three[0],)


def test_folders_inside_a_folder_are_counted_at_any_depth(library: RedactionQueries) -> None:
    hidden = index(library, "/photos/2025/may/1.jpg", "a")
    index(library, "/photos/2025/may/2.jpg", "b")
    index(library, "/photos/2025/3.jpg", "c")
    index(library, "/photos/2026/copy.jpg", "c")
    index(library, "/photos/4.jpg", "d")
    assert library.folders_inside("/photos") == {"/photos/2025": (3, True), "/photos/2026": (1, False)}
    assert library.folders_inside("/photos/2025/") == {"/photos/2025/may": (2, False)}
    assert library.folders_inside("/photos/2025/may") == {} == library.folders_inside("/elsewhere")
    library.set_hidden([hidden], True, now=NOW)
    library.files_gone(["/photos/2026/copy.jpg"], now=NOW)
    assert library.folders_inside("/photos") == {"/photos/2025": (2, True)}


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("beach", {"a"}),
        ("BEACH", {"a"}),
        ("ferien", {"a", "b"}),
        ("élise", {"b"}),
        ("ÉLISE", {"b"}),
        ("外婆", {"c"}),
        ("100%", {"c"}),
        ("_", set()),
        ("photos", set()),
        (".jpg", {"a", "b", "c"}),
    ],
)
def test_photos_are_found_by_the_names_of_their_files_and_folders(library: RedactionQueries, text: str, found: set[str]) -> None:
    """The watched folder's own path is none of them: all photos would be found by it."""
    paths = {"a": "/photos/Ferien 2025/Beach.jpg", "b": "/photos/Ferien 2025/Élise.jpg", "c": "/photos/外婆/100%.jpg"}
    ids = {content: index(library, path, content) for content, path in paths.items()}
    assert set(library.index(Shown(text=text)).ids) == {ids[each] for each in found}
    if library.database.is_shared:
        secured(library.database)  # with an index of names
        assert set(library.index(Shown(text=text)).ids) == {ids[each] for each in found}


def test_a_photo_without_a_file_is_not_found_by_its_name(library: RedactionQueries) -> None:
    index(library, "/photos/beach.jpg", "a")
    stays = index(library, "/photos/beach 2.jpg", "b")
    library.files_gone(["/photos/beach.jpg"], now=NOW)
    assert library.index(Shown(text="beach")).ids == (stays,)


@pytest.mark.parametrize("database", ON_SERVER, indirect=True)
@pytest.mark.parametrize("most", [0, 5_000], ids=["too many for the index", "by the index"])
def test_a_member_finds_by_name_what_is_in_their_libraries(library: RedactionQueries, monkeypatch: pytest.MonkeyPatch, most: int) -> None:
    monkeypatch.setattr(trigram_index, "MOST", most)
    secured(library.database)
    mine, theirs = index(library, "/photos/beach.jpg", "a"), index(library, "/others/beach.jpg", "b", folder="/others")
    with library.database.write() as tx:
        for number, root in enumerate(("/photos", "/others"), 1):
            tx.execute(insert(library_table).values(id=number, name=root, for_all=0, created_at=NOW))
            tx.execute(insert(library_source).values(root=root, library_id=number))
            tx.execute(update(place_table).where(place_table.c.folder == root).values(folder=root))
    assert set(library.index(Shown(text="Beach")).ids) == {mine, theirs}
    with reaching(AccessScope(libraries=frozenset({1}))):
        assert library.index(Shown(text="Beach")).ids == (mine,)
        assert library.index(Shown(text="ocean")).ids == ()


@pytest.mark.parametrize("database", ON_SERVER, indirect=True)
def test_a_name_is_found_by_what_tells_it_from_the_others(library: RedactionQueries) -> None:
    secured(library.database)
    images = [index(library, f"/photos/IMG_{number:04}.jpg", chr(0x4E00 + number)) for number in range(60)]
    with library.database._engine.connect().execution_options(isolation_level="AUTOCOMMIT") as connection:
        connection.execute(text("ANALYZE place"))
        telling, every = connection.execute(text("SELECT telling_trigrams('img_0012'), trigrams('img_0012')")).one()
    assert set(telling) < set(every) and telling
    assert library.index(Shown(text="IMG_0012")).ids == (images[12],)
    assert library.index(Shown(text="img_00123")).ids == ()
    assert set(library.index(Shown(text="IMG_")).ids) == set(images)
    with library.database.write() as tx:  # other tests with this database plan without statistics
        tx.execute(text("DELETE FROM pg_statistic WHERE starelid IN ('place'::regclass, 'place_by_trigrams'::regclass)"))

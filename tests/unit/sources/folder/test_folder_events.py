"""Sorting what the system says about a folder."""

import pytest
from watchdog.events import (
    DirCreatedEvent,
    DirDeletedEvent,
    DirMovedEvent,
    FileClosedEvent,
    FileCreatedEvent,
    FileDeletedEvent,
    FileMovedEvent,
    FileSystemEvent,
)

from agent.core.settings import Folder
from agent.sources.folder.debounce import Debouncer
from agent.sources.folder.folder_events import FolderMove, Hints, collapse
from agent.sources.folder.folder_rules import Matcher


def hints(*events: FileSystemEvent, limit: int = 100, recursive: bool = True, sidecars: str = "off") -> Hints:
    folder = {"path": "/w", "recursive": recursive, "include": ["*.jpg", "*.png", "*.gif"], "names_in_sidecars": sidecars}
    matcher = Matcher("/w", Folder.model_validate(folder))
    sorted_ = Hints(
        "/w", "/real", matcher, Debouncer(0.4, limit), limit, 1.0, lambda path: not path.startswith("/w/own"), clock=lambda: 10.0
    )
    for event in events:
        sorted_.take(event)
    return sorted_


def waiting(sorted_: Hints) -> list[str]:
    return sorted_.settling.due(1e9, 1000)


def test_new_and_closed_images_wait_to_settle_under_the_settings_path() -> None:
    assert waiting(hints(FileCreatedEvent("/real/a.jpg"), FileClosedEvent("/real/in/b.png"), FileCreatedEvent(b"/real/c.gif"))) == [
        "/w/a.jpg",
        "/w/in/b.png",
        "/w/c.gif",
    ]


@pytest.mark.parametrize(
    ("events", "complete"),
    [
        ([FileCreatedEvent("/real/a.jpg")], False),
        ([FileCreatedEvent("/real/a.jpg"), FileClosedEvent("/real/a.jpg")], True),
        ([FileMovedEvent("", "/real/a.jpg")], True),
        ([FileMovedEvent("/real/a.jpg.part", "/real/a.jpg")], True),
        ([FileCreatedEvent("/real/b.jpg"), FileMovedEvent("/real/b.jpg", "/real/a.jpg")], False),
        ([FileClosedEvent("/real/b.jpg"), FileMovedEvent("/real/b.jpg", "/real/a.jpg")], True),
    ],
    ids=["created", "closed", "moved in", "renamed into place", "renamed while written", "closed and renamed"],
)
def test_a_file_is_complete_that_was_closed_or_moved_into_place(events: list[FileSystemEvent], complete: bool) -> None:
    sorted_ = hints(*events)
    assert waiting(sorted_) == ["/w/a.jpg"]
    assert sorted_.settling.closed("/w/a.jpg") is complete


def test_what_is_moved_out_is_gone_and_what_is_moved_in_appears() -> None:
    sorted_ = hints(FileMovedEvent("/real/a.jpg", ""), DirMovedEvent("/real/out", ""), DirMovedEvent("", "/real/in"))
    assert (sorted_.moves, list(sorted_.gone), list(sorted_.trees)) == ([], ["/w/a.jpg", "/w/out"], ["/w/in"])


@pytest.mark.parametrize("path", ["/real/a.txt", "/real/.a.jpg", "/elsewhere/a.jpg", "/real/own/a.jpg", "/real"])
def test_what_is_not_meant_is_passed_over(path: str) -> None:
    assert waiting(hints(FileCreatedEvent(path))) == []


def test_below_a_flat_folder_nothing_is_looked_at() -> None:
    sorted_ = hints(FileCreatedEvent("/real/in/a.jpg"), DirCreatedEvent("/real/in"), DirDeletedEvent("/real/in"), recursive=False)
    assert (waiting(sorted_), sorted_.trees, sorted_.gone) == ([], {}, {})


def test_a_deleted_file_is_believed_a_little_later_and_not_if_it_comes_back() -> None:
    assert hints(FileCreatedEvent("/real/a.jpg"), FileDeletedEvent("/real/a.jpg")).gone == {"/w/a.jpg": 11.0}
    sorted_ = hints(FileDeletedEvent("/real/a.jpg"), FileCreatedEvent("/real/a.jpg"))
    assert (sorted_.gone, waiting(sorted_)) == ({}, ["/w/a.jpg"])


def test_a_rename_is_a_move_unless_the_library_cannot_know_the_old_name() -> None:
    assert hints(FileMovedEvent("/real/a.jpg", "/real/b.jpg")).moves == [FolderMove("/w/a.jpg", "/w/b.jpg", tree=False)]
    unsettled = hints(FileCreatedEvent("/real/a.jpg"), FileMovedEvent("/real/a.jpg", "/real/b.jpg"))
    assert (unsettled.moves, waiting(unsettled)) == ([], ["/w/b.jpg"])
    downloaded = hints(FileMovedEvent("/real/a.jpg.part", "/real/a.jpg"))
    assert (downloaded.moves, waiting(downloaded)) == ([], ["/w/a.jpg"])
    hidden = hints(FileMovedEvent("/real/a.jpg", "/real/.a.jpg"))
    assert (hidden.moves, list(hidden.gone)) == ([], ["/w/a.jpg"])


def test_a_folder_that_appears_is_looked_through() -> None:
    sorted_ = hints(DirCreatedEvent("/real/in"), DirMovedEvent("/real/.hidden", "/real/shown"))
    assert list(sorted_.trees) == ["/w/in", "/w/shown"]


def test_a_renamed_folder_takes_what_waits_along() -> None:
    sorted_ = hints(FileCreatedEvent("/real/in/a.jpg"), DirCreatedEvent("/real/in/deep"), FileDeletedEvent("/real/in/b.jpg"))
    sorted_.take(DirMovedEvent("/real/in", "/real/out"))
    assert sorted_.moves == [FolderMove("/w/in", "/w/out", tree=True)]
    assert (waiting(sorted_), list(sorted_.trees)) == (["/w/out/a.jpg"], ["/w/out/deep"])
    assert list(sorted_.gone) == ["/w/out/b.jpg"]


def test_a_folder_that_goes_takes_what_waits_along() -> None:
    sorted_ = hints(FileCreatedEvent("/real/in/a.jpg"), DirDeletedEvent("/real/in"), DirMovedEvent("/real/b", "/real/.b"))
    assert (waiting(sorted_), list(sorted_.gone)) == ([], ["/w/in", "/w/b"])


def test_a_deleted_thing_without_an_image_s_name_may_be_a_folder() -> None:
    sorted_ = hints()
    sorted_.vague_deletions = True
    sorted_.take(FileDeletedEvent("/real/in"))
    assert list(sorted_.gone) == ["/w/in"]
    sorted_ = hints()
    sorted_.vague_deletions = False
    sorted_.take(FileDeletedEvent("/real/note.txt"))
    assert sorted_.gone == {}


@pytest.mark.parametrize("event", [DirDeletedEvent("/real"), DirMovedEvent("/real", "/else"), DirDeletedEvent("/w")])
def test_news_of_the_folder_itself_puts_it_in_doubt(event: FileSystemEvent) -> None:
    sorted_ = hints(event)
    assert sorted_.root_in_doubt
    assert sorted_.gone == {}


def test_beyond_the_limit_all_is_forgotten_and_a_look_is_asked_for() -> None:
    files = hints(*(FileCreatedEvent(f"/real/{number}.jpg") for number in range(4)), limit=3)
    assert (files.overflow, len(files.settling)) == (True, 0)
    gone = hints(*(FileDeletedEvent(f"/real/{number}.jpg") for number in range(4)), limit=3)
    assert (gone.overflow, gone.gone) == (True, {})


def test_a_folder_s_move_implies_the_moves_of_what_is_in_it() -> None:
    moves = [
        FolderMove("/w/in/a.jpg", "/w/out/a.jpg", tree=False),
        FolderMove("/w/in/deep", "/w/out/deep", tree=True),
        FolderMove("/w/in", "/w/out", tree=True),
        FolderMove("/w/in/b.jpg", "/w/out/c.jpg", tree=False),
        FolderMove("/w/inn/b.jpg", "/w/out/b.jpg", tree=False),
    ]
    assert collapse(moves) == [moves[2], moves[3], moves[4]]


@pytest.mark.parametrize("mode", ["read", "both"])
def test_sidecars_settle_like_photos_where_names_are_read_from_them(mode: str) -> None:
    events = [
        FileClosedEvent("/real/a.jpg.xmp"),
        FileMovedEvent("/real/.b.tmp", "/real/b.XMP"),
        FileClosedEvent("/real/.hidden.xmp"),
        FileClosedEvent("/real/own/c.xmp"),
        FileCreatedEvent("/real/gone.xmp"),
        FileDeletedEvent("/real/gone.xmp"),
    ]
    assert waiting(hints(*events, sidecars=mode)) == ["/w/a.jpg.xmp", "/w/b.XMP"]
    assert waiting(hints(*events)) == []


def test_sidecars_move_with_their_photos_and_are_no_photos() -> None:
    sorted_ = hints(FileMovedEvent("/real/a.jpg.xmp", "/real/b.jpg.xmp"), FileDeletedEvent("/real/c.xmp"), sidecars="read")
    assert waiting(sorted_) == ["/w/b.jpg.xmp"] and not sorted_.moves and not sorted_.gone


def test_a_photo_that_becomes_something_else_is_gone() -> None:
    sorted_ = hints(FileMovedEvent("/real/a.jpg", "/real/a.jpg.xmp"), sidecars="read")
    assert waiting(sorted_) == ["/w/a.jpg.xmp"] and list(sorted_.gone) == ["/w/a.jpg"]

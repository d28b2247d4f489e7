"""Sorting what the system says about a folder."""

import os

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

from agent.infrastructure.core.settings import Folder
from agent.infrastructure.sources.folder.debounce import Debouncer
from agent.infrastructure.sources.folder.folder_events import FolderMove, Hints, collapse
from agent.infrastructure.sources.folder.folder_rules import Matcher
from tests.support.native_paths import native


def hints(*events: FileSystemEvent, limit: int = 100, recursive: bool = True, sidecars: str = "off") -> Hints:
    folder = {"path": native("/w"), "recursive": recursive, "include": ["*.jpg", "*.png", "*.gif"], "names_in_sidecars": sidecars}
    matcher = Matcher(native("/w"), Folder.model_validate(folder))
    sorted_ = Hints(
        native("/w"),
        native("/real"),
        matcher,
        Debouncer(0.4, limit),
        limit,
        1.0,
        lambda path: not path.startswith(native("/w/own")),
        clock=lambda: 10.0,
    )
    for event in events:
        sorted_.take(event)
    return sorted_


def waiting(sorted_: Hints) -> list[str]:
    return sorted_.settling.due(1e9, 1000)


def test_new_and_closed_images_wait_to_settle_under_the_settings_path() -> None:
    assert waiting(
        hints(
            FileCreatedEvent(native("/real/a.jpg")),
            FileClosedEvent(native("/real/in/b.png")),
            FileCreatedEvent(os.fsencode(native("/real/c.gif"))),
        )
    ) == [
        native("/w/a.jpg"),
        native("/w/in/b.png"),
        native("/w/c.gif"),
    ]


@pytest.mark.parametrize(
    ("events", "complete"),
    [
        ([FileCreatedEvent(native("/real/a.jpg"))], False),
        ([FileCreatedEvent(native("/real/a.jpg")), FileClosedEvent(native("/real/a.jpg"))], True),
        ([FileMovedEvent("", native("/real/a.jpg"))], True),
        ([FileMovedEvent(native("/real/a.jpg.part"), native("/real/a.jpg"))], True),
        ([FileCreatedEvent(native("/real/b.jpg")), FileMovedEvent(native("/real/b.jpg"), native("/real/a.jpg"))], False),
        ([FileClosedEvent(native("/real/b.jpg")), FileMovedEvent(native("/real/b.jpg"), native("/real/a.jpg"))], True),
    ],
    ids=["created", "closed", "moved in", "renamed into place", "renamed while written", "closed and renamed"],
)
def test_a_file_is_complete_that_was_closed_or_moved_into_place(events: list[FileSystemEvent], complete: bool) -> None:
    sorted_ = hints(*events)
    assert waiting(sorted_) == [native("/w/a.jpg")]
    assert sorted_.settling.closed(native("/w/a.jpg")) is complete


def test_what_is_moved_out_is_gone_and_what_is_moved_in_appears() -> None:
    sorted_ = hints(
        FileMovedEvent(native("/real/a.jpg"), ""), DirMovedEvent(native("/real/out"), ""), DirMovedEvent("", native("/real/in"))
    )
    assert (sorted_.moves, list(sorted_.gone), list(sorted_.trees)) == ([], [native("/w/a.jpg"), native("/w/out")], [native("/w/in")])


@pytest.mark.parametrize(
    "path", [native("/real/a.txt"), native("/real/.a.jpg"), native("/elsewhere/a.jpg"), native("/real/own/a.jpg"), native("/real")]
)
def test_what_is_not_meant_is_passed_over(path: str) -> None:
    assert waiting(hints(FileCreatedEvent(path))) == []


def test_below_a_flat_folder_nothing_is_looked_at() -> None:
    sorted_ = hints(
        FileCreatedEvent(native("/real/in/a.jpg")),
        DirCreatedEvent(native("/real/in")),
        DirDeletedEvent(native("/real/in")),
        recursive=False,
    )
    assert (waiting(sorted_), sorted_.trees, sorted_.gone) == ([], {}, {})


def test_a_deleted_file_is_believed_a_little_later_and_not_if_it_comes_back() -> None:
    assert hints(FileCreatedEvent(native("/real/a.jpg")), FileDeletedEvent(native("/real/a.jpg"))).gone == {native("/w/a.jpg"): 11.0}
    sorted_ = hints(FileDeletedEvent(native("/real/a.jpg")), FileCreatedEvent(native("/real/a.jpg")))
    assert (sorted_.gone, waiting(sorted_)) == ({}, [native("/w/a.jpg")])


def test_a_rename_is_a_move_unless_the_library_cannot_know_the_old_name() -> None:
    assert hints(FileMovedEvent(native("/real/a.jpg"), native("/real/b.jpg"))).moves == [
        FolderMove(native("/w/a.jpg"), native("/w/b.jpg"), tree=False)
    ]
    unsettled = hints(FileCreatedEvent(native("/real/a.jpg")), FileMovedEvent(native("/real/a.jpg"), native("/real/b.jpg")))
    assert (unsettled.moves, waiting(unsettled)) == ([], [native("/w/b.jpg")])
    downloaded = hints(FileMovedEvent(native("/real/a.jpg.part"), native("/real/a.jpg")))
    assert (downloaded.moves, waiting(downloaded)) == ([], [native("/w/a.jpg")])
    hidden = hints(FileMovedEvent(native("/real/a.jpg"), native("/real/.a.jpg")))
    assert (hidden.moves, list(hidden.gone)) == ([], [native("/w/a.jpg")])


def test_a_folder_that_appears_is_looked_through() -> None:
    sorted_ = hints(DirCreatedEvent(native("/real/in")), DirMovedEvent(native("/real/.hidden"), native("/real/shown")))
    assert list(sorted_.trees) == [native("/w/in"), native("/w/shown")]


def test_a_renamed_folder_takes_what_waits_along() -> None:
    sorted_ = hints(
        FileCreatedEvent(native("/real/in/a.jpg")), DirCreatedEvent(native("/real/in/deep")), FileDeletedEvent(native("/real/in/b.jpg"))
    )
    sorted_.take(DirMovedEvent(native("/real/in"), native("/real/out")))
    assert sorted_.moves == [FolderMove(native("/w/in"), native("/w/out"), tree=True)]
    assert (waiting(sorted_), list(sorted_.trees)) == ([native("/w/out/a.jpg")], [native("/w/out/deep")])
    assert list(sorted_.gone) == [native("/w/out/b.jpg")]


def test_a_folder_that_goes_takes_what_waits_along() -> None:
    sorted_ = hints(
        FileCreatedEvent(native("/real/in/a.jpg")),
        DirDeletedEvent(native("/real/in")),
        DirMovedEvent(native("/real/b"), native("/real/.b")),
    )
    assert (waiting(sorted_), list(sorted_.gone)) == ([], [native("/w/in"), native("/w/b")])


def test_a_deleted_thing_without_an_image_s_name_may_be_a_folder() -> None:
    sorted_ = hints()
    sorted_.vague_deletions = True
    sorted_.take(FileDeletedEvent(native("/real/in")))
    assert list(sorted_.gone) == [native("/w/in")]
    sorted_ = hints()
    sorted_.vague_deletions = False
    sorted_.take(FileDeletedEvent(native("/real/note.txt")))
    assert sorted_.gone == {}


@pytest.mark.parametrize(
    "event", [DirDeletedEvent(native("/real")), DirMovedEvent(native("/real"), native("/else")), DirDeletedEvent(native("/w"))]
)
def test_news_of_the_folder_itself_puts_it_in_doubt(event: FileSystemEvent) -> None:
    sorted_ = hints(event)
    assert sorted_.root_in_doubt
    assert sorted_.gone == {}


def test_beyond_the_limit_all_is_forgotten_and_a_look_is_asked_for() -> None:
    files = hints(*(FileCreatedEvent(native(f"/real/{number}.jpg")) for number in range(4)), limit=3)
    assert (files.overflow, len(files.settling)) == (True, 0)
    gone = hints(*(FileDeletedEvent(native(f"/real/{number}.jpg")) for number in range(4)), limit=3)
    assert (gone.overflow, gone.gone) == (True, {})


def test_a_folder_s_move_implies_the_moves_of_what_is_in_it() -> None:
    moves = [
        FolderMove(native("/w/in/a.jpg"), native("/w/out/a.jpg"), tree=False),
        FolderMove(native("/w/in/deep"), native("/w/out/deep"), tree=True),
        FolderMove(native("/w/in"), native("/w/out"), tree=True),
        FolderMove(native("/w/in/b.jpg"), native("/w/out/c.jpg"), tree=False),
        FolderMove(native("/w/inn/b.jpg"), native("/w/out/b.jpg"), tree=False),
    ]
    assert collapse(moves) == [moves[2], moves[3], moves[4]]


@pytest.mark.parametrize("mode", ["read", "both"])
def test_sidecars_settle_like_photos_where_names_are_read_from_them(mode: str) -> None:
    events = [
        FileClosedEvent(native("/real/a.jpg.xmp")),
        FileMovedEvent(native("/real/.b.tmp"), native("/real/b.XMP")),
        FileClosedEvent(native("/real/.hidden.xmp")),
        FileClosedEvent(native("/real/own/c.xmp")),
        FileCreatedEvent(native("/real/gone.xmp")),
        FileDeletedEvent(native("/real/gone.xmp")),
    ]
    assert waiting(hints(*events, sidecars=mode)) == [native("/w/a.jpg.xmp"), native("/w/b.XMP")]
    assert waiting(hints(*events)) == []


def test_sidecars_move_with_their_photos_and_are_no_photos() -> None:
    sorted_ = hints(
        FileMovedEvent(native("/real/a.jpg.xmp"), native("/real/b.jpg.xmp")), FileDeletedEvent(native("/real/c.xmp")), sidecars="read"
    )
    assert waiting(sorted_) == [native("/w/b.jpg.xmp")] and not sorted_.moves and not sorted_.gone


def test_a_photo_that_becomes_something_else_is_gone() -> None:
    sorted_ = hints(FileMovedEvent(native("/real/a.jpg"), native("/real/a.jpg.xmp")), sidecars="read")
    assert waiting(sorted_) == [native("/w/a.jpg.xmp")] and list(sorted_.gone) == [native("/w/a.jpg")]

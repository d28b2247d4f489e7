"""What every library must note of covered copies."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from agent.domain.errors import ApprovalAwaited, ApprovalOutdated, ImageTruncated
from agent.domain.face import Analysis, Box, StageTimes
from agent.domain.image import FileSeen, Recipe
from agent.domain.jobs import Priority
from agent.domain.redaction import Cover, Look, PeopleChoice, Reason, Shape, Style
from agent.features.library.records import Noted
from agent.features.redaction.copy_records import ItemState, Made, PlannedCopy, RedactedCopy
from agent.features.redaction.options import Doubtful, Keeping, Mark, RedactionOptions
from agent.features.redaction.queries.redaction_queries import RedactionQueries
from agent.infrastructure.core.actor import HERE, acting_as

NOW = datetime(2026, 3, 4, 5, 6, 7, 89, tzinfo=UTC)
LATER = NOW + timedelta(hours=1)
WISH = RedactionOptions(PeopleChoice(frozenset({3, 1}), frozenset({2})), Look(Style.MOSAIC, Shape.BOX), True, Keeping.REGIONS)
MARKS = (
    Mark(Cover(Box(1.5, 2.0, 30.0, 40.25), WISH.look, 12.5, Reason.PERSON), True, 0.75, (Doubtful.SMALL, Doubtful.UNSURE)),
    Mark(Cover(Box(100.0, 2.0, 30.0, 40.0), WISH.look), False, 0.99),
)
FACTS = RedactedCopy("a" * 64, "b" * 64, MARKS, (Doubtful.SMALL, Doubtful.UNSURE), 640, 480, ("centerface-2",), ("gps", "exif"))
# Bytes that are no text, and a script that is read from the right.
ODD = "/photos/\udcff שלום 图.jpg"


def plan(library: RedactionQueries, *names: str, uid: str = "one", wish: RedactionOptions = WISH) -> list[int]:
    """Ids of the items, which have still to be made."""
    library.plan_copies(uid, wish, [PlannedCopy(f"/photos/{name}", f"/safe/{name}") for name in names], now=NOW)
    return [each.id for each in library.redaction_items(uid, limit=99).items]


def make(library: RedactionQueries, item_id: int, facts: RedactedCopy = FACTS, *, review: bool = False, now: datetime = NOW) -> None:
    item = library.redaction(item_id)
    assert item is not None
    library.record_pending(item_id, facts, now=now)
    library.copy_made(item_id, item.target, review=review, now=now)


def test_a_batch_reads_back_as_it_was_planned(library: RedactionQueries) -> None:
    library.plan_copies("one", WISH, [PlannedCopy(ODD, ODD + "!", "jpeg")], now=NOW)

    [item] = library.copies_to_make(9)

    assert (item.source, item.target, item.format, item.batch, item.wish) == (ODD, ODD + "!", "jpeg", "one", WISH)
    assert (item.state, item.at, item.facts, item.error) == (ItemState.PLANNED, NOW, None, None)


def test_what_was_made_is_not_to_be_made_any_more_and_is_known_by_its_place(library: RedactionQueries) -> None:
    [first, second] = plan(library, "a.jpg", "b.jpg")

    make(library, first)

    assert [each.id for each in library.copies_to_make(9)] == [second]
    assert library.made_at("/safe/a.jpg") == Made("a" * 64, "b" * 64, WISH)
    assert library.made_at("/safe/b.jpg") is None
    item = library.redaction(first)
    assert item is not None and (item.state, item.facts) == (ItemState.DONE, FACTS)


def test_what_is_about_to_be_put_into_place_is_known_before_it_is_there(library: RedactionQueries) -> None:
    [item_id] = plan(library, "a.jpg")

    library.record_pending(item_id, FACTS, now=LATER)

    [item] = library.copies_to_make(9)
    assert item.facts == FACTS
    assert library.made_at("/safe/a.jpg") is None


def test_a_copy_may_end_in_another_place_than_planned(library: RedactionQueries) -> None:
    [item_id] = plan(library, "a.jpg")
    library.record_pending(item_id, FACTS, now=NOW)

    library.copy_made(item_id, "/safe/a (2).jpg", review=True, now=NOW)

    item = library.redaction(item_id)
    assert item is not None and (item.target, item.state) == ("/safe/a (2).jpg", ItemState.NEEDS_REVIEW)


def test_a_copy_that_is_there_already_is_not_planned(library: RedactionQueries) -> None:
    [first] = plan(library, "a.jpg")
    make(library, first)

    made = library.made_at("/safe/a.jpg")
    library.plan_copies("two", WISH, [PlannedCopy("/photos/a.jpg", "/safe/a.jpg", there=made)], now=LATER)

    assert library.copies_to_make(9) == []
    [item] = library.redaction_items("two", limit=9).items
    assert library.copies_ended("two", after=0, limit=9) == [item]
    assert library.copies_ended("two", after=item.id, limit=9) == []
    assert (item.state, item.passed, item.facts) == (ItemState.DONE, True, FACTS)


def begun(library: RedactionQueries, wish: RedactionOptions = WISH) -> dict[str, tuple[int, ...]]:
    """Source -> ids of what is left planned."""
    found: dict[str, tuple[int, ...]] = {}
    for each in library.copies_begun(wish):
        found[each.source] = (*found.get(each.source, ()), each.id)
    return found


def test_an_unfinished_batch_is_resumed_with_what_it_made(library: RedactionQueries) -> None:
    first, second, third = plan(library, "a.jpg", "b.jpg", "c.jpg")
    make(library, first)
    library.record_pending(second, FACTS, now=NOW)
    made = library.made_at("/safe/a.jpg")
    left = begun(library)
    assert set(left) == {"/photos/b.jpg", "/photos/c.jpg"}
    library.copy_failed(third, ImageTruncated(), now=NOW)  # meanwhile

    copies = [
        PlannedCopy("/photos/a.jpg", "/safe/a.jpg", there=made),
        PlannedCopy("/photos/b.jpg", "/safe/b.jpg", begun=left["/photos/b.jpg"]),
        PlannedCopy("/photos/c.jpg", "/safe/c.jpg", begun=left["/photos/c.jpg"]),
        PlannedCopy("/photos/d.jpg", "/safe/d.jpg"),
    ]
    ids = library.plan_copies("one", WISH, copies, now=LATER)

    items = {each.id: each for each in library.redaction_items("one", limit=9).items}
    assert len(ids) == len(items) == 4 and set(ids) == set(items) >= {first, second, third}
    assert (items[first].passed, items[first].state) == (True, ItemState.DONE)
    assert items[second].facts == FACTS, "what was about to be put into place is still known"
    assert items[third].error is None
    assert [each.source for each in library.copies_to_make(9)] == ["/photos/b.jpg", "/photos/c.jpg", "/photos/d.jpg"]


def test_what_several_requests_left_is_planned_once(library: RedactionQueries) -> None:
    plan(library, "a.jpg", "b.jpg", uid="one")
    plan(library, "a.jpg", "c.jpg", uid="two")
    left = begun(library)
    assert len(left["/photos/a.jpg"]) == 2

    copies = [PlannedCopy(source, source.replace("photos", "safe"), begun=ids) for source, ids in left.items()]
    library.plan_copies("three", WISH, copies, now=LATER)

    assert [each.uid for each in library.redaction_batches(limit=9)] == ["three"], "batches with nothing left are gone"
    assert sorted(each.source for each in library.copies_to_make(9)) == ["/photos/a.jpg", "/photos/b.jpg", "/photos/c.jpg"]
    assert begun(library, replace(WISH, strip=False)) == {}


def test_a_stopped_item_is_planned_anew(library: RedactionQueries) -> None:
    plan(library, "a.jpg")
    left = begun(library)
    library.stop_copies("one")

    [item_id] = library.plan_copies("two", WISH, [PlannedCopy("/photos/a.jpg", "/safe/a.jpg", begun=left["/photos/a.jpg"])], now=NOW)

    assert [each.id for each in library.copies_to_make(9)] == [item_id]


def test_a_failure_keeps_its_reason_until_it_is_tried_again(library: RedactionQueries) -> None:
    [item_id] = plan(library, "a.jpg")

    library.copy_failed(item_id, ImageTruncated(), now=NOW)

    item = library.redaction(item_id)
    assert item is not None and item.state is ItemState.FAILED and isinstance(item.error, ImageTruncated)
    assert library.copies_to_make(9) == []
    assert library.retry_copies("one", now=LATER) == 1
    [again] = library.copies_to_make(9)
    assert again.error is None


def test_whoever_asked_comes_before_folders_and_what_is_under_way_is_left_out(library: RedactionQueries) -> None:
    folder = library.folder_batch("/photos", WISH, uid="rule", now=NOW)
    library.plan_more(folder, [PlannedCopy("/photos/z.jpg", "/safe/z.jpg")], now=NOW)
    [first, second] = plan(library, "a.jpg", "b.jpg")

    assert [each.source for each in library.copies_to_make(2)] == ["/photos/a.jpg", "/photos/b.jpg"]
    assert [each.source for each in library.copies_to_make(9, without={first, second})] == ["/photos/z.jpg"]


def test_the_doubtful_come_first_those_with_most_doubts_before_others(library: RedactionQueries) -> None:
    ids = plan(library, "sure.jpg", "failed.jpg", "doubt.jpg", "doubts.jpg")
    make(library, ids[0], replace(FACTS, doubts=()))
    library.copy_failed(ids[1], ImageTruncated(), now=NOW)
    make(library, ids[2], replace(FACTS, doubts=(Doubtful.SMALL,)), review=True)
    make(library, ids[3], review=True)

    page = library.redaction_items("one", limit=3)

    assert [each.source for each in page.items] == ["/photos/doubts.jpg", "/photos/doubt.jpg", "/photos/failed.jpg"]
    assert page.total == 4
    assert [each.id for each in library.redaction_items("one", limit=3, offset=3).items] == [ids[0]]


def test_what_was_looked_at_is_doubtful_no_more(library: RedactionQueries) -> None:
    ids = plan(library, "a.jpg", "b.jpg", "c.jpg")
    for each in ids:
        make(library, each, review=True)

    assert library.copies_accepted("one", [ids[0], 99], now=LATER) == 1
    assert library.copies_accepted("one", None, now=LATER) == 2
    batch = library.redaction_batch("one")
    assert batch is not None and batch.counts[ItemState.DONE] == 3
    assert library.copies_accepted("one", None, now=LATER) == 0
    said = [(each.action, each.number, each.detail) for each in library.audit_entries(limit=9)]
    assert said == [("copies_approved", 2, "one"), ("copies_approved", 1, "one")]


def test_copies_are_approved_as_they_were_seen(library: RedactionQueries) -> None:
    ids = plan(library, "a.jpg", "b.jpg")
    for each in ids:
        make(library, each, review=True)
    seen = library.redaction_items("one", limit=1).changed_at
    library.copy_edited(ids[0], MARKS, now=LATER)
    make(library, ids[0], review=True, now=LATER)

    with pytest.raises(ApprovalOutdated):
        library.copies_accepted("one", [ids[0]], now=LATER, seen=seen)
    assert library.copies_accepted("one", None, now=LATER, seen=seen) == 1
    [left] = [each.id for each in library.redaction_items("one", limit=9).items if each.state is ItemState.NEEDS_REVIEW]
    assert left == ids[0]
    assert library.copies_accepted("one", [left], now=LATER, seen=library.redaction_items("one", limit=1).changed_at) == 1


PUBLISH = replace(WISH, choice=PeopleChoice(frozenset({3}), None, consented=True))


def test_copies_for_publishing_are_approved_by_someone_who_neither_planned_nor_edited_them(library: RedactionQueries) -> None:
    with acting_as("mei"):
        ids = plan(library, "a.jpg", "b.jpg", wish=PUBLISH)
    for each in ids:
        make(library, each, review=True)
    with acting_as("ben"):
        library.copy_edited(ids[0], MARKS, now=LATER)
    make(library, ids[0], review=True)
    waiting = [library.redaction(each) for each in ids]
    assert all(each is not None and each.awaits_approval for each in waiting)
    published = {each: [item is not None and item.is_published_by(each) for item in waiting] for each in ("mei", "ben", "priya")}
    assert published == {"mei": [True, True], "ben": [True, False], "priya": [False, False]}

    def accept(member: str, which: list[int] | None, *, second_person: bool = True) -> int:
        with acting_as(member):
            return library.copies_accepted("one", which, now=LATER, second_person=second_person)

    for member, which in (("mei", None), ("mei", [ids[1]]), ("ben", None), ("ben", [ids[0]])):
        with pytest.raises(ApprovalAwaited):
            accept(member, which)
    assert accept("ben", [ids[1]]) == 1
    assert accept("priya", None) == 1
    assert {each.state for each in library.redaction_items("one", limit=9).items} == {ItemState.DONE}


def test_one_person_approves_what_is_not_for_publishing_what_the_settings_leave_to_them_and_on_the_desktop(
    library: RedactionQueries,
) -> None:
    with acting_as("mei"):
        [own] = plan(library, "a.jpg")
        [published] = plan(library, "b.jpg", uid="two", wish=PUBLISH)
    [here] = plan(library, "c.jpg", uid="three", wish=PUBLISH)
    for each in (own, published, here):
        make(library, each, review=True)
    with acting_as("mei"):
        assert library.copies_accepted("one", None, now=LATER, second_person=True) == 1
        assert library.copies_accepted("two", None, now=LATER, second_person=False) == 1
    item = library.redaction(here)
    assert item is not None and not item.awaits_approval and not item.is_published_by(HERE)
    assert library.copies_accepted("three", None, now=LATER, second_person=True) == 1


def test_who_uncovers_faces_in_a_copy_is_recorded(library: RedactionQueries) -> None:
    [item_id] = plan(library, "a.jpg")
    make(library, item_id, review=True)
    with acting_as("a" * 32):
        library.copy_edited(item_id, [replace(mark, covered=False) for mark in MARKS], now=LATER)
    [entry] = library.audit_entries(limit=9)
    covered_before = sum(mark.covered for mark in MARKS)
    assert covered_before > 0
    assert (entry.action, entry.number, entry.actor, entry.detail) == ("faces_uncovered", covered_before, "a" * 32, f"one {item_id}")


def test_edited_marks_are_made_anew(library: RedactionQueries) -> None:
    [item_id] = plan(library, "a.jpg")
    assert library.copy_edited(item_id, MARKS, now=NOW) is None, "there is no copy yet"
    make(library, item_id, review=True)

    edited = library.copy_edited(item_id, MARKS[:1], now=LATER)

    assert edited is not None and edited.facts is not None
    assert (edited.state, edited.edited, edited.facts.marks, edited.facts.copy_sha256) == (ItemState.PLANNED, True, MARKS[:1], "b" * 64)
    assert [each.id for each in library.copies_to_make(9)] == [item_id]


def test_a_batch_that_is_stopped_keeps_what_was_made(library: RedactionQueries) -> None:
    [first, _] = plan(library, "a.jpg", "b.jpg")
    make(library, first)

    [other] = library.copies_to_make(9)
    assert library.stop_copies("one") == 1
    assert library.copies_to_make(9) == []
    assert not library.record_pending(other.id, FACTS, now=NOW), "who was making it learns that nobody wants it"
    assert library.redaction_items("one", limit=9).total == 2
    [batch] = library.redaction_batches(limit=9)
    assert (batch.counts[ItemState.DONE], batch.counts[ItemState.STOPPED]) == (1, 1), "and says what is left"
    assert library.retry_copies("one", now=LATER) == 1
    assert len(library.copies_to_make(9)) == 1


def test_what_somebody_edited_is_what_it_was_if_its_batch_is_stopped(library: RedactionQueries) -> None:
    [item_id, _] = plan(library, "a.jpg", "b.jpg")
    make(library, item_id)
    for marks in (MARKS[:1], ()):
        library.copy_edited(item_id, marks, now=NOW)
        library.stop_copies("one")
        item = library.redaction(item_id)
        assert item is not None and (item.state, item.facts) == (ItemState.NEEDS_REVIEW, FACTS)
    assert library.copies_to_make(9) == []


def test_unless_it_is_just_put_into_place(library: RedactionQueries) -> None:
    [item_id] = plan(library, "a.jpg")
    make(library, item_id)
    edited = library.copy_edited(item_id, MARKS[:1], now=NOW)
    assert edited is not None and edited.facts is not None
    library.record_pending(item_id, replace(edited.facts, copy_sha256="c" * 64, replaces="b" * 64), now=NOW)

    assert library.stop_copies("one") == 0
    [item] = library.copies_to_make(9)
    assert item.facts is not None and item.facts.marks == MARKS[:1]


def test_batches_are_told_newest_first_with_what_became_of_them(library: RedactionQueries) -> None:
    plan(library, "a.jpg", "b.jpg")
    library.folder_batch("/photos", WISH, uid="rule", now=LATER)

    [rule, one] = library.redaction_batches(limit=9)

    assert (rule.uid, rule.folder, one.uid, one.folder, one.at) == ("rule", "/photos", "one", None, NOW)
    assert one.counts[ItemState.PLANNED] == 2
    assert library.redaction_batches(limit=1, offset=1) == [one]
    assert library.redaction_batch("none") is None


def test_old_batches_go_but_not_while_something_is_left_to_make_nor_the_rules_of_watched_folders(library: RedactionQueries) -> None:
    [item_id] = plan(library, "a.jpg")
    plan(library, "b.jpg", uid="unfinished")
    for folder in ("/photos", "/left"):
        library.folder_batch(folder, WISH, uid=folder, now=NOW)
    make(library, item_id)

    assert library.expire_redactions(before=NOW, folders=["/photos", "/left"]) == 0
    assert library.expire_redactions(before=LATER, folders=["/photos"]) == 2
    assert {each.uid for each in library.redaction_batches(limit=9)} == {"unfinished", "/photos"}
    assert library.redaction(item_id) is None


# -- a watched folder's rule ---------------------------------------------------------------------------------------------------------


def index(library: RedactionQueries, path: str, content: str, *, at: datetime = LATER, mtime: int = 1) -> int:
    """A file of a watched folder is analysed; returns its place id."""
    seen = FileSeen(path, 100, mtime, "/photos")
    library.note_file(seen, Recipe("centerface-2"), priority=Priority.NEW, now=at, sha256=content * 64)
    for job in library.lease(9, now=at, until=at + timedelta(hours=1))[0]:
        analysis = Analysis(content * 64, 100, 640, 480, "jpeg", Recipe("centerface-2"), "f32", (), StageTimes())
        library.commit(job, analysis, now=at)
    place = library.place(path)
    assert place is not None
    return place.place_id


def test_only_files_that_came_or_changed_since_there_is_the_rule_want_a_copy(library: RedactionQueries) -> None:
    index(library, "/photos/old.jpg", "1", at=NOW - timedelta(days=1))
    changing = index(library, "/photos/changing.jpg", "2", at=NOW - timedelta(days=1))
    rule = library.folder_batch("/photos", WISH, uid="rule", now=NOW)
    new = index(library, "/photos/new.jpg", "3")
    index(library, "/photos/changing.jpg", "4", mtime=2)

    assert set(library.uncopied(rule)) == {"/photos/new.jpg", "/photos/changing.jpg"}
    assert library.uncopied(rule, places=[changing]) == ["/photos/changing.jpg"]
    assert library.uncopied(rule, places=[]) == []
    assert len(library.uncopied(rule, limit=1)) == 1
    assert new != changing


def test_each_content_of_a_file_is_copied_once(library: RedactionQueries) -> None:
    rule = library.folder_batch("/photos", WISH, uid="rule", now=NOW)
    index(library, "/photos/a.jpg", "a")
    library.plan_more(rule, [PlannedCopy("/photos/a.jpg", "/safe/a.jpg")], now=LATER)
    assert library.uncopied(rule) == [], "it is planned"
    [item] = library.copies_to_make(9)
    make(library, item.id)
    assert library.uncopied(rule) == [], "it is made"

    index(library, "/photos/a.jpg", "c", mtime=2)

    assert library.uncopied(rule) == ["/photos/a.jpg"]
    library.plan_more(rule, [PlannedCopy("/photos/a.jpg", "/safe/a (2).jpg")], now=LATER)
    [again] = library.copies_to_make(9)
    assert (again.target, again.facts) == ("/safe/a (2).jpg", None)


def test_a_file_whose_copy_failed_waits_until_it_changes(library: RedactionQueries) -> None:
    rule = library.folder_batch("/photos", WISH, uid="rule", now=NOW)
    index(library, "/photos/a.jpg", "a")
    library.plan_more(rule, [PlannedCopy("/photos/a.jpg", "/safe/a.jpg")], now=LATER)
    [item] = library.copies_to_make(9)

    library.copy_failed(item.id, ImageTruncated(), now=LATER)

    assert library.uncopied(rule) == []
    index(library, "/photos/a.jpg", "c", mtime=2, at=LATER + timedelta(hours=1))
    assert library.uncopied(rule) == ["/photos/a.jpg"]


def test_a_copy_is_never_copied_again(library: RedactionQueries) -> None:
    rule = library.folder_batch("/photos", WISH, uid="rule", now=NOW)
    [item_id] = plan(library, "elsewhere.jpg")
    make(library, item_id)

    index(library, "/photos/copy of it.jpg", "b")

    assert library.uncopied(rule) == []


def test_a_copy_is_known_among_images_wherever_it_lies(library: RedactionQueries) -> None:
    [item_id] = plan(library, "elsewhere.jpg")
    make(library, item_id)
    index(library, "/photos/copy of it.jpg", "b")
    index(library, "/photos/other.jpg", "c")
    copy, other = (found.id for content in "bc" if (found := library.image_by_hash(content * 64)))

    assert library.covered_copies({copy, other}) == {copy}
    assert library.covered_copies(set()) == set()


def clip(
    library: RedactionQueries, name: str, *, at: datetime = LATER, mtime: int = 1, size: int = 100, sha256: str | None = None
) -> tuple[Noted, int]:
    return library.note_clip(FileSeen(f"/photos/{name}", size, mtime, "/photos"), now=at, sha256=sha256)


def test_clips_that_came_since_there_is_the_rule_want_a_copy_too(library: RedactionQueries) -> None:
    clip(library, "old.mp4", at=NOW - timedelta(days=1))
    rule = library.folder_batch("/photos", WISH, uid="rule", now=NOW)
    index(library, "/photos/a.jpg", "a")
    noted, new = clip(library, "new.MOV")
    waiting = FileSeen("/photos/waiting.jpg", 100, 1, "/photos")
    library.note_file(waiting, Recipe("centerface-2"), priority=Priority.NEW, now=LATER)

    assert noted is Noted.ATTACHED and clip(library, "new.MOV") == (Noted.UNCHANGED, new)
    assert library.uncopied(rule) == ["/photos/a.jpg", "/photos/new.MOV"]
    assert library.uncopied(rule, places=[new]) == ["/photos/new.MOV"]
    assert library.uncopied(rule, limit=1) == ["/photos/a.jpg"]
    library.files_gone(["/photos/new.MOV"], now=LATER)
    assert library.uncopied(rule) == ["/photos/a.jpg"]


def test_a_clip_is_copied_once_and_again_when_it_is_another(library: RedactionQueries) -> None:
    rule = library.folder_batch("/photos", WISH, uid="rule", now=NOW)
    clip(library, "a.mp4", at=NOW)

    def copied() -> None:
        library.plan_more(rule, [PlannedCopy("/photos/a.mp4", "/safe/a.mp4")], now=NOW)
        assert library.uncopied(rule) == [], "it is planned"
        [item] = library.copies_to_make(9)
        make(library, item.id)
        assert library.uncopied(rule) == [], "it is made"

    copied()
    assert clip(library, "a.mp4", mtime=2)[0] is Noted.HASH_WANTED
    assert clip(library, "a.mp4", mtime=2, sha256="a" * 64)[0] is Noted.UNCHANGED, "only its time changed"
    assert library.uncopied(rule) == []
    assert clip(library, "a.mp4", mtime=3, sha256="c" * 64)[0] is Noted.ATTACHED
    assert library.uncopied(rule) == ["/photos/a.mp4"]
    copied()
    assert clip(library, "a.mp4", mtime=3, size=101)[0] is Noted.ATTACHED
    assert library.uncopied(rule) == ["/photos/a.mp4"]


def test_a_clip_whose_copy_failed_waits_until_it_changes(library: RedactionQueries) -> None:
    rule = library.folder_batch("/photos", WISH, uid="rule", now=NOW)
    clip(library, "a.mp4")
    library.plan_more(rule, [PlannedCopy("/photos/a.mp4", "/safe/a.mp4")], now=LATER)
    [item] = library.copies_to_make(9)

    library.copy_failed(item.id, ImageTruncated(), now=LATER)

    assert library.uncopied(rule) == []
    assert clip(library, "a.mp4", mtime=2)[0] is Noted.ATTACHED, "nothing is known of what was in it"
    assert library.uncopied(rule) == ["/photos/a.mp4"]


def test_a_copy_of_a_clip_is_never_copied_again(library: RedactionQueries) -> None:
    rule = library.folder_batch("/photos", WISH, uid="rule", now=NOW)
    library.plan_copies("one", WISH, [PlannedCopy("/in/a.mp4", "/photos/a.mp4")], now=NOW)
    [item] = library.copies_to_make(9)

    library.record_pending(item.id, FACTS, now=NOW)
    clip(library, "a.mp4")

    assert library.uncopied(rule) == []


def test_a_clip_is_no_photo_that_waits_to_be_looked_at(library: RedactionQueries) -> None:
    clip(library, "a.mp4")

    assert library.queue_unseen(now=LATER) == 0
    assert list(library.known_files("/photos")) == [("/photos/a.mp4", (100, 1))]


def test_a_rule_keeps_its_batch_and_follows_the_wish(library: RedactionQueries) -> None:
    first = library.folder_batch("/photos", WISH, uid="rule", now=NOW)
    library.plan_more(first, [PlannedCopy("/photos/a.jpg", "/safe/a.jpg")], now=NOW)

    assert library.folder_batch("/photos", RedactionOptions(), uid="other", now=LATER) == first
    [item] = library.copies_to_make(9)
    assert item.wish == RedactionOptions()


def test_nothing_is_added_to_a_batch_that_is_gone(library: RedactionQueries) -> None:
    library.plan_more("gone", [PlannedCopy("/photos/a.jpg", "/safe/a.jpg")], now=NOW)

    assert library.copies_to_make(9) == []


def test_clips_can_be_left_for_later(library: RedactionQueries) -> None:
    copies = [PlannedCopy(f"/in/{name}", f"/out/{name}") for name in ("a.mp4", "b.jpg", "C.MOV", "mp4", "d.mp4.png")]
    library.plan_copies("both", RedactionOptions(), copies, now=NOW)
    assert [each.source for each in library.copies_to_make(9, clips=False)] == ["/in/b.jpg", "/in/mp4", "/in/d.mp4.png"]
    assert len(library.copies_to_make(9)) == 5

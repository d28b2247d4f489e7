"""What every library must do, whatever it is built on."""

import threading
from datetime import UTC, datetime, timedelta

import pytest

from agent.domain.edits import DescribePersonEdit, NameFacesEdit
from agent.domain.errors import EngineCrashed, FaceUnknown, ImageCorrupt, ImageMissing, ImageTruncated, ModelMissing
from agent.domain.events import (
    ImageFailed,
    ImageIndexed,
    LocationAdded,
    LocationLost,
    LocationMoved,
    PeopleChanged,
    RecognitionPurged,
    StoredEvent,
)
from agent.domain.face import Analysis, Box, Face, Quality, StageTimes
from agent.domain.identity_matching import Certainty, Identity
from agent.domain.image import NO_FACES, FileSeen, Recipe
from agent.domain.jobs import Job, JobState, Priority
from agent.features.library.records import Noted, Portrait
from agent.features.redaction.queries.redaction_queries import RedactionQueries
from agent.infrastructure.core.request_id import bound
from agent.infrastructure.store.path_index import FolderArea
from agent.server.uploads.queries import UploadQueries
from agent.server.uploads.records import Upload
from agent.server.workers.event_relay import EventQueries
from tests.support.stored_embeddings import image_embeddings

NOW = datetime(2026, 3, 4, 5, 6, 7, 89, tzinfo=UTC)
LATER = NOW + timedelta(hours=1)
DETECT = Recipe("centerface-2")
ORDINARY = Quality(31.5, 99.0, -3.0, 1.25)
RECOGNISE = Recipe("centerface-2", "mobilefacenet-1")


def a_face(x: float = 10.0, *, embedding: bytes | None = None, chip: bytes | None = None, quality: Quality = ORDINARY) -> Face:
    landmarks = ((x, 1.0), (x + 9, 1.5), (x + 5, 5.0), (x, 9.0), (x + 9, 9.25))
    return Face(Box(x, 20.0, 30.0, 40.0), 0.875, landmarks, quality, embedding, chip)


def an_analysis(content: str = "a", *faces: Face, recipe: Recipe = DETECT, size: int = 100) -> Analysis:
    return Analysis(content * 64, size, 640, 480, "jpeg", recipe, "f32", faces, StageTimes(1.0, 2.0, 3.0, 4.0))


def note(
    library: RedactionQueries, path: str, *, size: int = 100, mtime: int = 1, recipe: Recipe = DETECT, sha256: str | None = None
) -> Noted:
    seen = FileSeen(path, size, mtime, "/photos")
    return library.note_file(seen, recipe, priority=Priority.NEW, now=NOW, sha256=sha256)[0]


def lease(library: RedactionQueries, limit: int = 1) -> list[Job]:
    return library.lease(limit, now=NOW, until=LATER)[0]


def index(library: RedactionQueries, path: str, content: str = "a", *faces: Face, recipe: Recipe = DETECT, size: int = 100) -> int:
    """Note and analyse one file; returns the image id."""
    assert note(library, path, recipe=recipe, size=size, sha256=content * 64) is Noted.QUEUED
    [job] = lease(library)
    library.commit(job, an_analysis(content, *faces, recipe=recipe, size=size), now=NOW)
    state = library.place(path)
    assert state is not None and state.image_id is not None
    return state.image_id


def named(library: RedactionQueries, face_id: int, name: str, *, now: datetime) -> tuple[int, list[StoredEvent]]:
    """Who it is now, and what happened."""
    step, happened = library.edit(NameFacesEdit(face_ids=(face_id,), name=name), now=now)
    assert step.person_id is not None
    return step.person_id, happened


# -- files ---------------------------------------------------------------------------------------------------------------------------


def test_faces_are_found_by_the_content_of_their_images(library: RedactionQueries) -> None:
    for content, faces in (("a", (a_face(1.0), a_face(60.0))), ("b", ()), ("c", (a_face(),))):
        index(library, f"/photos/{content}.jpg", content, *faces)
    found = library.faces_by_hash(["a" * 64, "b" * 64, "d" * 64])
    assert list(found) == ["a" * 64] and [box.x for _, box in found["a" * 64]] == [1.0, 60.0]


def test_the_images_beside_a_sidecar_are_found_by_its_name(library: RedactionQueries) -> None:
    jpeg, raw = index(library, "/photos/a.jpg", "a"), index(library, "/photos/a.cr2", "b")
    index(library, "/photos/ab.jpg", "c"), index(library, "/photos/a b.jpg", "d")
    note(library, "/photos/a.png")
    assert library.images_beside("/photos/a.jpg.xmp") == [jpeg]
    assert set(library.images_beside("/photos/a.XMP")) == {jpeg, raw}
    assert library.images_beside("/photos/other.xmp") == [] == library.images_beside("/a.xmp")
    library.files_gone(["/photos/a.jpg"], now=NOW)
    assert library.images_beside("/photos/a.jpg.xmp") == []


def test_a_new_file_becomes_one_job_and_an_unchanged_one_none(library: RedactionQueries) -> None:
    assert note(library, "/photos/a.jpg") is Noted.QUEUED
    assert note(library, "/photos/a.jpg") is Noted.UNCHANGED
    assert [job.path for job in lease(library, 9)] == ["/photos/a.jpg"]
    assert note(library, "/photos/a.jpg") is Noted.UNCHANGED
    assert lease(library, 9) == []


def test_an_analysed_image_reads_back_as_it_was_written(library: RedactionQueries) -> None:
    note(library, "/photos/a.jpg")
    [job] = lease(library)
    [recorded] = library.commit(job, an_analysis("a", a_face(10), a_face(200)), now=NOW)
    assert recorded.event == ImageIndexed(image_id=1, place_id=job.place_id, faces=2)
    assert recorded.at == NOW
    image = library.image(1)
    assert image is not None
    assert (image.sha256, image.size, image.width, image.height, image.format) == ("a" * 64, 100, 640, 480, "jpeg")
    assert (image.recipe, image.precision, image.ms, image.indexed_at) == (DETECT, "f32", StageTimes(1.0, 2.0, 3.0, 4.0), NOW)
    assert image.places == ((job.place_id, "/photos/a.jpg"),)
    assert [stored.face for stored in image.faces] == [a_face(10), a_face(200)]
    assert library.images(limit=9) == [image]


def test_the_hash_is_wanted_only_when_an_analysed_image_has_the_same_size(library: RedactionQueries) -> None:
    note(library, "/photos/a.jpg")
    assert note(library, "/photos/b.jpg") is Noted.QUEUED  # nothing is analysed yet
    [job, _] = lease(library, 2)
    library.commit(job, an_analysis("a"), now=NOW)
    assert note(library, "/photos/c.jpg") is Noted.HASH_WANTED
    assert library.place("/photos/c.jpg") is None
    assert note(library, "/photos/d.jpg", size=101) is Noted.QUEUED
    assert note(library, "/photos/c.jpg", recipe=RECOGNISE) is Noted.QUEUED  # that image's analysis would not do


def test_the_same_photo_twice_is_one_image_in_two_places(library: RedactionQueries) -> None:
    image_id = index(library, "/photos/a.jpg", "a", a_face())
    noted, recorded = library.note_file(FileSeen("/photos/b.jpg", 100, 7), DETECT, priority=Priority.NEW, now=NOW, sha256="a" * 64)
    assert noted is Noted.ATTACHED
    assert isinstance(recorded[0].event, LocationAdded) and recorded[0].event.image_id == image_id
    [image] = library.images(limit=9)
    assert [path for _, path in image.places] == ["/photos/a.jpg", "/photos/b.jpg"]
    assert lease(library, 9) == []


def test_two_copies_analysed_at_once_end_as_one_image(library: RedactionQueries) -> None:
    note(library, "/photos/a.jpg")
    note(library, "/photos/b.jpg")
    first, second = lease(library, 2)
    library.commit(first, an_analysis("a", a_face()), now=NOW)
    [recorded] = library.commit(second, an_analysis("a", a_face()), now=NOW)
    assert recorded.event == LocationAdded(image_id=1, place_id=second.place_id)
    assert (library.counts().images, library.counts().faces) == (1, 1)


def test_a_changed_file_goes_over_to_its_new_content(library: RedactionQueries) -> None:
    old = index(library, "/photos/a.jpg", "a", a_face())
    assert note(library, "/photos/a.jpg", size=200, mtime=2) is Noted.QUEUED
    [job] = lease(library)
    library.commit(job, an_analysis("b", size=200), now=NOW)
    [image] = library.images(limit=9)
    assert image.sha256 == "b" * 64 and image.id != old
    assert library.image(old) is not None  # its names could be wanted again
    assert library.purge_missing(before=NOW) == 0
    assert library.purge_missing(before=LATER) == 1
    assert library.image(old) is None


def test_a_file_that_was_only_touched_keeps_its_image(library: RedactionQueries) -> None:
    index(library, "/photos/a.jpg")
    assert note(library, "/photos/a.jpg", mtime=2) is Noted.HASH_WANTED
    assert note(library, "/photos/a.jpg", mtime=2, sha256="a" * 64) is Noted.UNCHANGED
    assert note(library, "/photos/a.jpg", mtime=2) is Noted.UNCHANGED
    assert lease(library, 9) == []


def test_a_file_that_changes_while_it_is_analysed_is_analysed_again(library: RedactionQueries) -> None:
    note(library, "/photos/a.jpg")
    [stale] = lease(library)
    assert note(library, "/photos/a.jpg", size=150, mtime=2) is Noted.QUEUED
    assert library.commit(stale, an_analysis("a"), now=NOW) == []
    [fresh] = lease(library)
    assert fresh.id != stale.id
    library.commit(fresh, an_analysis("b", size=150), now=NOW)
    assert [image.sha256 for image in library.images(limit=9)] == ["b" * 64]


def test_a_folder_that_is_gone_takes_what_is_below_it_and_not_its_namesakes(library: RedactionQueries) -> None:
    for path in ("/a/1.jpg", "/a/b/2.jpg", "/ab/3.jpg", "/a.jpg", "/a\\4.jpg"):
        note(library, path)
    events = [recorded.event for recorded in library.files_gone(["/a"], now=NOW)]
    assert all(isinstance(event, LocationLost) for event in events) and len(events) == 2
    assert {job.path for job in lease(library, 9)} == {"/ab/3.jpg", "/a.jpg", "/a\\4.jpg"}
    assert library.files_gone(["/a"], now=NOW) == []


def test_windows_folders_hold_what_is_below_them(library: RedactionQueries) -> None:
    for path in ("C:\\a\\1.jpg", "C:\\a\\b\\2.jpg", "C:\\ab\\3.jpg", "D:\\a\\4.jpg", "C:/a/5.jpg"):
        note(library, path)
    assert set(dict(library.known_files("C:\\a"))) == {"C:\\a\\1.jpg", "C:\\a\\b\\2.jpg"}
    assert len(dict(library.known_files("C:\\"))) == 4
    assert [path for path, _ in library.known_files("C:\\")] == ["C:/a/5.jpg", "C:\\a\\1.jpg", "C:\\a\\b\\2.jpg", "C:\\ab\\3.jpg"]
    library.tree_moved("C:\\a", "C:\\z", now=NOW)
    assert set(dict(library.known_files("C:\\z\\"))) == {"C:\\z\\1.jpg", "C:\\z\\b\\2.jpg"}


def test_a_missing_file_that_reappears_unchanged_has_its_faces_again(library: RedactionQueries) -> None:
    index(library, "/photos/a.jpg", "a", a_face())
    library.files_gone(["/photos/a.jpg"], now=NOW)
    assert dict(library.known_files("/photos")) == {}
    assert note(library, "/photos/a.jpg") is Noted.UNCHANGED
    assert dict(library.known_files("/photos")) == {"/photos/a.jpg": (100, 1)}
    assert library.purge_missing(before=LATER) == 0


def test_a_missing_file_that_was_never_analysed_is_queued_when_it_reappears(library: RedactionQueries) -> None:
    note(library, "/photos/a.jpg")
    library.files_gone(["/photos"], now=NOW)
    assert lease(library, 9) == []
    assert note(library, "/photos/a.jpg") is Noted.QUEUED


def test_the_last_place_gone_for_the_grace_time_purges_the_image(library: RedactionQueries) -> None:
    image_id = index(library, "/photos/a.jpg", "a", a_face())
    note(library, "/photos/b.jpg", sha256="a" * 64)
    library.files_gone(["/photos/a.jpg"], now=NOW)
    assert library.purge_missing(before=LATER) == 0  # the other place still has it
    library.files_gone(["/photos/b.jpg"], now=LATER)
    assert library.purge_missing(before=LATER) == 0
    assert library.image(image_id) is not None
    assert library.purge_missing(before=LATER + timedelta(seconds=1)) == 1
    assert library.counts().faces == 0


def test_a_moved_file_keeps_its_faces_and_replaces_what_was_there(library: RedactionQueries) -> None:
    image_id = index(library, "/photos/a.jpg", "a", a_face())
    index(library, "/photos/b.jpg", "b", size=7)
    events = [recorded.event for recorded in library.file_moved("/photos/a.jpg", FileSeen("/photos/b.jpg", 100, 1), now=NOW)]
    assert [type(event) for event in events] == [LocationLost, LocationMoved]
    assert [(image.id, image.places[0][1]) for image in library.images(limit=9)] == [(image_id, "/photos/b.jpg")]
    assert library.place("/photos/a.jpg") is None
    assert library.file_moved("/photos/unknown.jpg", FileSeen("/photos/c.jpg", 1, 1), now=NOW) == []


def test_a_file_that_moves_while_it_is_analysed_is_not_lost(library: RedactionQueries) -> None:
    note(library, "/photos/a.jpg")
    [stale] = lease(library)
    library.file_moved("/photos/a.jpg", FileSeen("/photos/b.jpg", 100, 1), now=NOW)
    assert library.fail(stale, JobState.FAILED, ImageTruncated(), now=NOW) == []
    [job] = lease(library)
    assert (job.path, job.attempts) == ("/photos/b.jpg", 1)


def test_a_renamed_folder_keeps_all_faces(library: RedactionQueries) -> None:
    for name, content in (("1", "1"), ("sub/2", "2")):
        index(library, f"/photos/old/{name}.jpg", content, a_face(), size=ord(content))
    index(library, "/photos/older.jpg", "3", size=3)
    assert len(library.tree_moved("/photos/old", "/photos/new/", now=NOW)) == 2
    assert set(dict(library.known_files("/photos/new"))) == {"/photos/new/1.jpg", "/photos/new/sub/2.jpg"}
    assert library.place("/photos/older.jpg") is not None


@pytest.mark.parametrize("path", ["/photos/\udcff\udc80.jpg", "/photos/日本 ☃ '\".jpg", "C:\\lone \ud800 surrogate.jpg"])
def test_a_name_that_is_no_valid_unicode_comes_back_as_it_was(library: RedactionQueries, path: str) -> None:
    note(library, path)
    [job] = lease(library)
    state = library.place(path)
    assert job.path == path and state is not None and state.path == path


# -- queue ---------------------------------------------------------------------------------------------------------------------------


def test_a_job_keeps_the_id_of_the_request_that_made_it(library: RedactionQueries) -> None:
    with bound("0a1b"):
        note(library, "/photos/a.jpg")
    note(library, "/photos/b.jpg", size=101)
    jobs = lease(library, 2)
    assert [each.request_id for each in jobs] == ["0a1b", ""]
    library.file_moved("/photos/a.jpg", FileSeen("/photos/c.jpg", 100, 1, "/photos"), now=NOW)  # its job starts again
    library.fail(jobs[1], JobState.FAILED, ImageCorrupt(), now=NOW)
    with bound("2c3d"):
        library.retry()
    assert {each.path: each.request_id for each in lease(library, 2)} == {"/photos/c.jpg": "0a1b", "/photos/b.jpg": "2c3d"}


def test_an_uploaded_photos_job_keeps_the_id_of_the_upload(library: RedactionQueries) -> None:
    uploads = UploadQueries(library.database)
    uploads.add(Upload("1" * 32, "", None, "a.jpg", 100, None, NOW, LATER))
    with bound("0a1b"):
        uploads.plan("1" * 32, "a" * 64, "/photos/a.jpg")
    note(library, "/photos/a.jpg")  # later, by the folder's watch
    assert [each.request_id for each in lease(library)] == ["0a1b"]


def test_jobs_go_by_priority_then_fewest_attempts_then_age(library: RedactionQueries) -> None:
    for path, priority in (("/1", Priority.BACKLOG), ("/2", Priority.NEW), ("/3", Priority.NEW), ("/4", Priority.ASKED)):
        library.note_file(FileSeen(path, 1, 1), DETECT, priority=priority, now=NOW)
    [_, tried] = lease(library, 2)
    library.fail(tried, JobState.QUEUED, EngineCrashed(), now=NOW)
    assert [job.path for job in lease(library, 9)] == ["/3", "/2", "/1"]


def test_somebody_who_waits_moves_a_job_forward(library: RedactionQueries) -> None:
    note(library, "/1")
    note(library, "/2")
    assert library.note_file(FileSeen("/2", 100, 1), DETECT, priority=Priority.ASKED, now=NOW)[0] is Noted.UNCHANGED
    assert note(library, "/2") is Noted.UNCHANGED  # does not move it back
    assert lease(library)[0].path == "/2"


def test_a_file_that_was_away_when_it_was_to_be_read_is_taken_again_once_it_is_seen(library: RedactionQueries) -> None:
    for path, error in (("/photos/away.jpg", ImageMissing()), ("/photos/bad.jpg", ImageTruncated())):
        note(library, path)
        [job] = lease(library)
        library.fail(job, JobState.FAILED, error, now=NOW)
    known = dict(library.known_files("/photos"))
    assert known["/photos/away.jpg"] != (100, 1), "the next look through the folder tells of it"
    assert known["/photos/bad.jpg"] == (100, 1)
    assert [note(library, path) for path in known] == [Noted.QUEUED, Noted.UNCHANGED]
    assert [job.path for job in lease(library, 9)] == ["/photos/away.jpg"]
    assert library.counts().jobs.get(JobState.FAILED) == 1


def test_committing_twice_changes_nothing(library: RedactionQueries) -> None:
    note(library, "/photos/a.jpg")
    [job] = lease(library)
    library.commit(job, an_analysis("a", a_face()), now=NOW)
    before = library.images(limit=9), library.counts(), EventQueries(library.database).last_event_id()
    assert library.commit(job, an_analysis("a", a_face(), a_face(99)), now=LATER) == []
    assert (library.images(limit=9), library.counts(), EventQueries(library.database).last_event_id()) == before


def test_released_jobs_were_never_tried(library: RedactionQueries) -> None:
    note(library, "/1")
    note(library, "/2")
    first, _ = lease(library, 2)
    library.release([first])
    assert library.release_leases() == 1
    assert [job.attempts for job in lease(library, 9)] == [1, 1]


def test_a_worker_gives_back_its_own_leases_only(library: RedactionQueries) -> None:
    note(library, "/1")
    note(library, "/2")
    [[mine], _] = library.lease(1, now=NOW, until=LATER)
    [[other], _] = library.lease(1, worker="other", now=NOW, until=LATER)
    assert library.release_leases("third") == 0
    assert library.release_leases("other") == 1
    [[again], _] = library.lease(9, worker="third", now=NOW, until=LATER)
    assert (again.id, again.attempts) == (other.id, 1)
    library.commit(mine, an_analysis("a"), now=NOW)
    assert library.counts().jobs[JobState.DONE] == 1, "the lease of the first worker still held"
    assert library.release_leases() == 0
    expired, _ = library.lease(9, now=LATER, until=LATER + timedelta(hours=1))
    assert [(job.id, job.attempts) for job in expired] == [(other.id, 2)], "an expired lease counts as an attempt, whoever held it"
    assert library.release_leases("third") == 0 and library.release_leases() == 1


def test_a_failed_file_waits_until_it_changes_or_somebody_asks(library: RedactionQueries) -> None:
    note(library, "/photos/a.jpg")
    [job] = lease(library)
    [recorded] = library.fail(job, JobState.FAILED, ImageTruncated(), now=NOW)
    assert recorded.event == ImageFailed(place_id=job.place_id, code="image.truncated")
    [problem] = library.problems(limit=9).items
    assert isinstance(problem.error, ImageTruncated) and problem.job is JobState.FAILED and problem.at == NOW
    assert note(library, "/photos/a.jpg") is Noted.UNCHANGED
    assert library.note_file(FileSeen("/photos/a.jpg", 100, 1), DETECT, priority=Priority.ASKED, now=NOW)[0] is Noted.QUEUED
    assert library.problems(limit=9).items == ()


def test_problems_come_newest_first(library: RedactionQueries) -> None:
    for number, state in enumerate((JobState.FAILED, JobState.QUARANTINED, JobState.FAILED)):
        note(library, f"/{number}")
        [job] = lease(library)
        library.fail(job, state, EngineCrashed(), now=NOW + timedelta(seconds=number))
    assert [problem.path for problem in library.problems(limit=2).items] == ["/2", "/1"]
    assert library.retry([library.problems(limit=1).items[0].place_id]) == 1
    assert library.retry() == 2
    assert [job.attempts for job in lease(library, 9)] == [1, 1, 1]


def test_what_is_not_the_files_fault_does_not_count_against_it(library: RedactionQueries) -> None:
    note(library, "/1")
    for _ in range(5):
        [job] = lease(library)
        assert job.attempts == 1
        library.fail(job, JobState.QUEUED, ModelMissing(model="centerface"), now=NOW)


def test_a_lease_that_runs_out_is_an_attempt_that_crashed(library: RedactionQueries) -> None:
    note(library, "/1")
    assert lease(library)[0].attempts == 1
    [job], ended = library.lease(1, now=LATER, until=LATER)
    assert (job.attempts, ended) == (2, [])
    assert library.lease(1, now=LATER, until=LATER) == ([], library.events(after=0, limit=9))
    [recorded] = library.events(after=0, limit=9)
    assert recorded.event == ImageFailed(place_id=job.place_id, code="engine.crashed", quarantined=True)
    state = library.place_by_id(job.place_id)
    assert state is not None and state.job is JobState.QUARANTINED and isinstance(state.error, EngineCrashed)


def test_another_detector_queues_each_image_once(library: RedactionQueries) -> None:
    image_id = index(library, "/photos/a.jpg", "a", a_face())
    note(library, "/photos/b.jpg", sha256="a" * 64)
    newer = Recipe("centerface-3")
    assert library.requeue_outdated(DETECT, now=NOW) == 0
    assert library.requeue_outdated(newer, now=NOW) == 1
    assert library.requeue_outdated(newer, now=NOW) == 0
    [job] = lease(library, 9)
    library.commit(job, an_analysis("a", a_face(), recipe=newer), now=NOW)
    image = library.image(image_id)
    assert image is not None and image.recipe == newer and len(image.places) == 2


def test_concurrent_workers_never_get_the_same_job(library: RedactionQueries) -> None:
    for number in range(60):
        note(library, f"/{number}")
    taken: list[int] = []

    def work() -> None:
        while jobs := lease(library, 3):
            taken.extend(job.id for job in jobs)
            library.images(limit=5)

    threads = [threading.Thread(target=work) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(taken) == len(set(taken)) == 60


# -- reading -------------------------------------------------------------------------------------------------------------------------


def test_pages_go_from_the_newest_image_to_the_oldest(library: RedactionQueries) -> None:
    for number, content in enumerate("abcde"):
        index(library, f"/photos/{content}.jpg", content, size=number)
    first = library.images(limit=2)
    second = library.images(limit=2, before=first[-1].id)
    assert [image.sha256[0] for image in first + second] == ["e", "d", "c", "b"]


def test_old_events_go_a_few_at_a_time_and_the_newest_stays(library: RedactionQueries, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("agent.features.library.queries.library_queries.EVENTS_AT_ONCE", 2)
    for number in range(5):
        index(library, f"/{number}.jpg", str(number))
    everything = library.events(after=0, limit=9)
    assert len(everything) == 5
    library.expire_events(before=everything[0].at)
    assert library.events(after=0, limit=9) == everything
    library.expire_events(before=LATER)
    assert library.events(after=0, limit=9) == everything[-1:]
    index(library, "/later.jpg", "b")
    assert len(library.events(after=everything[-1].id, limit=9)) == 1


def test_events_are_read_on_from_any_id(library: RedactionQueries) -> None:
    index(library, "/photos/a.jpg", "a")
    index(library, "/photos/b.jpg", "b", size=2)
    library.files_gone(["/photos/a.jpg"], now=LATER)
    everything = library.events(after=0, limit=9)
    assert [type(recorded.event) for recorded in everything] == [ImageIndexed, ImageIndexed, LocationLost]
    assert library.events(after=everything[0].id, limit=1) == [everything[1]]
    assert EventQueries(library.database).last_event_id() == everything[-1].id
    assert everything[-1].at == LATER


def test_faces_are_counted_on_the_photos_that_are_counted(library: RedactionQueries) -> None:
    for number, name in enumerate("abcd"):
        index(library, f"/photos/{name}.jpg", name, *(a_face(100 * place) for place in range(1 + number)))
    library.files_gone(["/photos/a.jpg", "/photos/c.jpg"], now=NOW)
    assert (library.counts().images, library.counts().faces) == (2, 6)
    library.set_hidden([1, 2], True, now=NOW)  # one of them is missing, too
    assert (library.counts().images, library.counts().faces) == (1, 4)
    note(library, "/photos/c.jpg")
    assert (library.counts().images, library.counts().faces) == (2, 7)


def test_a_result_that_comes_after_its_lease_ran_out_changes_nothing(library: RedactionQueries) -> None:
    note(library, "/photos/a.jpg")
    [(first,), _] = library.lease(1, now=NOW, until=NOW + timedelta(minutes=1))
    [(second,), _] = library.lease(1, now=NOW + timedelta(minutes=2), until=NOW + timedelta(minutes=3))
    assert (second.id, second.attempts) == (first.id, first.attempts + 1)
    assert library.commit(first, an_analysis("a", a_face()), now=NOW) == []
    assert library.fail(first, JobState.FAILED, ImageCorrupt(), now=NOW) == []
    library.release([first])
    assert (library.counts().images, library.counts().jobs[JobState.LEASED]) == (0, 1)
    assert len(library.commit(second, an_analysis("a", a_face()), now=NOW)) == 1


@pytest.mark.parametrize("again", ["retried", "another detector"])
def test_a_result_that_comes_after_attempts_are_counted_anew_changes_nothing(library: RedactionQueries, again: str) -> None:
    index(library, "/photos/a.jpg", "a", a_face())
    note(library, "/photos/b.jpg", size=3)
    [first] = lease(library)
    assert library.fail(first, JobState.FAILED, ImageCorrupt(), now=NOW)
    if again == "retried":
        assert library.retry() == 1
    else:
        library.retry()
        [second] = lease(library)
        library.commit(second, an_analysis("b"), now=NOW)
        assert library.requeue_outdated(Recipe("centerface-3"), now=NOW) == 2
    jobs = lease(library, 9)
    assert all(job.attempts == first.attempts for job in jobs)
    assert library.commit(first, an_analysis("b"), now=NOW) == []
    assert library.fail(first, JobState.FAILED, ImageCorrupt(), now=NOW) == []
    library.release([first])
    assert library.counts().jobs[JobState.LEASED] == len(jobs)


def test_counts_tell_the_sizes(library: RedactionQueries) -> None:
    index(library, "/photos/a.jpg", "a", a_face(), a_face(300))
    note(library, "/photos/b.jpg", size=3)
    counts = library.counts()
    assert (counts.images, counts.faces, counts.people) == (1, 2, 0)
    assert (counts.jobs[JobState.QUEUED], counts.jobs[JobState.DONE], counts.jobs[JobState.FAILED]) == (1, 1, 0)


# -- people --------------------------------------------------------------------------------------------------------------------------


def recognised(library: RedactionQueries, path: str, content: str, *xs: float, quality: Quality = ORDINARY) -> list[int]:
    """Index an image with recognition on; returns its face ids."""
    faces = [a_face(x, embedding=bytes([int(x) % 256]) * 8, chip=b"jpeg", quality=quality) for x in xs]
    image = library.image(index(library, path, content, *faces, recipe=RECOGNISE, size=ord(content)))
    assert image is not None
    return [stored.id for stored in image.faces]


def test_with_recognition_off_no_embedding_or_chip_is_stored_even_if_handed_over(library: RedactionQueries) -> None:
    index(library, "/photos/a.jpg", "a", a_face(embedding=b"e" * 8, chip=b"jpeg"), recipe=DETECT)
    assert image_embeddings(library, 1, "mobilefacenet-1") == []
    assert library.purge_recognition(now=NOW) == []  # there was nothing to delete


def test_naming_a_face_makes_it_a_reference(library: RedactionQueries) -> None:
    [face_id, other] = recognised(library, "/photos/a.jpg", "a", 10, 200)
    assert [each.person_id for each in library.prints_of([face_id, other], "mobilefacenet-1")] == [0, 0]
    person_id, [recorded] = named(library, face_id, " Mei ", now=NOW)
    assert recorded.event == PeopleChanged(action="name")
    [reference, stranger] = next(iter(library.prints("mobilefacenet-1")))
    assert (reference.face_id, reference.person_id, reference.embedding) == (face_id, person_id, bytes([10]) * 8)
    assert stranger.person_id == 0 and 0 < stranger.trust < 1
    assert [(person.name, person.faces) for person in library.people()] == [("Mei", 1)]
    assert library.unconfirmed("mobilefacenet-1", after=0, limit=9) == [other]
    assert named(library, other, "Mei", now=NOW)[0] == person_id


def test_a_person_is_shown_by_the_last_face_that_was_named_among_the_images_shown(library: RedactionQueries) -> None:
    [first] = recognised(library, "/photos/a.jpg", "a", 10)
    [second] = recognised(library, "/photos/b.jpg", "b", 200)
    [third] = recognised(library, "/photos/c.jpg", "c", 300)
    mei, _ = named(library, second, "Mei", now=NOW)
    named(library, first, "Mei", now=NOW)
    library.set_identities({third: Identity(mei, Certainty.CERTAIN, 0.5, 1, 1)}, now=NOW)

    def shown() -> Portrait | None:
        [person] = library.people()
        return person.portrait

    assert shown() == Portrait(2, 640, 480, Box(200.0, 20.0, 30.0, 40.0))
    library.set_hidden([2], True, now=NOW)
    assert shown() == Portrait(1, 640, 480, Box(10.0, 20.0, 30.0, 40.0))
    library.files_gone(["/photos/a.jpg"], now=NOW)
    assert shown() is None


def test_a_person_is_shown_by_a_sharp_large_face_rather_than_by_the_last(library: RedactionQueries) -> None:
    sharp_small, blurred_large = Quality(20, 300, 0, 0), Quality(90, 5, 0, 0)
    for name, quality in zip("abcd", [Quality(60, 300, 0, 0), sharp_small, blurred_large, Quality(50, 90, 0, 0)], strict=True):
        [face_id] = recognised(library, f"/photos/{name}.jpg", name, 10, quality=quality)
        named(library, face_id, "Mei", now=NOW)

    def shown() -> int:
        [person] = library.people()
        assert person.portrait is not None
        return person.portrait.image_id

    assert shown() == 1
    library.set_hidden([1], True, now=NOW)
    assert shown() == 4
    library.set_hidden([4], True, now=NOW)
    assert shown() == 2, "small, but sharp"
    [mei] = library.people()
    library.edit(DescribePersonEdit(person_id=mei.id, cover_face_id=3), now=NOW)
    assert shown() == 3, "it was chosen"


def test_an_unknown_face_can_not_be_named(library: RedactionQueries) -> None:
    with pytest.raises(FaceUnknown):
        named(library, 7, "Mei", now=NOW)
    assert library.people() == []


def test_opinions_are_replaced_and_the_users_word_stays(library: RedactionQueries) -> None:
    [first, second] = recognised(library, "/photos/a.jpg", "a", 10, 200)
    mei, _ = named(library, first, "Mei", now=NOW)
    opinion = Identity(mei, Certainty.PROBABLE, 0.99, 1, 1)
    library.set_identities({first: opinion, second: opinion, 999: opinion}, now=NOW)
    image = library.image(1)
    assert image is not None and [face.person for face in image.faces] == ["Mei", "Mei"]
    assert image.faces[0].identity is not None and image.faces[0].identity.certainty is Certainty.CONFIRMED
    assert image.faces[1].identity == opinion
    library.set_identities({first: None, second: None}, now=NOW)
    image = library.image(1)
    assert image is not None and [face.person for face in image.faces] == ["Mei", None]


def test_opinions_are_written_with_the_analysis(library: RedactionQueries) -> None:
    [known] = recognised(library, "/photos/a.jpg", "a", 10)
    mei, _ = named(library, known, "Mei", now=NOW)
    note(library, "/photos/b.jpg", recipe=RECOGNISE)
    [job] = lease(library)
    opinion = Identity(mei, Certainty.CERTAIN, 0.5, 1, 1)
    faces = (a_face(10, embedding=b"e" * 8), a_face(200, embedding=b"f" * 8))
    library.commit(job, an_analysis("b", *faces, recipe=RECOGNISE), [None, opinion], now=NOW)
    assert [face.identity for face in library.images(limit=1)[0].faces] == [None, opinion]


def test_a_new_analysis_keeps_the_names_of_faces_that_lie_where_they_lay(library: RedactionQueries) -> None:
    [left, right] = recognised(library, "/photos/a.jpg", "a", 10, 200)
    named(library, right, "Mei", now=NOW)
    newer = Recipe("centerface-3", "mobilefacenet-1")
    library.requeue_outdated(newer, now=NOW)
    [job] = lease(library)
    found = [a_face(x, embedding=b"n" * 8) for x in (203, 400)]  # one moved a little, one gone, one new, another order
    library.commit(job, an_analysis("a", *found, recipe=newer, size=97), now=NOW)
    image = library.image(1)
    assert image is not None
    assert image.faces[0].id == right and image.faces[0].person == "Mei" and image.faces[0].face.box.x == 203
    assert image.faces[1].id not in (left, right)
    assert library.prints_of([right], "mobilefacenet-1")[0].embedding == b"n" * 8


def test_switching_recognition_off_deletes_prints_and_opinions_and_keeps_names(library: RedactionQueries) -> None:
    [first, second] = recognised(library, "/photos/a.jpg", "a", 10, 200)
    mei, _ = named(library, first, "Mei", now=NOW)
    library.set_identities({second: Identity(mei, Certainty.CERTAIN, 0.5, 1, 1)}, now=NOW)
    note(library, "/photos/b.jpg", recipe=RECOGNISE)
    [late] = lease(library)
    [recorded] = library.purge_recognition(now=NOW)
    assert recorded.event == RecognitionPurged(embeddings=2, chips=2)
    assert image_embeddings(library, 1, "mobilefacenet-1") == [] == list(library.prints("mobilefacenet-1"))
    image = library.image(1)
    assert image is not None and [face.person for face in image.faces] == ["Mei", None]
    # What was under way when it was switched off brings nothing back.
    library.commit(late, an_analysis("b", a_face(embedding=b"e" * 8), recipe=RECOGNISE), now=NOW)
    assert list(library.prints("mobilefacenet-1")) == []
    assert library.requeue_outdated(RECOGNISE, now=NOW) == 1


# -- the queue is emptied ------------------------------------------------------------------------------------------------------------


def test_waiting_jobs_are_dropped_and_their_files_can_be_queued_again(library: RedactionQueries) -> None:
    index(library, "/photos/seen.jpg", "b", size=7)
    for name in ("a", "b", "c"):
        note(library, f"/photos/{name}.jpg")
    library.note_file(FileSeen("/by-hand.jpg", 100, 1), DETECT, priority=Priority.ASKED, now=NOW)
    library.drop_waiting()
    assert library.counts().jobs[JobState.QUEUED] == 0
    assert len(dict(library.known_files("/photos"))) == 4, "a look through the folder passes them over"
    library.files_gone(["/photos/c.jpg"], now=NOW)
    assert library.queue_unseen(now=NOW) == 2
    assert library.queue_unseen(now=NOW) == 0
    assert {job.path for job in lease(library, 9)} == {"/photos/a.jpg", "/photos/b.jpg"}


def test_what_is_under_way_is_not_dropped(library: RedactionQueries) -> None:
    note(library, "/photos/a.jpg")
    [job] = lease(library)
    assert library.drop_waiting() == 0
    assert library.commit(job, an_analysis(), now=NOW)


def test_a_note_is_kept(library: RedactionQueries) -> None:
    assert not library.noted("x")
    library.set_flags({"x": 1})
    library.set_flags({"x": 1})
    assert library.noted("x") and not library.noted("y")
    library.set_flags({"y": 1_800_000_000})
    library.set_flags({"y": 2_900_000_000, "z": 0})
    assert (library.note("y"), library.note("z")) == (2_900_000_000, 0)
    library.set_flags({"y": None})
    assert library.note("y") is None and library.noted("x")


# -- folders with rules of their own ---------------------------------------------------------------------------------------------------


def test_face_prints_go_from_one_folder_and_stay_where_another_keeps_them(library: RedactionQueries) -> None:
    here = index(library, "/private/a.jpg", "a", a_face(embedding=b"aaaa", chip=b"jpeg"), recipe=RECOGNISE, size=1)
    there = index(library, "/photos/b.jpg", "b", a_face(embedding=b"bbbb", chip=b"jpeg"), recipe=RECOGNISE, size=2)
    both = index(library, "/private/c.jpg", "c", a_face(embedding=b"cccc", chip=b"jpeg"), recipe=RECOGNISE, size=3)
    assert note(library, "/photos/c.jpg", recipe=RECOGNISE, size=3, sha256="c" * 64) is Noted.ATTACHED
    keep = [FolderArea(None, ("/private",))]
    [recorded] = library.purge_recognition(now=NOW, keep=keep)
    assert recorded.event == RecognitionPurged(embeddings=1, chips=1)
    assert library.purge_recognition(now=NOW, keep=keep) == []
    prints = {image_id: image_embeddings(library, image_id, "mobilefacenet-1") for image_id in (here, there, both)}
    assert [len(rows) for rows in prints.values()] == [0, 1, 1]
    assert library.requeue_outdated(DETECT, now=NOW, area=FolderArea("/private")) == 0
    assert library.requeue_outdated(RECOGNISE, now=NOW, area=keep[0]) == 0
    assert library.requeue_outdated(RECOGNISE, now=NOW, area=FolderArea("/private")) == 1


def test_an_image_that_was_only_read_is_looked_at_where_faces_are_wanted(library: RedactionQueries) -> None:
    read = Recipe(NO_FACES)
    index(library, "/scans/a.jpg", "a", recipe=read, size=1)
    assert library.requeue_outdated(DETECT, now=NOW, area=FolderArea(None, ("/scans",))) == 0
    assert library.requeue_outdated(read, now=NOW, area=FolderArea("/scans")) == 0
    assert note(library, "/photos/a.jpg", size=1, sha256="a" * 64) is Noted.QUEUED
    [job] = lease(library)
    library.commit(job, an_analysis("a", a_face(), size=1), now=NOW)
    image = library.image(1)
    assert image is not None and len(image.faces) == 1
    # Faces that were found once stay: the image lies where they are wanted, too.
    assert library.requeue_outdated(read, now=NOW, area=FolderArea("/scans")) == 0
    assert library.rescan([1], now=NOW) == 1

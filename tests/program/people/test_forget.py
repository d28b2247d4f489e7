"""A person who was forgotten is nowhere any more: looked for in every decrypted page of the library and of its backups."""

import random
import shutil
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from typing import TYPE_CHECKING

import httpx
from PIL import Image

from agent.domain.identity_matching import Certainty
from tests.support.disk_forensics import left, prints, rows

if TYPE_CHECKING:
    from tests.support.real_program import RealProgram

NAME, OLD_NAME, OTHER = "Somebody Remarkable", "Somebody's Maiden Name", "Another Person"
FACES = 6
SEED = random.SystemRandom().randrange(10**6)


def named(program: "RealProgram", photo: Callable[[int], Image.Image]) -> int:
    """Two photos of somebody, known by two names before, and somebody else's; returns the person's id."""
    for number in range(4):
        photo(number).save(program.watched / f"{number}.jpg")
    program.file.set("recognition.enabled", "true")
    program.start()
    assert program.settled(4).faces == FACES
    with program.client() as client:
        for name, text in (("2.jpg", OLD_NAME), ("0.jpg", OTHER)):
            client.post_json("/api/people", {"face_id": program.images()[name].faces[0].id, "name": text})
        people = {each["name"]: each["id"] for each in client.get_json("/api/people")}  # type: ignore[attr-defined]
        client.post_json("/api/people/edits", {"kind": "describe", "person_id": people[OLD_NAME], "name": NAME})
    return int(people[OLD_NAME])


def test_a_forgotten_person_is_in_no_page_of_library_log_and_backups(program: "RealProgram", photo: Callable[[int], Image.Image]) -> None:
    person_id = named(program, photo)
    assert program.run("backup", "create").returncode == 0
    old_backup = program.home / "kept"
    shutil.copytree(program.paths.library, old_backup)
    aside = program.paths.library / "damaged-2026-01-01T000000Z"  # as a restore leaves it
    aside.mkdir()
    shutil.copy(next(old_backup.glob("backups/*/library.db")), aside)
    traces = [NAME.encode(), OLD_NAME.encode()]
    assert all(left(program, [trace]) for trace in traces), "what is looked for below can be found"
    before, known_by = rows(program), prints(program)
    with program.client() as client:
        gone = client.post_json(f"/api/people/{person_id}/forget", {})
    assert isinstance(gone, dict) and gone["embeddings"] == gone["chips"] >= 1 and gone["undo"] == 2
    program.until(lambda _: not left(program, traces))
    after = rows(program)
    assert after["embedding"] == before["embedding"] - gone["embeddings"] and after["chip"] == before["chip"] - gone["chips"]
    program.quit()
    theirs = set(known_by) - set(prints(program))
    assert len(theirs) == 2 * gone["embeddings"] and not left(program, [*traces, *theirs]), "neither name nor face print nor picture"
    assert left(program, [OTHER.encode()]) and not aside.exists()

    # A copy from before comes back: the next start forgets once more.
    for name in ("library.db", "library.db-wal", "library.db-shm"):
        (program.paths.library / name).unlink(missing_ok=True)
        if (old_backup / name).exists():
            shutil.copy(old_backup / name, program.paths.library / name)
    assert left(program, traces)
    program.start()
    program.until(lambda _: not left(program, traces))
    assert {face.person for image in program.images().values() for face in image.faces} <= {OTHER, None}


def test_killed_while_somebody_is_forgotten_it_ends_in_forgetting_them(program: "RealProgram", photo: Callable[[int], Image.Image]) -> None:
    person_id = named(program, photo)
    pause = random.Random(SEED).random() * 0.05
    print(f"seed {SEED}: killed after {pause:.3f} s")
    with program.api() as api, ThreadPoolExecutor() as elsewhere:
        asked = elsewhere.submit(api.post, f"/people/{person_id}/forget")
        time.sleep(pause)
        program.kill()
        with suppress(httpx.HTTPError):
            asked.result()
    program.start()

    def all_or_nothing() -> bool:
        with program.library() as library:
            known = {person.name for person in library.people()}
        prints = rows(program)["embedding"]
        return prints == FACES if NAME in known else prints < FACES and not left(program, [NAME.encode(), OLD_NAME.encode()])

    program.until(lambda _: all_or_nothing())  # what had begun goes on at the start


def test_killed_while_people_are_merged_all_or_nothing_of_it_is_there(program: "RealProgram", photo: Callable[[int], Image.Image]) -> None:
    person_id = named(program, photo)
    with program.library() as library:
        other_id = next(person.id for person in library.people() if person.name == OTHER)
        before = {person.id: library.person_faces(person.id, limit=99)[1] for person in library.people()}
    pause = random.Random(SEED + 1).random() * 0.03
    print(f"seed {SEED}: killed after {pause:.3f} s")
    with program.api() as api, ThreadPoolExecutor() as elsewhere:
        wish = {"kind": "merge", "person_ids": [other_id], "into": person_id}
        asked = elsewhere.submit(api.post, "/people/edits", json=wish)
        time.sleep(pause)
        program.kill()
        with suppress(httpx.HTTPError):
            asked.result()
    with program.library() as library:
        confirmed = {
            person.id: sum(shown.certainty is Certainty.CONFIRMED for shown in library.person_faces(person.id, limit=99)[0])
            for person in library.people()
        }
        assert confirmed in ({person_id: 1, other_id: 1}, {person_id: 2}), before
        assert library.audit_broken_at() is None
        steps = library.steps()[0]
        assert steps is not None and (steps.action == "merge") == (len(confirmed) == 1)

"""Whatever the user says of people and faces in whatever order: steps taken back restore what was, and the forgotten stay forgotten."""

import shutil
import tempfile
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, rule, run_state_machine_as_test
from sqlalchemy import text

from agent.domain.edits import DescribePersonEdit, Edit, IgnoreFacesEdit, MergePeopleEdit, NameFacesEdit, RejectFaces, UnnameFacesEdit
from agent.domain.errors import NameTaken, PeopleError
from agent.domain.face import Analysis, Box, Face, Quality, StageTimes
from agent.domain.image import FileSeen, Recipe
from agent.domain.jobs import Priority
from agent.features.people.queries import erasure_queries as store_forget
from agent.features.redaction.queries.redaction_queries import RedactionQueries
from agent.infrastructure.store.migrator import open_database

NOW = datetime(2026, 1, 1, tzinfo=UTC)
RECIPE = Recipe("centerface-2", "mobilefacenet-1")
LANDMARKS = ((1.0, 1.0), (9.0, 1.0), (5.0, 5.0), (1.0, 9.0), (9.0, 9.0))
FACES = 6
# No name is part of another one, nor of anything else in the library: so that a trace of it is one.
NAMES = [f"{letter}, of a long name" for letter in "ABCD"]
SOME_FACES = st.sets(st.integers(1, FACES), min_size=1, max_size=3).map(lambda found: tuple(sorted(found)))
PICK = st.integers(0, 9)


class Said(RuleBasedStateMachine):
    """`before` holds what was so before each step that can be taken back, `after` what can be done again."""

    empty: Path
    key: bytes

    def __init__(self) -> None:
        super().__init__()
        self.folder = Path(tempfile.mkdtemp())
        shutil.copyfile(self.empty, self.folder / "library.db")
        self.library = RedactionQueries(open_database(self.folder / "library.db", self.key))
        self.clock = NOW
        self.before: list[object] = []
        self.after: list[object] = []
        self.called: dict[int, set[str]] = {}  # every name that each person ever had
        self.pure = True  # nobody was forgotten yet: what is taken back is exactly what was

    def teardown(self) -> None:
        self.library.database.close()
        shutil.rmtree(self.folder)

    @rule(faces=SOME_FACES, name=st.sampled_from(NAMES))
    def name(self, faces: tuple[int, ...], name: str) -> None:
        self._say(NameFacesEdit(face_ids=faces, name=name))

    @rule(faces=SOME_FACES, pick=PICK)
    def reject(self, faces: tuple[int, ...], pick: int) -> None:
        if person := self._person(pick):
            self._say(RejectFaces(face_ids=faces, person_id=person))

    @rule(faces=SOME_FACES)
    def unname(self, faces: tuple[int, ...]) -> None:
        self._say(UnnameFacesEdit(face_ids=faces))

    @rule(faces=SOME_FACES, ignored=st.booleans())
    def ignore(self, faces: tuple[int, ...], ignored: bool) -> None:
        self._say(IgnoreFacesEdit(face_ids=faces, ignored=ignored))

    @rule(one=PICK, other=PICK)
    def merge(self, one: int, other: int) -> None:
        into, gone = self._person(one), self._person(other)
        if into and gone and into != gone:
            self._say(MergePeopleEdit(person_ids=(gone,), into=into))

    @rule(pick=PICK, name=st.sampled_from([None, *NAMES]), hidden=st.sampled_from([None, True, False]))
    def describe(self, pick: int, name: str | None, hidden: bool | None) -> None:
        if person := self._person(pick):
            taken = name is not None and name in {each.name for each in self.library.people() if each.id != person}
            if taken:
                with pytest.raises(NameTaken):
                    self.library.edit(DescribePersonEdit(person_id=person, name=name), now=NOW)
                return
            self._say(DescribePersonEdit(person_id=person, name=name, hidden=hidden))

    @rule()
    def undo(self) -> None:
        now = self._state()
        done = self.library.undo(now=NOW)
        if self.pure:
            assert (done is not None) == bool(self.before)
        if done is not None and self.pure:
            self.after.append(now)
            assert self._state() == self.before.pop(), "not what it was"

    @rule()
    def do_again(self) -> None:
        now = self._state()
        done = self.library.do_again(now=NOW)
        if self.pure:
            assert (done is not None) == bool(self.after)
        if done is not None and self.pure:
            self.before.append(now)
            assert self._state() == self.after.pop(), "not what it had become"

    @rule(pick=PICK)
    def forget(self, pick: int) -> None:
        if person := self._person(pick):
            uids = self.library.uids_of(person)
            with self.library.database.read() as tx:
                meant, _ = store_forget.meant(tx, person)
            self.library.forget_person(person, now=NOW, note="backups")
            self.pure = False
            for each in meant:
                self.called.pop(each, None)
            assert self.library.people_by_uids(uids) == []

    @invariant()
    def the_forgotten_are_nowhere(self) -> None:
        with self.library.database.read() as tx:
            held = [str(row) for table in ("person", "undo", "event", "audit") for row in tx.execute(text(f"SELECT * FROM {table}"))]
        nobodys = set(NAMES) - set().union(*self.called.values())
        assert not [line for line in held for name in nobodys if name in line]

    @invariant()
    def the_audit_holds(self) -> None:
        assert self.library.audit_broken_at() is None

    @invariant()
    def who_is_somebody_is_not_ruled_out_to_be(self) -> None:
        image = self.library.image(1)
        assert image is not None and len(image.faces) == FACES
        ruled_out = self.library.rejections([face.id for face in image.faces])
        for face in image.faces:
            assert face.identity is None or face.identity.person_id not in ruled_out.get(face.id, ())

    def _say(self, wish: Edit) -> None:
        self.clock += timedelta(seconds=1)
        was = self._state()
        try:
            step, _ = self.library.edit(wish, now=self.clock)
        except PeopleError:
            assert self._state() == was
            return
        self._learn()
        if step.token is not None:
            self.before.append(was)
            self.after.clear()
        else:
            assert self._state() == was

    def _learn(self) -> None:
        for each in self.library.people():
            self.called.setdefault(each.id, set()).add(each.name)

    def _person(self, pick: int) -> int | None:
        known = self.library.people()
        return known[pick % len(known)].id if known else None

    def _state(self) -> object:
        """All that the user said, as the library tells it."""
        image = self.library.image(1)
        assert image is not None
        faces = [(face.id, face.person, face.ignored) for face in image.faces]
        people = [(each.id, each.name, each.faces, each.hidden) for each in self.library.people()]
        return faces, people, self.library.rejections([face.id for face in image.faces])


def test_any_sequence_of_steps_keeps_what_was_said(tmp_path: Path) -> None:
    Said.key = bytes(range(32))
    Said.empty = tmp_path / "library.db"
    library = RedactionQueries(open_database(Said.empty, Said.key))
    library.note_file(FileSeen("/p/a", 1, 1), RECIPE, priority=Priority.ASKED, now=NOW)
    [job], _ = library.lease(1, now=NOW, until=NOW + timedelta(minutes=1))
    faces = tuple(Face(Box(50.0 * n, 5, 40, 40), 0.9, LANDMARKS, Quality(30, 30, 0, 0), bytes([n]) * 8, b"jpeg") for n in range(FACES))
    library.commit(job, Analysis("a" * 64, 9, 640, 480, "jpeg", RECIPE, "f32", faces, StageTimes()), now=NOW)
    library.database.close()
    run_state_machine_as_test(
        Said,
        settings=settings(max_examples=60, stateful_step_count=25, suppress_health_check=list(HealthCheck)),
    )

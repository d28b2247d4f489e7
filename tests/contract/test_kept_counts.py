"""What is kept for the list of people is what counting finds, after any changes: in whole, and within a member's reach."""

import random
from collections.abc import Callable, Collection
from datetime import UTC, datetime, timedelta

import pytest
from sqlalchemy import Row, insert, select, text, update

from agent.domain.edits import MergePeopleEdit, NameFacesEdit, RejectFaces, UnnameFacesEdit
from agent.domain.face import Analysis, Box, Face, Quality, StageTimes
from agent.domain.identity_matching import Certainty, Identity
from agent.domain.image import FileSeen, Recipe
from agent.domain.jobs import Priority
from agent.domain.reference import fit_of
from agent.features.redaction.queries.redaction_queries import RedactionQueries
from agent.infrastructure.core.access_scope import AccessScope, reaching
from agent.infrastructure.store.schema import face, identity, library_source, place
from agent.infrastructure.store.schema import library as library_table
from agent.infrastructure.store.server_database import secured

NOW = datetime(2026, 3, 4, 5, 6, 7, tzinfo=UTC)
FOLDERS = ("/photos", "/others")  # each a library of its own on a server
PHOTOS, FACES, STEPS = 5, 3, 50
NAMES = ("Ann", "Ben", "Cleo", "Dora")
RECIPES = (Recipe("centerface-2", "mobilefacenet-1"), Recipe("centerface-3", "mobilefacenet-1"))


class Changes:
    """Changes of all kinds, by chance."""

    def __init__(self, library: RedactionQueries, chance: random.Random) -> None:
        self.library = library
        self.chance = chance
        self._analysed = 0
        for number in range(PHOTOS):
            self.analyse(number)

    def some(self) -> None:
        kinds = (self.name, self.name, self.name, self.suggest, self.suggest, self.unname, self.reject, self.merge, self.forget)
        kind: Callable[[], None] = self.chance.choice((*kinds, self.undo, self.redo, self.analyse, self.move, self.leave))
        kind()

    def analyse(self, number: int | None = None) -> None:
        """A photo is analysed, again with some of its faces elsewhere, sharper or gone."""
        photo = self.chance.randrange(PHOTOS) if number is None else number
        self._analysed += 1
        recipe = RECIPES[self._analysed % 2]
        seen = FileSeen(f"{FOLDERS[photo % 2]}/{photo}.jpg", 100 + photo, self._analysed, FOLDERS[photo % 2])
        self.library.note_file(seen, recipe, priority=Priority.ASKED, now=NOW)
        for job in self.library.lease(9, now=NOW, until=NOW + timedelta(hours=1))[0]:
            marks = ((1.0, 1.0), (9.0, 1.0), (5.0, 5.0), (1.0, 9.0), (9.0, 9.0))
            found = tuple(
                Face(
                    Box(50.0 * n, 5, 40, 40),
                    0.9,
                    marks,
                    Quality(self.chance.choice((20, 40)), self.chance.choice((30, 90)), 0, 0),
                    b"e",
                    b"c",
                )
                for n in self.chance.sample(range(4), FACES)
            )
            analysis = Analysis(f"{photo:064}", 9, 640, 480, "jpeg", recipe, "f32", found, StageTimes())
            self.library.commit(job, analysis, now=NOW)

    def name(self) -> None:
        if faces := self._faces(2):
            self.library.edit(NameFacesEdit(face_ids=faces, name=self.chance.choice(NAMES)), now=NOW)

    def suggest(self) -> None:
        if people := self._people(1):
            sure = self.chance.choice((Certainty.CERTAIN, Certainty.PROBABLE))
            self.library.set_identities({each: Identity(people[0], sure, 0.5, 1, 1) for each in self._faces(3)}, now=NOW)

    def unname(self) -> None:
        if faces := self._faces(2):
            self.library.edit(UnnameFacesEdit(face_ids=faces), now=NOW)

    def reject(self) -> None:
        if people := self._people(1):
            self.library.edit(RejectFaces(face_ids=self._faces(1), person_id=people[0]), now=NOW)

    def merge(self) -> None:
        if len(people := self._people(2)) == 2:
            self.library.edit(MergePeopleEdit(person_ids=people[:1], into=people[1]), now=NOW)

    def forget(self) -> None:
        if (people := self._people(1)) and self.chance.random() < 0.3:
            self.library.forget_person(people[0], now=NOW, note="backups")

    def undo(self) -> None:
        self.library.undo(now=NOW)

    def redo(self) -> None:
        self.library.do_again(now=NOW)

    def move(self) -> None:
        """A photo comes into another library."""
        with self.library.database.write() as tx:
            tx.execute(update(place).where(place.c.id == self.chance.randint(1, PHOTOS)).values(folder=self.chance.choice(FOLDERS)))

    def leave(self) -> None:
        """All suggestions go."""
        if self.chance.random() < 0.2:
            self.library.purge_recognition(now=NOW)

    def _faces(self, most: int) -> tuple[int, ...]:
        with self.library.database.read() as tx:
            there = tx.scalars(select(face.c.id).order_by(face.c.id)).all()
        return tuple(self.chance.sample(there, min(most, len(there))))

    def _people(self, count: int) -> tuple[int, ...]:
        there = [each.id for each in self.library.people()]
        return tuple(self.chance.sample(there, min(count, len(there))))


@pytest.mark.parametrize("seed", [1, 2])
def test_kept_counts_are_those_that_are_counted(library: RedactionQueries, seed: int) -> None:
    if library.database.is_shared:
        secured(library.database)
        with library.database.write() as tx:
            for number, root in enumerate(FOLDERS, 1):
                tx.execute(insert(library_table).values(id=number, name=root, for_all=0, created_at=NOW))
                tx.execute(insert(library_source).values(root=root, library_id=number))
    changes = Changes(library, random.Random(seed))
    named = 0
    for _ in range(STEPS):
        changes.some()
        rows = counted(library)
        named = max(named, len({row.person_id for row in rows}))
        check(library, rows)
        if library.database.is_shared:
            for number in (1, 2):
                with reaching(AccessScope(libraries=frozenset({number}))):
                    check(library, [row for row in rows if number in row.libraries])
    assert named > 2


def counted(library: RedactionQueries) -> list[Row[*tuple[object, ...]]]:
    """Every identity, with its face."""
    of_server = [text("identity.libraries")] if library.database.is_shared else []
    with library.database.read() as tx:
        rows = select(identity, face.c.image_id.label("of_image"), face.c.size, face.c.sharpness, *of_server)
        return list(tx.execute(rows.join(face, face.c.id == identity.c.face_id)))


def check(library: RedactionQueries, rows: Collection[Row[*tuple[object, ...]]]) -> None:
    confirmed = [row for row in rows if row.certainty == Certainty.CONFIRMED]
    assert all((row.image_id, row.fit) == (None, None) for row in rows if row not in confirmed)
    assert all((row.image_id, row.fit) == (row.of_image, fit_of(row.size, row.sharpness)) for row in confirmed)
    told = {each.id: each for each in library.people()}
    for person_id, known in told.items():
        mine, sure = ([row for row in of if row.person_id == person_id] for of in (rows, confirmed))
        assert known.faces == len(mine) and known.suggested == len(mine) - len(sure)
        assert known.photos == len(mine) - len(sure) + len({row.of_image for row in sure})
        best = max(sure, key=lambda row: (row.sharpness >= 80, row.size, row.face_id), default=None)
        assert (known.portrait and known.portrait.image_id) == (best and best.of_image)
    assert {row.person_id for row in rows} <= told.keys()

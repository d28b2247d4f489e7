"""What runs per file or per page must go by an index: with 100,000 images a look through a table takes a hundred times as long."""

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from sqlalchemy import Connection, event

from agent.domain.errors import ImageCorrupt
from agent.domain.face import Analysis, Box, Face, Quality, StageTimes
from agent.domain.image import FileSeen, Recipe
from agent.domain.jobs import JobState, Priority
from agent.features.library.records import Shown
from agent.features.redaction.queries.redaction_queries import RedactionQueries

NOW = datetime(2026, 1, 2, tzinfo=UTC)
RECIPE = Recipe("centerface-2", "mobilefacenet-1")


@pytest.fixture
def scans(library: RedactionQueries) -> Iterator[list[str]]:
    """Statements that look through a whole table, of all that run meanwhile."""
    found: list[str] = []

    def explain(connection: Connection, cursor: object, statement: str, parameters: object, context: object, many: bool) -> None:
        if statement.startswith(("SELECT", "UPDATE", "DELETE")):
            raw = connection.connection.cursor()
            first = parameters[0] if many and isinstance(parameters, list) else parameters
            raw.execute(f"EXPLAIN QUERY PLAN {statement}", first)  # type: ignore[arg-type]
            found.extend(statement for row in raw.fetchall() if row[3].startswith("SCAN") and "anon_" not in row[3])  # a page's own rows
            raw.close()

    engine = library.database._engine
    event.listen(engine, "before_cursor_execute", explain)
    yield found
    event.remove(engine, "before_cursor_execute", explain)


def note(library: RedactionQueries, path: str, size: int, sha256: str | None = None) -> None:
    library.note_file(FileSeen(path, size, 1, "/photos"), RECIPE, priority=Priority.NEW, now=NOW, sha256=sha256)


def test_nothing_that_runs_per_file_or_page_looks_through_a_table(library: RedactionQueries, scans: list[str], tmp_path: Path) -> None:
    landmarks = ((1.0, 1.0), (9.0, 1.0), (5.0, 5.0), (1.0, 9.0), (9.0, 9.0))
    face = Face(Box(1, 2, 30, 40), 0.9, landmarks, Quality(30, 30, 0, 0), b"e" * 8, b"jpeg")
    for path in ("/photos/a.jpg", "/photos/b.jpg", "/photos/c.jpg"):
        note(library, path, 7)
    [first, second, third], _ = library.lease(3, now=NOW, until=NOW + timedelta(hours=1))
    library.commit(first, Analysis("a" * 64, 7, 9, 9, "jpeg", RECIPE, "f32", (face,), StageTimes()), now=NOW)
    library.fail(second, JobState.FAILED, ImageCorrupt(), now=NOW)
    library.release([third])
    note(library, "/photos/a.jpg", 7)
    note(library, "/photos/a.jpg", 8)
    note(library, "/photos/d.jpg", 7, sha256="a" * 64)
    library.file_moved("/photos/d.jpg", FileSeen("/photos/b.jpg", 7, 1), now=NOW)
    library.tree_moved("/photos/sub", "/photos/other", now=NOW)
    library.files_gone(["/photos/a.jpg"], now=NOW)
    library.purge_missing(before=NOW + timedelta(hours=1))
    list(library.known_files("/photos/sub"))
    library.images(limit=5, before=9)
    library.image(1)
    library.images_by_id([3, 1, 2])
    library.sha256(1)
    library.index(Shown(after=NOW.date(), before=NOW.date()))  # without days it is one pass, see below
    library.undo(library.set_hidden([1], True, now=NOW)[0] or "", now=NOW)
    library.rescan([1], now=NOW)
    library.place("/photos/b.jpg")
    library.place_by_id(1)
    library.problems(limit=5)
    library.problems(limit=5, offset=5, folder="/photos")
    library.deferred(limit=5)
    library.events(after=1, limit=5)
    list(library.prints("mobilefacenet-1"))
    library.prints_of([1], "mobilefacenet-1")
    library.unconfirmed("mobilefacenet-1", after=0, limit=5)
    library.to_judge([1], "mobilefacenet-1")
    library.faces_of("a" * 64)
    library.faces_of_image(1)
    library.faces_of_people(None, within=[1])
    library.faces_thought_of([1])
    library.faces_held(1, after=0, limit=5)
    # the newest of a page or of all; a team's references, all of which the matcher takes at its start
    wanted = ("image.id DESC", "max(event.id)", "FROM team_reference")
    assert [statement for statement in scans if not any(part in statement for part in wanted)] == []


def test_the_index_of_the_whole_library_reads_indices_alone(library: RedactionQueries) -> None:
    plans: list[str] = []

    def explain(connection: Connection, cursor: object, statement: str, parameters: object, context: object, many: bool) -> None:
        raw = connection.connection.cursor()
        raw.execute(f"EXPLAIN QUERY PLAN {statement}", parameters)  # type: ignore[arg-type]
        plans.extend(row[3] for row in raw.fetchall())
        raw.close()

    event.listen(library.database._engine, "before_cursor_execute", explain)
    library.index(Shown())
    library.index(Shown(folder="/photos", faces_min=1))
    reads = [step for step in plans if step.startswith(("SCAN", "SEARCH")) and not step.startswith("SCAN anon_")]  # a subquery's rows
    assert reads and all("COVERING INDEX" in step for step in reads), plans
    assert not any("TEMP B-TREE" in step for step in plans), "it lies in its order already"
    plans.clear()
    library.count_below("/photos")
    assert all("SCAN" not in step or "COVERING INDEX" in step for step in plans), plans
    assert any("place_below_folder (path>" in step for step in plans), "the folder's own part of the index"
    assert any("place_by_image (image_id=?" in step for step in plans), "of the hidden ones, which are few, one by one"

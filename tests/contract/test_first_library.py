"""The first library of a team server: what is there already belongs to it, and later starts don't read all files again."""

from datetime import UTC, datetime

import pytest
from sqlalchemy import event, select

from agent.domain.image import FileSeen, Recipe
from agent.domain.jobs import Priority
from agent.features.redaction.queries.redaction_queries import RedactionQueries
from agent.infrastructure.store.schema import place
from agent.infrastructure.store.server_database import secured
from agent.server.libraries.queries import LibrariesQueries
from tests.support.postgres_server import ON_SERVER

NOW = datetime(2026, 3, 4, 5, 6, 7, tzinfo=UTC)


def placed(library: RedactionQueries) -> list[int | None]:
    with library.database.read() as tx:
        return list(tx.scalars(select(place.c.library_id).order_by(place.c.id)))


@pytest.mark.parametrize("database", ON_SERVER, indirect=True)
def test_only_the_start_that_makes_it_reads_all_files(library: RedactionQueries) -> None:
    recipe, statements = Recipe("centerface-2"), list[str]()
    libraries = LibrariesQueries(library.database)
    library.note_file(FileSeen("/photos/a.jpg", 1, 1), recipe, priority=Priority.NEW, now=NOW)
    libraries.begin("Photos", NOW)
    secured(library.database)
    [first] = [each.id for each in libraries.libraries()]
    assert placed(library) == [first]

    event.listen(library.database._engine, "before_cursor_execute", lambda *said: statements.append(said[2]))
    libraries.begin("Photos", NOW)
    assert statements and not any("place" in each for each in statements)

    library.note_file(FileSeen("/photos/b.jpg", 2, 1), recipe, priority=Priority.NEW, now=NOW)
    assert placed(library) == [first, first]

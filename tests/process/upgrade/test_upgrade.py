"""The upgrade promise: what the releases before wrote, this program reads, with every row as it was (docs/operate/upgrade.md)."""

import gzip
import json
import os
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from sqlalchemy import make_url

from agent.features.redaction.queries.redaction_queries import RedactionQueries
from agent.infrastructure.store import schema
from agent.infrastructure.store.backup import BackupStore
from agent.infrastructure.store.migrator import open_database, revision_in, upgrade
from agent.infrastructure.store.open_library import open_library
from agent.infrastructure.store.secret_stores import FileSecretStore
from agent.infrastructure.store.server_database import Migrating, server_database
from scripts.earlier_libraries import MADE, Release, releases
from tests.process.upgrade.fill import DUMP_FILE, MADE_AT, ROWS_FILE, Contents, contents
from tests.support.made_releases import copied_library, taken_out
from tests.support.postgres_server import NEWEST, OLDEST, ON_SERVER, PostgresServer
from tests.support.schema_parts import postgres_parts, sqlite_parts

RELEASES = releases()


@pytest.fixture(params=RELEASES, ids=lambda release: release.name)
def release(request: pytest.FixtureRequest) -> Release:
    assert isinstance(request.param, Release)
    return request.param


def rows_in(folder: Path) -> Contents:
    found: Contents = json.loads(gzip.decompress((folder / ROWS_FILE).read_bytes()))
    return found


def assert_same(now: Contents, before: Contents) -> None:
    """Every row of every table, in the columns that there were."""
    assert all(before.values()), "each table of that release holds something"
    for table, rows in before.items():
        assert [{name: value for name, value in each.items() if name in rows[0]} for each in now[table]] == rows, table


def test_at_most_two_releases_are_kept_with_what_they_wrote() -> None:
    assert RELEASES and len(RELEASES) <= 2 and {path.name for path in MADE.iterdir()} == {each.name for each in RELEASES}
    revisions = [each.revision for each in RELEASES]
    assert revisions == sorted(revisions, reverse=True)
    assert revisions[-1] >= schema.BASELINE, "a migration leads from each"


def test_a_backup_of_a_release_before_is_restored_and_loses_nothing(release: Release, tmp_path: Path) -> None:
    made = taken_out(release.folder / "desktop", tmp_path / "made")
    library, home = tmp_path / "library", FileSecretStore(made / "keys")
    backups = BackupStore(library, home, keep=3)
    (library / "backups").mkdir(parents=True)
    shutil.copytree(made / "backup", library / "backups" / f"{MADE_AT:%Y-%m-%dT%H%M%SZ}")
    assert backups.verify(backups.restore(None, MADE_AT)) == 2

    database = open_library(library, home)
    assert_same(contents(database), rows_in(made))
    assert database.sound() and revision_in(database) == schema.REVISION
    counts = RedactionQueries(database).counts()
    assert (counts.images, counts.faces, counts.people) == (2, 2, 2)
    assert backups.verify(backups.create(database, MADE_AT)) == 2, "and today's backup of it is whole"
    database.close()


def test_a_library_of_a_release_before_gets_the_schema_of_a_new_one(release: Release, tmp_path: Path, library_key: bytes) -> None:
    from alembic.autogenerate import compare_metadata
    from alembic.migration import MigrationContext

    new, old = open_database(tmp_path / "new.db", library_key), copied_library(release, tmp_path)
    upgrade(old)
    with new.read() as made, old.read() as migrated:
        assert compare_metadata(MigrationContext.configure(migrated), schema.metadata) == []
        assert sqlite_parts(migrated) == sqlite_parts(made)
    assert revision_in(new) == revision_in(old) == schema.REVISION
    new.close()
    old.close()


@pytest.fixture(scope="module", params=[OLDEST, NEWEST] if ON_SERVER else [])
def major(request: pytest.FixtureRequest) -> Iterator[PostgresServer]:
    """PostgreSQL as it was when the dumps were made, and the newest: what a major upgrade by dump and restore comes to."""
    if request.param == OLDEST:
        yield request.getfixturevalue("postgres")
        return
    server = PostgresServer(request.param)
    yield server
    server.stop()


@pytest.fixture
def restored(release: Release, major: PostgresServer, tmp_path: Path) -> tuple[str, Path]:
    """The address of a server's database that was restored from a release's dump, and the folder with its keys."""
    made = taken_out(release.folder / "server", tmp_path / "made")
    name = major.create()
    major.restore(name, gzip.decompress((made / DUMP_FILE).read_bytes()))
    return major.url(name), made


@pytest.mark.smoke
def test_a_dump_of_a_release_before_is_restored_and_migrated_and_loses_nothing(
    restored: tuple[str, Path], release: Release, major: PostgresServer
) -> None:
    url, made = restored
    home, keys = made / "home", FileSecretStore(made / "keys")
    for source, target in (("library", "data/library"), ("keys", "config/keys")):
        taken_out(made / source, home / target)
    address = make_url(url).set(drivername="postgresql").render_as_string(hide_password=False)
    variables = {"AI_POPUP_HOME": str(home), "AI_POPUP__SERVER__DATABASE": address, "AI_POPUP__LIBRARY__KEY_HOME": "file"}
    command = [sys.executable, "-m", "agent", "server", "migrate", "--json"]
    done = subprocess.run(command, env={**os.environ, **variables}, capture_output=True, timeout=300, check=True)
    told = json.loads(done.stdout)
    assert (told["found"], told["migrated"]) == (release.revision, release.revision != schema.REVISION)

    database = server_database(url, made / "library", keys, Migrating.NONE)  # as the server opens it at its start
    assert_same(contents(database), rows_in(made))
    assert revision_in(database) == schema.REVISION
    counts = RedactionQueries(database).counts()
    assert (counts.images, counts.faces, counts.people) == (2, 2, 2)

    new = server_database(major.url(major.create()), made / "new", keys)
    with new.read() as created, database.read() as migrated:
        expected, found = postgres_parts(created), postgres_parts(migrated)
    for kind, parts in expected.items():
        assert found[kind] == parts, f"{kind}: it has the schema of a new one"
    assert [column[5] for column in found["columns"] if column[:2] == ("person", "name")] == ["C"]
    assert any("WHERE" in str(definition) for _, definition in found["indices"])
    new.close()
    database.close()

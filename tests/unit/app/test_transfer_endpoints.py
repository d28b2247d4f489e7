"""What a library must be before it is moved into a team server."""

from pathlib import Path
from types import SimpleNamespace
from typing import Any, cast

import pytest
from sqlalchemy import text

from agent.app.transfer_endpoints import desktop_library
from agent.domain.errors import StoreNewer, StoreTooOld
from agent.infrastructure.store.open_library import open_library
from agent.infrastructure.store.secret_stores import FileSecretStore


@pytest.mark.parametrize(("revision", "error"), [("0039", StoreTooOld), ("9000", StoreNewer)])
def test_a_library_of_a_schema_that_cant_be_moved_is_refused_and_left_alone(tmp_path: Path, revision: str, error: type[Exception]) -> None:
    library, server = tmp_path / "desktop" / "data" / "library", tmp_path / "server"
    library.mkdir(parents=True)
    database = open_library(library, FileSecretStore(tmp_path / "desktop" / "config" / "keys"))
    with database.write() as tx:
        tx.execute(text("UPDATE alembic_version SET version_num = :to"), {"to": revision})
    database.close()
    (server / "data").mkdir(parents=True)
    session = cast(Any, SimpleNamespace(paths=SimpleNamespace(data=server / "data", keys=server / "keys")))
    before = (library / "library.db").read_bytes()
    with pytest.raises(error), desktop_library(session, library, None):
        pass
    assert (library / "library.db").read_bytes() == before
    assert list((server / "data").iterdir()) == [], "no copy of it is left"

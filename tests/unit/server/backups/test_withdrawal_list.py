"""A database restored by other means than ours, as from a dump: consents that were withdrawn after it are withdrawn at the start."""

from collections.abc import Iterator
from datetime import UTC, date, datetime, timedelta
from pathlib import Path

import pytest
from sqlalchemy import delete, select

from agent.app.server.backups import notice_earlier
from agent.domain.consent import Consent, ConsentState, Purpose
from agent.domain.errors import BackupDatabaseElsewhere
from agent.features.consent.queries import ConsentQueries
from agent.infrastructure.core.settings import Settings
from agent.infrastructure.store.audit_anchor import AuditAnchor
from agent.infrastructure.store.database import Database
from agent.infrastructure.store.open_library import open_library
from agent.infrastructure.store.schema import audit, consent
from agent.infrastructure.store.secret_stores import FileSecretStore
from agent.server.backups.runs import RunQueries
from agent.server.backups.service import ServerBackups
from agent.server.backups.withdrawal_list import WithdrawnFile
from agent.server.devices.queries import DeskQueries

NOW = datetime(2026, 11, 29, 12, 0, tzinfo=UTC)


@pytest.fixture
def database(tmp_path: Path) -> Iterator[Database]:
    made = open_library(tmp_path / "library", FileSecretStore(tmp_path / "keys"))
    yield made
    made.close()


def said(state: ConsentState) -> Consent:
    return Consent(purpose=Purpose.PUBLISH, state=state, given_on=date(2026, 11, 1))


def states(database: Database) -> list[str]:
    with database.read() as tx:
        return [str(each) for each in tx.scalars(select(consent.c.state).order_by(consent.c.id))]


def started(database: Database, tmp_path: Path) -> WithdrawnFile:
    """The list, after a server began that makes no backups itself."""
    listed = WithdrawnFile(tmp_path / "withdrawn", ConsentQueries(database))
    able = BackupDatabaseElsewhere()
    ServerBackups(able, RunQueries(database), listed, tmp_path / "forgotten", Settings, lambda: NOW + timedelta(hours=2)).begin()
    return listed


def test_what_the_restored_database_does_not_know_is_withdrawn_again(database: Database, tmp_path: Path) -> None:
    queries = ConsentQueries(database)
    who = queries.give_consents("Ada", [said(ConsentState.GIVEN)], now=NOW, note="n").person_id
    queries.withdraw_consent(who, said(ConsentState.WITHDRAWN), now=NOW + timedelta(hours=1), note="n")
    started(database, tmp_path).follow()
    assert states(database) == ["given", "withdrawn"]
    started(database, tmp_path)
    assert states(database) == ["given", "withdrawn"], "nothing is new"
    with database.write(durable=True) as tx:
        tx.execute(delete(consent).where(consent.c.state == ConsentState.WITHDRAWN))  # the moment of the dump
    started(database, tmp_path)
    assert states(database) == ["given", "withdrawn"]


def test_what_was_agreed_to_after_a_withdrawal_stays(database: Database, tmp_path: Path) -> None:
    queries = ConsentQueries(database)
    who = queries.give_consents("Ada", [said(ConsentState.GIVEN)], now=NOW, note="n").person_id
    queries.withdraw_consent(who, said(ConsentState.WITHDRAWN), now=NOW + timedelta(minutes=1), note="n")
    started(database, tmp_path).follow()
    queries.give_consents("Ada", [said(ConsentState.GIVEN)], now=NOW + timedelta(minutes=2), note="n")
    started(database, tmp_path)
    assert states(database) == ["given", "withdrawn", "given"]


def test_desktops_ask_for_everything_again_as_its_numbers_are_given_once_more(database: Database, tmp_path: Path) -> None:
    queries, witness = DeskQueries(database), AuditAnchor(tmp_path / "library")
    queries.renew_feed(now=NOW)
    told = queries.feed(0, 0, now=NOW)
    for _ in range(2):
        queries.audit_add("backup_done", None, 1, NOW)
    witness.follow(queries)
    notice_earlier(database, witness, NOW)
    queries.renew_feed(now=NOW)
    assert not queries.feed(told.generation, told.cursor, now=NOW).reset, "it is as it was"
    with database.write() as tx:
        tx.execute(delete(audit).where(audit.c.id > 1))  # the moment of the dump
    for known in (True, False):  # who restores a dump removes the file, as our own restore does
        if not known:
            witness.forget()
        notice_earlier(database, witness, NOW)
        queries.renew_feed(now=NOW)
        told, before = queries.feed(told.generation, told.cursor, now=NOW), told
        assert told.reset and told.generation != before.generation

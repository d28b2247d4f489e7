"""The audit log over each dialect: who did what, and that no row is changed from outside unnoticed."""

import threading
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from hashlib import sha256

import pytest
from sqlalchemy import text

from agent.features.redaction.queries.redaction_queries import RedactionQueries
from agent.infrastructure.core.actor import HERE, acting_as
from agent.infrastructure.store import audit_log
from agent.infrastructure.store.audit_chain import AuditHead
from agent.infrastructure.store.database import Database
from agent.infrastructure.store.fact_values import moment

NOW = datetime(2026, 11, 29, 10, tzinfo=UTC)
MEI, BEN = "a" * 32, "b" * 32
ROWS = 6


@pytest.fixture
def written(library: RedactionQueries) -> RedactionQueries:
    """A log with six entries by three actors."""
    for number in range(ROWS):
        with acting_as((HERE, MEI, BEN)[number % 3]):
            library.audit_add("named" if number % 2 else "exported", f"{number:032}", number, NOW + timedelta(minutes=number), detail="all")
    return library


def change(library: RedactionQueries, *statements: str) -> None:
    with library.database.write() as tx:
        for each in statements:
            tx.execute(text(each))


def test_entries_come_newest_first_page_by_page_and_by_actor_and_action(written: RedactionQueries) -> None:
    assert [each.id for each in written.audit_entries(limit=4)] == [6, 5, 4, 3]
    assert [each.id for each in written.audit_entries(before=3, limit=4)] == [2, 1]
    assert [each.id for each in written.audit_entries(limit=9, actor=MEI)] == [5, 2]
    assert [each.id for each in written.audit_entries(limit=9, actor=HERE)] == [4, 1]
    assert [each.id for each in written.audit_entries(limit=9, action="named", actor=BEN)] == [6]
    [last] = written.audit_entries(limit=1)
    assert last == (6, NOW + timedelta(minutes=5), BEN, "named", f"{5:032}", 5, "all", "")
    assert written.audit_broken_at() is None


@pytest.mark.parametrize(
    "value",
    [f"actor = '{BEN}'", "actor = ''", "action = 'exported'", "subject = NULL", "number = 9", "detail = ''", "at = at + 1", "digest = 'x'"],
)
def test_a_changed_entry_is_found(written: RedactionQueries, value: str) -> None:
    change(written, f"UPDATE audit SET {value} WHERE id = 2")
    assert written.audit_broken_at() == 2


def test_the_libraries_of_an_entry_are_as_written_or_the_change_is_found(written: RedactionQueries) -> None:
    def said(*values: str) -> int | None:
        for value in values:
            change(written, f"UPDATE audit SET {value} WHERE id = {ROWS + 1}")
        return written.audit_broken_at()

    with written.database.write() as tx:
        audit_log.add(tx, "named", None, 1, NOW, libraries=[31, 4])
        audit_log.add(tx, "named", None, 1, NOW)
    assert [each.libraries for each in written.audit_entries(limit=3)] == ["", "4,31", ""]
    assert written.audit_broken_at() is None
    assert said("libraries = '4'") == ROWS + 1
    assert said("libraries = ''") == ROWS + 1
    assert said("libraries = ''", "version = 2") == ROWS + 1
    assert said("libraries = '4,31'") == ROWS + 1, "such an entry is of the newer version"
    assert said("version = 3") is None
    change(written, "UPDATE audit SET libraries = '4' WHERE id = 2")
    assert written.audit_broken_at() == 2, "an entry without libraries is given none"
    change(written, "UPDATE audit SET version = 3 WHERE id = 2")
    assert written.audit_broken_at() == 2
    change(written, "UPDATE audit SET libraries = '', version = 4 WHERE id = 2")
    assert written.audit_broken_at() == 2, "no such version"


@pytest.mark.parametrize("row", [1, 3, ROWS])
def test_a_deleted_entry_is_found(written: RedactionQueries, row: int) -> None:
    change(written, f"DELETE FROM audit WHERE id = {row}")
    assert written.audit_broken_at() == row


def test_entries_in_another_order_are_found(written: RedactionQueries) -> None:
    change(
        written, "UPDATE audit SET id = 99 WHERE id = 3", "UPDATE audit SET id = 3 WHERE id = 4", "UPDATE audit SET id = 4 WHERE id = 99"
    )
    assert written.audit_broken_at() == 3


def test_an_inserted_entry_is_found_even_in_the_manner_of_earlier_versions(written: RedactionQueries) -> None:
    last = written.audit_head().digest
    digest = sha256(f"{last}\n{moment(NOW)}\nnamed\n\n1".encode()).hexdigest()
    values = f"(7, {moment(NOW)}, 'named', NULL, 1, '{digest}', 1)"
    change(written, f"INSERT INTO audit (id, at, action, subject, number, digest, version) VALUES {values}")
    assert written.audit_broken_at() == 7


def test_rewriting_the_rest_of_the_chain_without_the_key_is_found(written: RedactionQueries) -> None:
    with written.database.write() as tx:
        rows = tx.execute(text("SELECT id, at, action, subject, number FROM audit ORDER BY id")).all()
        last = "0" * 64
        for row in rows:
            last = sha256("\n".join((last, str(row.at), row.action, row.subject, str(row.number))).encode()).hexdigest()
            tx.execute(text("UPDATE audit SET version = 1, digest = :digest, actor = '' WHERE id = :id"), {"digest": last, "id": row.id})
    assert written.audit_broken_at() == ROWS + 1, "the head does not fit"


@pytest.mark.parametrize("cut", [1, 3])
def test_entries_cut_off_the_end_are_found_also_after_others_were_added(written: RedactionQueries, cut: int) -> None:
    change(written, f"DELETE FROM audit WHERE id > {ROWS - cut}")
    assert written.audit_broken_at() == ROWS - cut + 1
    written.audit_add("named", None, 1, NOW)
    assert written.audit_broken_at() == ROWS - cut + 1


@pytest.mark.parametrize(
    "head",
    ["DELETE FROM audit_head", "UPDATE audit_head SET number = 5, digest = (SELECT digest FROM audit WHERE id = 5)"],
    ids=["missing", "moved"],
)
def test_a_head_that_follows_the_cut_is_found_and_not_mended_by_the_next_entry(written: RedactionQueries, head: str) -> None:
    change(written, "DELETE FROM audit WHERE id = 6", head)
    assert written.audit_broken_at() == 6
    written.audit_add("named", None, 1, NOW)
    assert written.audit_broken_at() == 6


def test_a_log_put_back_with_its_own_earlier_head_is_found_by_a_witness(written: RedactionQueries) -> None:
    with written.database.read() as tx:
        earlier = tx.execute(text("SELECT number, digest, seal FROM audit_head")).one()
    written.audit_add("signed_in", None, 1, NOW)
    witness = written.audit_head()
    put_back = f"UPDATE audit_head SET number = {earlier.number}, digest = '{earlier.digest}', seal = '{earlier.seal}'"
    change(written, "DELETE FROM audit WHERE id = 7", put_back)
    assert written.audit_broken_at() is None, "of itself the database can't show it"
    assert written.audit_broken_at(witness) == 7
    written.audit_add("named", None, 1, NOW)
    assert written.audit_broken_at(witness) == 7


def test_a_log_that_grew_since_the_witness_is_whole(written: RedactionQueries) -> None:
    witness = written.audit_head()
    written.audit_add("named", None, 1, NOW)
    assert written.audit_broken_at(witness) is None
    assert written.audit_broken_at(AuditHead(witness.number, "f" * 64)) == ROWS


def test_entries_of_earlier_versions_stay_valid_and_are_sealed_by_the_next(library: RedactionQueries) -> None:
    last = "0" * 64
    with library.database.write() as tx:
        for number in (1, 2):
            last = sha256(f"{last}\n{moment(NOW)}\nnamed\n{MEI}\n{number}".encode()).hexdigest()
            row = "INSERT INTO audit (id, at, action, subject, number, digest) VALUES (:id, :at, 'named', :subject, :id, :digest)"
            tx.execute(text(row), {"id": number, "at": moment(NOW), "subject": MEI, "digest": last})
    assert library.audit_broken_at() is None
    library.audit_add("named", MEI, 3, NOW)
    assert library.audit_broken_at() is None
    change(library, "DELETE FROM audit WHERE id = 3", "DELETE FROM audit_head")
    library.audit_add("named", MEI, 3, NOW)
    change(library, "UPDATE audit SET number = 5 WHERE id = 1")
    assert library.audit_broken_at() == 1


def test_an_empty_log_is_whole(library: RedactionQueries) -> None:
    assert library.audit_broken_at() is None
    assert library.audit_head().number == 0 and library.audit_entries(limit=1) == []


def test_entries_of_writers_at_once_are_one_chain_with_each_its_actor(
    library: RedactionQueries, open_again: Callable[[], Database]
) -> None:
    others = [RedactionQueries(open_again()) for _ in range(3)]

    def work(mine: RedactionQueries, who: str) -> None:
        with acting_as(who):
            for number in range(10):
                mine.audit_add("named", None, number, NOW)

    threads = [threading.Thread(target=work, args=(mine, f"{n}" * 32)) for n, mine in enumerate(others)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert library.audit_broken_at() is None
    assert [len(library.audit_entries(limit=99, actor=f"{n}" * 32)) for n in range(3)] == [10, 10, 10]
    for each in others:
        each.database.close()


def test_another_librarys_key_gives_other_digests(library: RedactionQueries) -> None:
    with library.database.write() as tx:
        audit_log.add(tx, "named", None, 1, NOW)
        digest = tx.scalar(text("SELECT digest FROM audit"))
        tx.execute(text("DELETE FROM audit"))
        tx.execute(text("DELETE FROM audit_head"))
        audit_log.add(tx.execution_options(audit_key=b"another"), "named", None, 1, NOW)
        assert tx.scalar(text("SELECT digest FROM audit")) != digest

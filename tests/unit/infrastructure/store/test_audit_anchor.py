"""The audit log's head, kept beside the library."""

from datetime import UTC, datetime
from pathlib import Path

from agent.features.redaction.queries.redaction_queries import RedactionQueries
from agent.infrastructure.store.audit_anchor import AuditAnchor

NOW = datetime(2026, 11, 29, tzinfo=UTC)


def test_the_witness_follows_a_growing_log_and_not_one_that_was_put_back(library: RedactionQueries, tmp_path: Path) -> None:
    witness = AuditAnchor(tmp_path / "library")
    assert witness.read() is None
    assert witness.follow(library) == (0, "0" * 64)
    for number in range(3):
        library.audit_add("named", None, number, NOW)
    head = witness.follow(library)
    assert head == library.audit_head() == witness.read() and head.number == 3

    with library.database.write() as tx:
        tx.exec_driver_sql("DELETE FROM audit")
        tx.exec_driver_sql("DELETE FROM audit_head")
    assert library.audit_broken_at() is None, "an empty log is whole"
    assert witness.follow(library) is None and witness.read() == head
    assert library.audit_broken_at(witness.read()) == 1
    witness.forget()
    assert witness.follow(library) == (0, "0" * 64)


def test_an_unreadable_witness_is_as_good_as_none(tmp_path: Path) -> None:
    (tmp_path / "record-head").write_bytes(b"\xff\xfe rubbish in it")
    assert AuditAnchor(tmp_path / "library").read() is None

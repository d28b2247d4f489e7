"""The hourly check of the audit log over each dialect: it reads what is new and a part of the rest, and finds what a whole check would."""

from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from hashlib import sha256
from pathlib import Path

import pytest
from sqlalchemy import text

from agent.features.redaction.queries.redaction_queries import RedactionQueries
from agent.infrastructure.store import audit_chain
from agent.infrastructure.store.audit_anchor import CHECKPOINT_FILE, WITNESS_FILE, AuditAnchor
from agent.infrastructure.store.audit_chain import START
from agent.infrastructure.store.fact_values import moment

NOW = datetime(2026, 11, 29, 10, tzinfo=UTC)
PARTS, ROWS = 4, 40


class Checked:
    """A log of 40 entries and its witness, which the upkeep notes before each check."""

    def __init__(self, library: RedactionQueries, folder: Path) -> None:
        self.library = library
        self.folder = folder
        self.witness = AuditAnchor(folder / "library")
        self.added = 0
        self.read = 0
        """entries whose digests were computed in the last check"""

    def add(self, count: int) -> None:
        for _ in range(count):
            self.added += 1
            self.library.audit_add("named", None, self.added, NOW)

    def change(self, *statements: str) -> None:
        with self.library.database.write() as tx:
            for each in statements:
                tx.execute(text(each))

    def check(self) -> int | None:
        self.witness.follow(self.library)
        self.read = 0
        return self.witness.check(self.library)

    def found(self, checks: int) -> Iterator[int]:
        """What as many further checks find."""
        for _ in range(checks):
            if (found := self.check()) is not None:
                yield found


@pytest.fixture
def checked(library: RedactionQueries, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Checked:
    made = Checked(library, tmp_path)
    made.add(ROWS)

    def counted(*args: object, digest: Callable[..., str] = audit_chain.digest_of) -> str:
        made.read += 1
        return digest(*args)

    monkeypatch.setattr(audit_chain, "digest_of", counted)
    monkeypatch.setattr(audit_chain, "PARTS", PARTS)
    monkeypatch.setattr(audit_chain, "LEAST_PART", 1)
    return made


def test_a_check_reads_what_is_new_and_a_part_of_the_rest(checked: Checked) -> None:
    assert checked.check() is None and checked.read == ROWS
    assert checked.check() is None and checked.read == ROWS / PARTS
    checked.add(4)
    assert checked.check() is None and checked.read == 4 + (ROWS + 4) / PARTS
    checked.witness = AuditAnchor(checked.folder / "library")  # the program starts again
    assert checked.check() is None and checked.read == (ROWS + 4) / PARTS


@pytest.mark.parametrize("row", [1, 11, 27, ROWS])
@pytest.mark.parametrize("earlier", [1, 3, 5])
@pytest.mark.parametrize("statement", ["UPDATE audit SET detail = 'x' WHERE id = {}", "UPDATE audit SET id = -id WHERE id = {}"])
def test_an_old_entry_that_is_changed_is_found_wherever_the_checks_are(checked: Checked, row: int, earlier: int, statement: str) -> None:
    """Once more than the number of parts, because the part in which the entry is may have been read just before the change."""
    for _ in range(earlier):
        assert checked.check() is None
    checked.change(statement.format(row))
    found = list(checked.found(PARTS + 1))
    assert found and set(found) <= {row, -row}
    assert checked.library.audit_broken_at() == found[-1]


def test_the_first_of_several_changed_entries_is_named(checked: Checked) -> None:
    assert checked.check() is None
    for row in (ROWS, 35, 2):
        checked.change(f"UPDATE audit SET number = 99 WHERE id = {row}")
    assert next(checked.found(PARTS)) == 2


@pytest.mark.parametrize("row", [ROWS - 1, ROWS, ROWS + 1])
def test_entries_cut_off_the_end_are_found_by_the_next_check(checked: Checked, row: int) -> None:
    assert checked.check() is None
    checked.add(1)
    assert checked.check() is None
    checked.change(f"DELETE FROM audit WHERE id >= {row}")
    assert checked.check() == row


def test_a_database_that_was_put_back_is_found_though_it_is_whole(checked: Checked) -> None:
    assert checked.check() is None
    with checked.library.database.read() as tx:
        number, digest, seal = tx.execute(text("SELECT number, digest, seal FROM audit_head")).one()
    checked.add(3)
    assert checked.check() is None
    checked.change(
        f"DELETE FROM audit WHERE id > {ROWS}",
        "DELETE FROM audit_head",
        f"INSERT INTO audit_head (id, number, digest, seal) VALUES (1, {number}, '{digest}', '{seal}')",
    )
    assert checked.library.audit_broken_at() is None
    assert checked.check() == ROWS + 1
    checked.add(9)
    assert checked.check() == ROWS + 3, "also after others were added"


def test_the_file_must_be_as_it_was_written(checked: Checked) -> None:
    assert checked.check() is None
    file = checked.folder / CHECKPOINT_FILE
    genuine = file.read_text()
    number, digest, *others = genuine.split()
    for content in (
        "",
        "rubbish",
        " ".join(("39", digest, *others)),
        " ".join((number, "f" * 64, *others)),
        " ".join((number, digest, "0", *others[1:])),
        " ".join((number, digest, others[0], "39", *others[2:])),
        f"{genuine.strip()} 1",
        f"é{genuine}",
    ):
        file.write_text(content, encoding="utf-8")
        assert checked.check() is None and checked.read == ROWS, "all is read"
        assert file.read_text() == genuine


def test_what_is_noted_of_a_library_is_dropped_with_its_head(checked: Checked) -> None:
    assert checked.check() is None
    (checked.folder / WITNESS_FILE).unlink()  # as one does who restored the database by its own tools
    checked.change("DELETE FROM audit", "DELETE FROM audit_head")
    checked.add(2)
    assert checked.check() is None and checked.read == 2
    checked.witness.forget()
    assert list(checked.folder.glob("record-*")) == []


def test_without_its_head_nothing_that_was_checked_counts(checked: Checked) -> None:
    assert checked.check() is None
    (checked.folder / WITNESS_FILE).unlink()
    checked.read = 0
    assert checked.witness.check(checked.library) is None and checked.read == ROWS


@pytest.mark.parametrize("earlier", [1, 2, 3, 4])
def test_entries_of_earlier_versions_that_were_rewritten_as_one_chain_are_found(checked: Checked, earlier: int) -> None:
    """They have no key, so that only the first keyed entry after them shows it."""

    def write(first: int, digest: str, number: int) -> str:
        for row in range(first, 21):
            at = NOW + timedelta(minutes=row)
            digest = sha256("\n".join((digest, str(moment(at)), "named", "", str(number))).encode()).hexdigest()
            digests[row] = digest
            checked.change(
                f"DELETE FROM audit WHERE id = {row}",
                "INSERT INTO audit (id, at, actor, action, number, detail, version, digest, libraries)"
                f" VALUES ({row}, {moment(at)}, '', 'named', {number}, '', 1, '{digest}', '')",
            )
        return digest

    digests = {0: START}
    checked.change("DELETE FROM audit", "DELETE FROM audit_head")
    write(1, START, 1)
    checked.add(20)
    for _ in range(earlier):
        assert checked.check() is None
    write(5, digests[4], 2)
    found = list(checked.found(PARTS + 1))
    assert found and set(found) == {21}


def test_a_full_disk_keeps_no_check_from_its_result(checked: Checked, monkeypatch: pytest.MonkeyPatch) -> None:
    def full(*_: object) -> None:
        raise OSError(28, "no room")

    assert checked.check() is None
    monkeypatch.setattr("agent.infrastructure.store.audit_anchor.write_private", full)
    assert checked.check() is None
    checked.change("UPDATE audit SET detail = 'x' WHERE id = 3")
    assert checked.check() == 3

"""One move of a library into another: what would move, the move itself, and the proof that it is there.

The source is only read. The other side is written in pages, each in a transaction of its own that finds again what is there; so a move
that was killed anywhere is begun anew, and ends with the same rows.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from typing import Final

from sqlalchemy import select

from agent.features.consent.queries import ConsentQueries
from agent.features.people.editor import IN_DOUBT
from agent.infrastructure.store import audit_log
from agent.infrastructure.store.database import Database
from agent.infrastructure.store.flags import set_flag
from agent.infrastructure.store.schema import audit
from agent.server.transfer.album_moves import write_albums
from agent.server.transfer.archived_audit import (
    LIBRARY_MOVED,
    RECORD_MOVED,
    ClosedRecord,
    copy_record,
    path_of,
    read_record,
    records_in,
    write_record,
)
from agent.server.transfer.findings import Findings, TableProof
from agent.server.transfer.numbers import Numbers
from agent.server.transfer.people_moves import find_lapsed, people_there, write_people
from agent.server.transfer.reader import Page, Reader
from agent.server.transfer.tables import OF_FACES, RECORD
from agent.server.transfer.undo import write_steps
from agent.server.transfer.verifier import Proof
from agent.server.transfer.writer import Writer

Step = Callable[[str, int], None]

WRITING: Final = "writing"
PROVING: Final = "proving"


@dataclass(frozen=True, slots=True)
class Side:
    """A library beside its files: the closed records, and the ids of people who were forgotten."""

    database: Database
    records: Path
    uid: str  # of its keys: names its record on the other side
    library: int | None = None  # of a server's several: where albums go


@dataclass(slots=True)
class Moved:
    """The outcome."""

    tables: list[TableProof]
    findings: Findings
    records: list[ClosedRecord]
    without_consent: int = 0

    @property
    def equal(self) -> bool:
        return all(each.equal for each in self.tables)


@dataclass(slots=True)
class Move:
    """`forgotten` are the random ids of people who were forgotten on either side. `with_record`: the log goes along."""

    source: Side
    target: Side
    reader: Reader
    forgotten: frozenset[str]
    consent_required: bool
    with_record: bool
    now: Callable[[], datetime]
    step: Step = lambda _, __: None
    _numbers: Numbers = field(init=False)
    _findings: Findings = field(default_factory=Findings)

    def __post_init__(self) -> None:
        self._numbers = Numbers(library=self.target.library)

    def run(self) -> Moved:
        """Move everything, and compare. Raises StoreError."""
        writer = self._write()
        proof = Proof(self.reader, self.target.database, self.forgotten, writer, self._findings)
        for _ in proof.run():
            self.step(PROVING, 0)
        records = self._records()
        tables = proof.tables() + [TableProof(RECORD, was.entries, there.entries, was.digest, there.digest) for was, there in records]
        found = Moved(tables, self._findings, [there for _, there in records], without_consent=len(self._numbers.lapsed))
        photos = next(each.source_rows + each.kept for each in tables if each.table == "image")
        self._note(found.records, photos if found.equal else None)
        return found

    def _write(self) -> Writer:
        target, people = self.target.database, self.reader.people()
        consents = ConsentQueries(target)
        consents.follow_consents(self.consent_required, now=self.now(), note=IN_DOUBT)
        with target.write(durable=True) as tx:
            write_people(tx, people, self._numbers, self.forgotten, self._findings)
            set_flag(tx, IN_DOUBT)
        consents.follow_consents(self.consent_required, now=self.now(), note=IN_DOUBT)
        with target.read() as tx:
            people_there(tx, people, self._numbers, self.forgotten)
            find_lapsed(tx, self._numbers)
        writer = Writer(self._numbers, self._findings, self.now())
        for page in self.reader.photos(people.labels):
            with target.write() as tx:
                writer.photos(tx, page)
            self._note_withheld(writer, page)
            self.step(WRITING, len(page.rows["image"]))
        for page in self.reader.files():
            with target.write() as tx:
                writer.files(tx, page)
        for page in self.reader.redactions(people.labels):
            with target.write() as tx:
                writer.redactions(tx, page)
        albums = self.reader.albums(people.labels)
        with target.write(durable=True) as tx:
            write_albums(tx, albums, self._numbers, self._findings)
        for page in self.reader.album_photos(albums):
            with target.write() as tx:
                writer.album_photos(tx, page)
        steps = self.reader.steps(people.labels)
        with target.write(durable=True) as tx:
            write_steps(tx, steps, self._numbers, self._findings)
        return writer

    def _note_withheld(self, writer: Writer, page: Page) -> None:
        for moving in OF_FACES:
            for each in page.rows[moving.name]:
                if (why := writer.withheld(page, moving, each)) is not None:
                    self._findings.withheld[moving.name, why] += 1

    def _records(self) -> list[tuple[ClosedRecord, ClosedRecord]]:
        """Bring this library's log, and those of earlier moves; returns each as it was, and as it is there."""
        brought = [write_record(self.source.database, self.source.uid, self.target.records)] if self.with_record else []
        for path in records_in(self.source.records):
            brought.append(read_record(path))
            copy_record(path, self.target.records)
        return [(each, read_record(self.target.records / path_of(each.uid))) for each in brought]

    def _note(self, records: Sequence[ClosedRecord], photos: int | None) -> None:
        """Note in the other side's log that the library came, unless `photos` is None, and the digests of what came as files; each once."""
        came = [] if photos is None else [(LIBRARY_MOVED, self.source.uid, photos, "")]
        came += [(RECORD_MOVED, each.uid, each.entries, each.sha256) for each in records]
        with self.target.database.write(durable=True) as tx:
            for action, subject, number, detail in came:
                same = (audit.c.action == action, audit.c.subject == subject, audit.c.number == number, audit.c.detail == detail)
                if tx.scalar(select(audit.c.id).where(*same).limit(1)) is None:
                    audit_log.add(tx, action, subject, number, self.now(), detail=detail)

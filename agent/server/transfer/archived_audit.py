"""The audit log of a library that moved, as a file that is never written again.

Its chain is keyed by the library it comes from, so no other one can continue it. The file holds its entries as they were, digests
included; the log of the library that it moved to names the file's own digest, so a change of it is found.
"""

import hashlib
import json
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from sqlalchemy import select

from agent.infrastructure.core.files import store_error, write_private
from agent.infrastructure.core.paths import make_private
from agent.infrastructure.store.audit_log import AuditQueries
from agent.infrastructure.store.database import Database
from agent.infrastructure.store.fact_values import moment
from agent.infrastructure.store.schema import audit
from agent.server.transfer.canonical import Digest, digest_of

RECORDS_FOLDER: Final = "records"
LIBRARY_MOVED, RECORD_MOVED = "library_moved", "record_moved"
"""entries in the log of the other side; the subject of the second is the file's name, its detail the file's digest"""
_ENDING: Final = ".jsonl"


@dataclass(frozen=True, slots=True)
class ClosedRecord:
    """One file. `broken_at` is the first entry that was not as written when it moved."""

    uid: str
    entries: int
    broken_at: int | None
    sha256: str
    digest: str  # of the entries, whatever their order


def write_record(database: Database, uid: str, folder: Path) -> ClosedRecord:
    """Write the library's log, verified by its own key. Raises StoreError."""
    broken_at = AuditQueries(database).audit_broken_at()
    lines, digest = [json.dumps({"record": uid, "broken_at": broken_at})], Digest()
    with database.read() as tx:
        for row in tx.execute(select(audit).order_by(audit.c.id)).mappings():
            entry = dict(row) | {"at": moment(row["at"])}
            digest.add([digest_of(entry)])
            lines.append(json.dumps(entry, ensure_ascii=True))
    content = ("\n".join(lines) + "\n").encode()
    _put(folder, path_of(uid), content)
    return ClosedRecord(uid, digest.rows, broken_at, hashlib.sha256(content).hexdigest(), digest.value)


def read_record(path: Path) -> ClosedRecord:
    """Read a file as it is. Raises StoreError, ValueError if it is none."""
    try:
        content = path.read_bytes()
    except OSError as error:
        raise store_error(error) from error
    head, *entries = [json.loads(line) for line in content.decode().splitlines()]
    digest = Digest()
    digest.add(digest_of(each) for each in entries)
    return ClosedRecord(head["record"], digest.rows, head["broken_at"], hashlib.sha256(content).hexdigest(), digest.value)


def copy_record(path: Path, folder: Path) -> None:
    """Raises StoreError."""
    if path.parent != folder:
        _put(folder, path.name, path.read_bytes())


def path_of(uid: str) -> str:
    return f"{uid}{_ENDING}"


def records_in(folder: Path) -> list[Path]:
    return sorted(folder.glob(f"*{_ENDING}"))


def changed_records(database: Database, folder: Path) -> list[str]:
    """Return the files below `folder` that are not as they were when they came, or are missing. Raises StoreError."""
    with database.read() as tx:
        said = tx.execute(select(audit.c.subject, audit.c.detail).where(audit.c.action == RECORD_MOVED).order_by(audit.c.id)).all()
    there: dict[str, set[str]] = {}
    for path in folder.rglob(f"*{_ENDING}"):
        there.setdefault(path.stem, set()).add(hashlib.sha256(path.read_bytes()).hexdigest())
    newest = {each.subject: each.detail for each in said}
    return sorted(uid for uid, sha256 in newest.items() if there.get(uid) != {sha256})


def _put(folder: Path, name: str, content: bytes) -> None:
    make_private(folder)
    try:
        write_private(folder / name, content)
    except OSError as error:
        raise store_error(error) from error

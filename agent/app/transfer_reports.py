"""Prints what a move would do and what it did, and writes its receipt."""

import json
import shutil
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import asdict
from pathlib import Path

from agent.infrastructure.core.files import store_error, write_private
from agent.infrastructure.core.service_context import utc_now
from agent.interfaces.cli.output import note, say, tell
from agent.interfaces.cli.session import CommandSession
from agent.interfaces.cli.wrapping import padded
from agent.server.transfer.move import Moved
from agent.server.transfer.plan import Plan

_GROWTH = 1.6  # a server's rows against a file's, with their indexes
_DIGITS = 12  # of a digest


def show_plan(
    session: CommandSession,
    planned: Plan,
    absent: Sequence[tuple[str, int]],
    size: int,
    target: Path,
    *,
    as_json: bool,
    only: bool,
    with_record: bool = False,
) -> None:
    """Print the plan: as the result if it is `only` that, otherwise as a note."""
    texts = session.texts
    space = round(size * _GROWTH)
    if as_json:
        if only:
            facts = asdict(planned) | {
                "folders_missing": len(absent),
                "seconds": round(planned.seconds),
                "bytes": space,
                "free": _free(target),
            }
            tell(facts, as_json=True)
        return
    lines = [
        texts.counted(
            "cli.move.plan",
            photos=planned.rows["image"],
            faces=planned.rows["face"],
            people=planned.rows["person"],
            albums=planned.rows["album"],
        )
    ]
    lines += [texts("cli.move.folder", here=here, there=there, files=files) for here, there, files in planned.folders]
    lines += [texts("cli.move.absent", there=there) for there, _ in absent]
    for name, count in (
        ("singles", planned.singles),
        ("known", planned.known_photos),
        ("forgotten", planned.forgotten),
    ):
        if count:
            lines.append(texts(f"cli.move.{name}", count=count))
    if planned.without_consent:
        lines.append(texts("cli.move.lapse", count=planned.without_consent, prints=planned.withheld_prints))
    lines += [
        texts("cli.move.stays_line", count=count, reason=texts(f"cli.move.stays.{reason}")) for reason, count in planned.stays.items()
    ]
    lines.append(texts("cli.move.files_stay"))
    minutes = max(1, round(planned.seconds / 60))
    if size:
        lines.append(texts("cli.move.costs", minutes=minutes, needs=f"{space / 1e6:,.0f}", free=f"{(_free(target) or 0) / 1e6:,.0f}"))
    (say if only else note)(*lines)


def report(session: CommandSession, moved: Moved, folder: Path, *, as_json: bool) -> Path:
    """Print the proof, and write the receipt into the folder; returns its path. Raises StoreError."""
    texts, findings = session.texts, moved.findings
    facts = {
        "equal": moved.equal,
        "tables": [asdict(each) | {"equal": each.equal} for each in moved.tables],
        "written": dict(findings.moved),
        "withheld": [{"table": table, "reason": reason, "rows": rows} for (table, reason), rows in findings.withheld.items() if rows],
        "conflicts": [asdict(each) for each in findings.conflicts],
        "conflict_count": findings.conflict_count,
        "without_consent": moved.without_consent,
        "records": [asdict(each) for each in moved.records],
    }
    now = utc_now()
    path = folder / f"receipt-{now:%Y-%m-%dT%H%M%SZ}.json"
    try:
        write_private(path, json.dumps({"at": now.isoformat(), **facts}, indent=1).encode())
    except OSError as error:
        raise store_error(error) from error
    if as_json:
        tell(facts | {"receipt": str(path)}, as_json=True)
        return path
    names = {each.table: texts(f"cli.move.tables.{each.table}") for each in moved.tables}
    head = [texts(f"cli.move.columns.{name}") for name in ("table", "rows", "kept", "withheld", "source", "target", "equal")]
    rows = [
        [
            names[each.table],
            f"{each.source_rows:,}",
            f"{each.kept:,}",
            f"{each.withheld:,}",
            each.source_digest[:_DIGITS],
            each.target_digest[:_DIGITS],
            texts("cli.move.same" if each.equal else "cli.move.differs"),
        ]
        for each in moved.tables
    ]
    _table([head, *rows])
    for each in moved.tables:
        if not each.equal:
            say(texts("cli.move.differing", table=names[each.table], ids=", ".join(map(str, each.differing))))
    for (table, reason), count in findings.withheld.items():
        if count:
            say(texts("cli.move.withheld", table=texts(f"cli.move.tables.{table}"), count=count, reason=texts(f"cli.move.why.{reason}")))
    for found in findings.conflicts[:20]:
        said = texts(f"cli.move.conflicts.{found.kind}")
        say(texts("cli.move.conflict", said=said, here=found.source_id or "–", there=found.target_id or "–"))
    if findings.conflict_count > 20:
        say(texts("cli.move.more_conflicts", count=findings.conflict_count - 20))
    return path


def _table(rows: Sequence[Sequence[str]]) -> None:
    from agent.interfaces.cli.wrapping import cells

    widths = [max(cells(row[at]) for row in rows) for at in range(len(rows[0]))]
    for row in rows:
        say("  ".join(padded(text, width) for text, width in zip(row, widths, strict=True)).rstrip())


def _free(folder: Path) -> int | None:
    for each in (folder, *folder.parents):
        with suppress(OSError):
            return shutil.disk_usage(each).free
    return None

"""Runs the requested groups and prints their rows: started by scripts/bench.py in the virtual environment."""

import argparse
import sys
from collections.abc import Callable, Iterator, Sequence
from functools import partial
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[2]))

from scripts.benchmarks import (
    acceptance,
    accuracy,
    agent,
    availability,
    capture,
    clients,
    core,
    engine,
    fuzz,
    idle,
    installed,
    kills,
    odd,
    people,
    redact,
    redact_video,
    scan,
    server,
    ui,
    vectors,
    watch,
)
from scripts.benchmarks.rows import Row, as_json, as_table, facts

# Group -> its function, which gets whether long rows are wanted.
GROUPS: dict[str, Callable[[bool], Iterator[Row]]] = {
    "scan": scan.rows,
    "engine": engine.rows,
    "agent": agent.rows,
    "idle": idle.rows,
    "installed": installed.rows,
    "capture": capture.rows,
    "watch": watch.rows,
    "vectors": vectors.rows,
    "people": people.rows,
    "ui": ui.rows,
    "kills": kills.rows,
    "fuzz": fuzz.rows,
    "video": redact_video.rows,
}
# Run only if named, on the folder given after it.
ON_DATA: dict[str, Callable[[Path], Iterator[Row]]] = {"accuracy": accuracy.rows, "redact": redact.rows, "odd": odd.rows}
# Run only if named; with a folder after it, also on the data in there.
NAMED: dict[str, Callable[[bool], Iterator[Row]]] = {
    "acceptance": acceptance.rows,
    "availability": availability.rows,
    "clients": clients.rows,
    "core": core.rows,
    "server": server.rows,
}
MORE_ON_DATA: dict[str, Callable[[Path], Iterator[Row]]] = {"core": core.labelled_rows}


def main() -> int:
    """Return the exit code: 1 if a row misses its target."""
    parser = argparse.ArgumentParser(prog="bench.py", description="Measures the program. Exits with 1 if a figure misses its target.")
    parser.add_argument(
        "groups",
        nargs="*",
        metavar="GROUP",
        help=f"{', '.join(GROUPS)}, or {', '.join(ON_DATA)} FOLDER, {', '.join(NAMED)} [FOLDER]; all without a folder if none is named",
    )
    form = parser.add_mutually_exclusive_group()
    form.add_argument("--json", action="store_true", help="print one JSON object")
    form.add_argument("--markdown", action="store_true", help="print a table for docs/performance.md")
    parser.add_argument("--long", action="store_true", help="also what takes hours")
    asked = parser.parse_args()
    try:
        wanted = measures(asked.groups or list(GROUPS), long=asked.long)
    except ValueError as error:
        parser.error(str(error))
    said = facts()
    out = sys.stderr if asked.json or asked.markdown else sys.stdout
    for name, fact in said.items():
        print(f"{name:<9} {fact}", file=out, flush=True)
    rows = []
    for measure in wanted:
        for row in measure():
            print(row, file=out, flush=True)
            rows.append(row)
    if asked.json:
        print(as_json(rows, said))
    if asked.markdown:
        print(as_table(rows, said))
    return 1 if any(row.judged and not row.ok for row in rows) else 0


def measures(words: Sequence[str], *, long: bool) -> list[Callable[[], Iterator[Row]]]:
    """Return the requested measurements, in order. Raises ValueError."""
    left = list(words)
    wanted: list[Callable[[], Iterator[Row]]] = []
    while left:
        word = left.pop(0)
        if word in NAMED and left and left[0] not in GROUPS and Path(left[0]).is_dir():
            wanted.append(partial(MORE_ON_DATA[word], Path(left.pop(0))))
        elif word in NAMED:
            wanted.append(partial(NAMED[word], long))
        elif word in GROUPS:
            wanted.append(partial(GROUPS[word], long))
        elif word in ON_DATA:
            folder = Path(left.pop(0) if left else "")
            if folder == Path() or not folder.is_dir():
                raise ValueError(f"{word} needs the folder of its data")
            wanted.append(partial(ON_DATA[word], folder))
        else:
            raise ValueError(f"no such group: {word}")
    return wanted


if __name__ == "__main__":
    sys.exit(main())

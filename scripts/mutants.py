"""Removes guards, one line each, and runs the tests that must fail then: `scripts/mutants.py [NAME...]`.

The list is scripts/mutants.toml. Each mutant names a file, a text in it, its replacement, and the tests that must fail. They
run in a copy of the checkout, so that an interrupted run leaves nothing changed. Exits with 1 if a mutant survived, if its text does not
occur exactly once any more, or if its tests do not pass without it.
"""

import shutil
import subprocess
import sys
import tempfile
import tomllib
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
LIST = Path(__file__).with_suffix(".toml")
_LIMIT_S = 900


@dataclass(frozen=True, slots=True)
class Mutant:
    """`before` occurs once in `file`; `after` replaces it; each of `tests` must fail then, or `tests` as a whole."""

    name: str
    file: str
    before: str
    after: str
    tests: tuple[str, ...]

    def of(self, text: str) -> str:
        """Return the file's text without the guard. Raises ValueError if it does not occur exactly once."""
        if text.count(self.before) != 1 or self.before == self.after:
            raise ValueError(self.name)
        return text.replace(self.before, self.after)


def read(file: Path = LIST) -> list[Mutant]:
    """Read the list. Raises ValueError, KeyError, TypeError if it is invalid."""
    found = [Mutant(**{**each, "tests": tuple(each["tests"])}) for each in tomllib.loads(file.read_text(encoding="utf-8"))["mutant"]]
    if len({each.name for each in found}) != len(found):
        raise ValueError("two mutants of one name")
    return found


def copy_of(checkout: Path, folder: Path) -> Path:
    """Copy the checkout's tracked files as they are now, and the untracked files that the tests need."""
    listed = subprocess.run(
        ["git", "ls-files", "-z", "--cached", "--others", "--exclude-standard"],
        cwd=checkout,
        capture_output=True,
        check=True,
        timeout=_LIMIT_S,
    ).stdout
    for name in filter(None, listed.decode("utf-8", "surrogateescape").split("\0")):
        if (checkout / name).is_file():
            (folder / name).parent.mkdir(parents=True, exist_ok=True)
            shutil.copy2(checkout / name, folder / name)
    for name in ("ui/dist", ".venv", "build"):
        if (checkout / name).exists():
            (folder / name).symlink_to(checkout / name, target_is_directory=True)
    return folder


def fails(folder: Path, tests: Sequence[str]) -> bool | None:
    """Return whether the tests fail; None if they could not run. Tests that do not end count as failing."""
    command = [sys.executable, "-P", "-m", "pytest", "-q", "-x", "-p", "no:cacheprovider", *tests]
    try:
        code = subprocess.run(command, cwd=folder, stdout=subprocess.DEVNULL, timeout=_LIMIT_S, check=False).returncode
    except subprocess.TimeoutExpired:
        return True
    return {0: False, 1: True}.get(code)


def outcome(mutant: Mutant, folder: Path) -> str:
    """Return `killed`, or what is wrong."""
    file = folder / mutant.file
    text = file.read_text(encoding="utf-8")
    try:
        changed = mutant.of(text)
    except ValueError:
        return "STALE: its text is not there exactly once"
    if fails(folder, mutant.tests) is not False:
        return "BROKEN: its tests do not pass without it"
    try:
        file.write_text(changed, encoding="utf-8", newline="")
        survivors = [test for test in mutant.tests if fails(folder, [test]) is not True]
    finally:
        file.write_text(text, encoding="utf-8", newline="")
    return f"SURVIVED: {', '.join(survivors)}" if survivors else "killed"


def run(mutants: Sequence[Mutant], checkout: Path = ROOT) -> int:
    """Run the mutants, with a line of output for each. Return 1 if one was not killed."""
    well = True
    with tempfile.TemporaryDirectory(prefix="ai-popup-mutants-", ignore_cleanup_errors=True) as folder:
        copy = copy_of(checkout, Path(folder))
        for mutant in mutants:
            found = outcome(mutant, copy)
            well = well and found == "killed"
            print(f"{mutant.name}: {found}", flush=True)
    return 0 if well else 1


def main() -> int:
    mutants = read()
    wanted = sys.argv[1:]
    if unknown := set(wanted) - {each.name for each in mutants}:
        print(f"no such mutant: {', '.join(sorted(unknown))}", file=sys.stderr)
        return 2
    return run([each for each in mutants if not wanted or each.name in wanted])


if __name__ == "__main__":
    raise SystemExit(main())

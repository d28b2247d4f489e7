"""Sets up the tests' requirements, then runs them all: `python3 scripts/test.py [OPTIONS] [arguments for pytest]`.

Without arguments for pytest the whole suite runs: the UI's checks, the tests that start the program, then those that stay in one process,
with branch coverage. With arguments only pytest runs. Options:

`--no-skips` turns every skipped test into a failure.
`--gate` leaves out the groups of scripts/rare.toml that nothing has changed and whose turn it isn't.
`--no-ui` leaves out the UI's checks.
`--again` runs tests that failed once more, alone, if they are few.
`--desktop` only installs the packages of the desktop tests.
"""

import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
PLUGINS = {"--no-skips": "scripts.setup.no_skips", "--gate": "scripts.setup.rare"}
OTHERS = ("--again", "--no-ui")


def main() -> int:
    """Return the exit code of the first part that failed, or 0."""
    if sys.version_info < (3, 11):  # noqa: UP036 - this file is what an older Python meets first
        print("The tests need Python 3.11 or newer. / 测试需要 Python 3.11 或更新的版本。", file=sys.stderr)
        return 2
    sys.path.insert(0, str(ROOT))
    from scripts.setup.console import Console
    from scripts.setup.prepare import DEVELOPMENT, RUNTIME, prepare
    from scripts.setup.suite import desktop_ready, run_suite, ui_check

    given = sys.argv[1:]
    words = [word for word in given if word not in {*PLUGINS, *OTHERS}]
    plugins = [PLUGINS[word] for word in given if word in PLUGINS]
    if given == ["--desktop"]:
        console = Console(ROOT / "build" / "desktop.log")
        with console.failures_shown():
            desktop_ready(console)
            return 0
        return 1
    console = Console(ROOT / "build" / "setup.log")
    with console.failures_shown():
        venv = prepare(ROOT, console, locks=[RUNTIME, DEVELOPMENT])
        desktop_ready(console)
        if not words and "--no-ui" not in given:
            ui_check(ROOT, console, venv)
        return run_suite(ROOT, venv, words, plugins, again="--again" in given)
    return 1


if __name__ == "__main__":
    sys.exit(main())

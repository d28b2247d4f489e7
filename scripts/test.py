"""Sets up the tests' requirements, then runs tests: `python3 scripts/test.py [--changed | --all | arguments for pytest]`.

Without arguments: everything fast, and a smoke of each real thing, within ten minutes and without installing anything of the system.
`--changed` also runs the slow tests of what changed, and a sixth of the others; `--all` runs everything, with coverage.
Both install the packages of the desktop tests first where that is permitted (Debian, as root); `--desktop` does only that.
With arguments for pytest, only pytest runs. In CI, where everything is installed, a skipped test is a failed one.
"""

import os
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent


def main() -> int:
    """Return the exit code of the first part that failed, or 0."""
    if sys.version_info < (3, 11):  # noqa: UP036 - this file is what an older Python meets first
        print("The tests need Python 3.11 or newer. / 测试需要 Python 3.11 或更新的版本。", file=sys.stderr)
        return 2
    sys.path.insert(0, str(ROOT))
    from scripts.setup.console import Console
    from scripts.setup.prepare import DEVELOPMENT, RUNTIME, prepare
    from scripts.setup.suite import desktop_ready, run_all, run_changed, run_fast, run_given, ui_check

    given = sys.argv[1:]
    console = Console(ROOT / "build" / ("desktop.log" if given == ["--desktop"] else "setup.log"))
    strict = bool(os.environ.get("CI"))
    with console.failures_shown():
        if given == ["--desktop"]:
            desktop_ready(console)
            return 0
        venv = prepare(ROOT, console, locks=[RUNTIME, DEVELOPMENT])
        if given and given not in (["--changed"], ["--all"]):
            return run_given(ROOT, venv, given)
        ui_check(ROOT, console, venv)
        if not given:
            return run_fast(ROOT, venv)
        desktop_ready(console)
        return (run_changed if given == ["--changed"] else run_all)(ROOT, venv, strict=strict)
    return 1


if __name__ == "__main__":
    sys.exit(main())

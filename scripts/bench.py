"""Measures the program: `python3 scripts/bench.py [GROUP...] [--json | --markdown] [--long]`; without a group it runs all of them.

`accuracy FOLDER` and `redact FOLDER` run only if they are named, on the labelled photos of that folder
(`scripts/benchmarks/accuracy.py` describes it); so does `odd FOLDER`, on files of any kind in it and below. `core [FOLDER]` and
`acceptance` check out an earlier commit, set it up and compare. `availability` needs root and Debian's haproxy, patroni,
python3-etcd and etcd-server. Installs what the tests need (and, for the groups `scan` and `accuracy`, the programs to compare with),
then starts `scripts/benchmarks`. Exits with 1 if a figure misses its target or something could not be measured, with 0 if all targets
are met; figures without a target do not count.
"""

import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
COMPARED = "installers/locks/requirements-bench.lock"


def main() -> int:
    """Return the exit code."""
    if sys.version_info < (3, 11):  # noqa: UP036 - this file is what an older Python meets first
        print("The benchmark needs Python 3.11 or newer. / 性能测试需要 Python 3.11 或更新的版本。", file=sys.stderr)
        return 2
    sys.path.insert(0, str(ROOT))
    from scripts.setup.console import Console
    from scripts.setup.prepare import DEVELOPMENT, RUNTIME, prepare
    from scripts.setup.processes import hand_over
    from scripts.setup.suite import desktop_ready

    console = Console(ROOT / "build" / "setup.log")
    with console.failures_shown():
        groups = {word for word in sys.argv[1:] if not word.startswith("-")}
        locks = [RUNTIME, DEVELOPMENT, *([COMPARED] if not groups or groups & {"scan", "accuracy"} else [])]
        venv = prepare(ROOT, console, locks=locks)
        desktop_ready(console)
        return hand_over([str(venv.python), "-P", str(ROOT / "scripts" / "benchmarks" / "run.py"), *sys.argv[1:]])
    return 1


if __name__ == "__main__":
    sys.exit(main())

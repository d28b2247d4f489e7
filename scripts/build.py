"""Builds the program and its packages from this checkout, in dist/: `python3 scripts/build.py [program] [deb] [rpm] [appdir] [--quick]`.

On Linux the first run builds OpenCV, ten minutes on two cores; `--wheel-opencv` uses the package index's build.
"""

import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent


def main() -> int:
    """Prepare, then hand over to the virtual environment's Python. Returns its exit code."""
    if sys.version_info < (3, 11):  # noqa: UP036 - this file is what an older Python meets first
        print("Building needs Python 3.11 or newer. / 构建需要 Python 3.11 或更新的版本。", file=sys.stderr)
        return 2
    sys.path.insert(0, str(ROOT))
    from scripts.setup.console import Console
    from scripts.setup.prepare import DEVELOPMENT, RUNTIME, prepare
    from scripts.setup.processes import hand_over
    from scripts.setup.system import COMPILERS, PACKAGERS, QT_LIBRARIES, apt_install, can_apt

    console = Console(ROOT / "build" / "setup.log")
    with console.failures_shown():
        venv = prepare(ROOT, console, locks=[RUNTIME, DEVELOPMENT])
        if can_apt():
            apt_install(console, [*QT_LIBRARIES, *PACKAGERS, *([] if "--wheel-opencv" in sys.argv else COMPILERS)])
        return hand_over([str(venv.python), "-m", "installers.make", *sys.argv[1:]])
    return 1


if __name__ == "__main__":
    sys.exit(main())

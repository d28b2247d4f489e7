"""Runs tests on Windows' own Python, under Wine: `python scripts/windows_tests.py tests/unit/inference/vision`. Arguments are passed to
pytest.

What fails may be Wine's fault, and what passes is no proof (decision 88). Needs wine and the MinGW compiler, which
`scripts/test.py --desktop` installs on Debian. The Python is made once for each lock file, in build/windows.
"""

import hashlib
import shutil
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
LOCKS = ("installers/locks/requirements.lock", "installers/locks/requirements-dev.lock")


def main() -> int:
    """Return pytest's exit code."""
    sys.path.insert(0, str(ROOT))
    from tests.packages.windows.conftest import Wine

    folder = ROOT / "build" / "windows" / _key()
    wine = Wine(folder / "home" / "wine")
    if not folder.is_dir():
        _make(folder)
        wine.make()
    # Nothing is written into the checkout.
    # Without PYTHONPATH, `python -c` in a test does not find the program here, as it does elsewhere.
    own = {"PYTHONUTF8": "1", "PYTHONPATH": f"Z:{ROOT}", "PYTHONPYCACHEPREFIX": f"Z:{folder / 'bytecode'}"}
    environment = {**wine.environment, **own}
    command = ["wine", str(folder / "python" / "python.exe"), "-m", "pytest", "-p", "no:cacheprovider", *sys.argv[1:]]
    return subprocess.run(command, env=environment, cwd=ROOT, check=False).returncode


def _key() -> str:
    told = sys.version.encode() + b"".join((ROOT / lock).read_bytes() for lock in LOCKS)
    return hashlib.sha256(told).hexdigest()[:16]


def _make(folder: Path) -> None:
    from tests.packages.windows.windows_python import make

    work = folder.with_name(f"{folder.name}.part")
    shutil.rmtree(work, ignore_errors=True)
    (work / "home").mkdir(parents=True)
    make(work / "python", *LOCKS)
    work.rename(folder)


if __name__ == "__main__":
    sys.exit(main())

"""Builds the packages, inside the virtual environment: `python -m installers.make [program] [deb] [rpm] [appdir]` into `dist/`."""

import argparse
import shutil
import sys
from pathlib import Path

from agent import __version__
from installers.build_info import Kind
from installers.frozen import PROGRAM, frozen
from installers.slim_opencv import slim_opencv

ROOT = Path(__file__).resolve().parents[1]
_KINDS: dict[str, Kind] = {"deb": "deb", "rpm": "rpm", "appdir": "appimage"}


def main() -> int:
    parser = argparse.ArgumentParser(prog="build.py", description="Make the program and its packages in dist/.")
    parser.add_argument("what", nargs="*", choices=["program", *_KINDS, []], help="all that this system can make, if nothing is named")
    parser.add_argument("--quick", action="store_true", help="pack fast: larger files, for trying things out")
    parser.add_argument("--wheel-opencv", action="store_true", help="bring the package index's OpenCV: no compiler, larger (Linux)")
    words = parser.parse_args()
    dist = ROOT / "dist"
    program = frozen(ROOT, slim_opencv(ROOT) if sys.platform == "linux" and not words.wheel_opencv else None)
    for what in words.what or ["program", *_KINDS]:
        if what == "program":
            shutil.rmtree(dist / PROGRAM, ignore_errors=True)
            made = Path(shutil.copytree(program, dist / PROGRAM, symlinks=True, ignore=shutil.ignore_patterns("whole")))
        else:
            made = package(program, what, dist, version=__version__, quick=words.quick)
        print(made)
    return 0


def package(program: Path, what: str, out: Path, *, version: str, quick: bool) -> Path:
    """Build one package of the frozen program in `out`. Returns the file, or the folder of an AppDir."""
    from installers.linux import appdir, deb, rpm
    from installers.linux.needs import needs
    from installers.linux.tree import lay

    needed = needs(program)
    tree = ROOT / "build" / "tree" / what
    shutil.rmtree(tree, ignore_errors=True)
    lay(program, tree, kind=_KINDS[what], checkout=ROOT, version=version)
    if what == "deb":
        return deb.build_deb(tree, out, needed=needed, version=version, quick=quick)
    if what == "rpm":
        return rpm.build_rpm(tree, out, needed=needed, version=version, quick=quick)
    appdir.finish(tree, needed)
    target = out / "AI_Popup.AppDir"
    shutil.rmtree(target, ignore_errors=True)
    out.mkdir(parents=True, exist_ok=True)
    return Path(shutil.move(tree, target))


if __name__ == "__main__":
    raise SystemExit(main())

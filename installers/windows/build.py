"""Builds Windows installers from a folder that PyInstaller built on Windows: `python -m installers.windows.build PROGRAM OUT [nsis] [msi]`.

makensis and wixl run on Linux, so that the tests under Wine and the release use the same tools.
"""

import argparse
import tempfile
from collections.abc import Sequence
from pathlib import Path

from agent import __version__
from installers.windows.msi import msi
from installers.windows.nsis import nsis
from installers.windows.staging import release

MAKERS = {"nsis": nsis, "msi": msi}


def main(arguments: Sequence[str] | None = None) -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("program", type=Path, help="the folder with ai-popup.exe, ai-popup-window.exe and _internal")
    parser.add_argument("out", type=Path)
    parser.add_argument("kinds", nargs="*", choices=[*MAKERS, []], help="all that this version gets, if none is named: a beta has no msi")
    words = parser.parse_args(arguments)
    released = ".".join(release(__version__)) == __version__
    for kind in words.kinds or (MAKERS if released else ["nsis"]):
        with tempfile.TemporaryDirectory() as scratch:
            print(MAKERS[kind](words.program, words.out, Path(scratch), version=__version__))


if __name__ == "__main__":
    main()

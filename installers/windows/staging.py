"""The source of both Windows installers: a copy of the program's folder that names its package kind."""

import re
import shutil
import subprocess
from collections.abc import Sequence
from pathlib import Path

from installers.build_info import FOLDER, Kind, write_build

ICON = Path(__file__).parents[2] / "assets" / "icons" / "mark.ico"
PROGRAM, WINDOW = "ai-popup.exe", "ai-popup-window.exe"
_LIMIT_S = 1200  # solid LZMA over 500 MB


def staged(program: Path, scratch: Path, kind: Kind) -> Path:
    """Return the copy, in `scratch`. Raises ValueError for a folder without a program."""
    for name in (PROGRAM, WINDOW):
        if not (program / name).is_file():
            raise ValueError(f"{name} is missing: not a program folder made on Windows")
    payload = scratch / "payload"
    shutil.copytree(program, payload)
    write_build(payload / "_internal" / FOLDER, kind)
    return payload


def release(version: str) -> tuple[str, str, str]:
    """Return the three numbers of a version: "0.2.0b1" -> ("0", "2", "0"). Raises ValueError."""
    found = re.match(r"(\d+)\.(\d+)\.(\d+)", version)
    if found is None:
        raise ValueError(f"not three numbers: {version}")
    return found[1], found[2], found[3]


def run(command: Sequence[str]) -> None:
    """Run the command. Raises CalledProcessError."""
    subprocess.run(command, check=True, timeout=_LIMIT_S, stdin=subprocess.DEVNULL)

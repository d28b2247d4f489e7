"""Makes the program's folder with PyInstaller, and keeps it until something that goes into it changes."""

import hashlib
import os
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

from scripts.licences import refused, rules

PROGRAM = "ai-popup"
DETECTOR = "centerface"
# What goes in beside the packages that the lock file names.
_SOURCES = (
    "agent",
    "assets",
    "installers/ai_popup.spec",
    "installers/clean_start.py",
    "installers/frozen.py",
    "requirements.lock",
    "NOTICE",
)
_SOURCES_BUILT = ("ui/dist", "ui/dist-help")
# Tables for debuggers and linkers, in some wheels and in Python itself. Qt's and OpenVINO's files have next to none.
_STRIPPED = (
    *("libpython3*.so*", "python3*/lib-dynload/*.so", "sqlcipher3/*.so", "sqlalchemy/**/*.so", "cryptography/**/*.so"),
    *("PIL/*.so", "pillow.libs/*.so*", "pi_heif.libs/*.so*", "numpy/**/*.so", "numpy.libs/*.so*"),
)
_LIMIT_S = 900


def frozen(checkout: Path, opencv: Path | None = None) -> Path:
    """The folder with the program in it, made if need be (minutes). The UI must be built. Raises subprocess.SubprocessError, ModelError.

    `opencv` is a folder to take OpenCV from; without it the virtual environment's is taken.
    """
    from agent.models.model_store import ModelStore

    ModelStore(checkout / "build" / "cache" / "models").fetch(DETECTOR)
    made = checkout / "build" / "frozen"
    place = made / _digest(checkout, opencv) / PROGRAM
    if not (place / "whole").is_file():
        shutil.rmtree(made, ignore_errors=True)
        _freeze(checkout, place.parent, opencv)
        (place / "whole").touch()
    return place


def _freeze(checkout: Path, folder: Path, opencv: Path | None) -> None:
    spec = checkout / "installers" / "ai_popup.spec"
    folders = ["--distpath", str(folder), "--workpath", str(checkout / "build" / "frozen-work")]
    # The same sources give the same bytes: sets of strings keep their order, files say no time of their own.
    environment = {**os.environ, "PYTHONHASHSEED": "0", "SOURCE_DATE_EPOCH": os.environ.get("SOURCE_DATE_EPOCH", "1767225600")}
    if opencv is not None:  # before the environment's, for PyInstaller's own child processes too, and with the licences that lie beside it
        environment["PYTHONPATH"] = os.pathsep.join(filter(None, [str(opencv), os.environ.get("PYTHONPATH")]))
    command = [sys.executable, "-m", "PyInstaller", str(spec), "--noconfirm", "--log-level", "ERROR", *folders]
    subprocess.run(command, cwd=checkout, env=environment, check=True, timeout=_LIMIT_S)
    if found := list(refused(folder, rules())):
        raise SystemExit("\n".join(found))
    if sys.platform.startswith("linux"):
        inside = folder / PROGRAM / "_internal"
        files = [file for pattern in _STRIPPED for file in inside.glob(pattern) if not file.is_symlink()]
        subprocess.run(["strip", "--strip-unneeded", *map(str, files)], check=True, timeout=_LIMIT_S)


def _digest(checkout: Path, opencv: Path | None) -> str:
    digest = hashlib.sha256(f"{sys.version} {opencv and opencv.name}".encode())  # its name says what it was built from
    for path in sorted(_files(checkout)):
        content = path.read_bytes()
        digest.update(f"{path.relative_to(checkout).as_posix()} {len(content)}\n".encode() + content)
    return digest.hexdigest()[:16]


def _files(checkout: Path) -> Iterator[Path]:
    for name in (*_SOURCES, *_SOURCES_BUILT):
        place = checkout / name
        found = [place] if place.is_file() else place.rglob("*")
        yield from (path for path in found if path.is_file() and "__pycache__" not in path.parts)

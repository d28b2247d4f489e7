"""Regenerates the lock files from pyproject.toml: every package with version and hashes, for all supported platforms and Pythons.

`lock.py` keeps versions that still fit; `lock.py --upgrade` uses the newest. Needs uv, which the set-up installs.
"""

import re
import subprocess
import sys
import tempfile
import tomllib
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
FOLDER = ROOT / "installers" / "locks"
# File -> (its inputs, the locks whose versions it must match).
LOCKS: dict[str, tuple[list[str], tuple[str, ...]]] = {
    "requirements-tools.lock": (["--group", "tools"], ()),
    "requirements.lock": (["pyproject.toml"], ()),
    "requirements-server.lock": (["pyproject.toml", "--extra", "server"], ("requirements.lock",)),
    "requirements-dev.lock": (
        ["--group", "test", "--group", "check", "--group", "build"],
        ("requirements.lock", "requirements-server.lock"),
    ),
    "requirements-docs.lock": (["--group", "docs"], ("requirements.lock", "requirements-dev.lock")),
    "requirements-node.lock": (["--group", "node"], ()),
    "requirements-charts.lock": (["--group", "charts"], ()),
    "requirements-windows.lock": (["--group", "windows"], ()),
    "requirements-bench.lock": (["--group", "bench"], ("requirements.lock",)),
    "requirements-release.lock": (["--group", "release"], ()),
    "requirements-cuda.lock": (["--group", "cuda"], ("requirements-server.lock",)),
    "requirements-rocm.lock": (["--group", "rocm"], ("requirements-server.lock",)),
    "requirements-tracing.lock": (["--group", "tracing"], ("requirements-server.lock", "requirements-dev.lock")),
    "requirements-opencv.lock": (["--group", "opencv"], ("requirements.lock",)),
}
# File -> the group of packages that it leaves out.
WITHOUT = {"requirements-server.lock": "desktop"}
HEAD = "# Made by `python scripts/lock.py` from pyproject.toml; not to be edited by hand.\n"


def main() -> int:
    uv = Path(sys.executable).with_name("uv.exe" if sys.platform == "win32" else "uv")
    groups = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["dependency-groups"]
    for name, (sources, agree) in LOCKS.items():
        options = ["--universal", "--generate-hashes", "--no-annotate", "--no-header", "--python-version", "3.11", "--quiet"]
        # Neither a mirror nor a folder of wheels on this machine may appear in the file.
        options += ["--no-emit-index-url", "--no-emit-find-links", "--allow-unsafe"]
        options += [word for lock in agree for word in ("--constraint", str(FOLDER / lock))]
        with tempfile.TemporaryDirectory() as folder:
            left_out = Path(folder) / "left-out.txt"
            left_out.write_text("\n".join(groups.get(WITHOUT.get(name, ""), [])), encoding="utf-8")
            options += ["--excludes", str(left_out)]
            subprocess.run(
                [str(uv), "pip", "compile", *options, *sys.argv[1:], *sources, "--output-file", str(FOLDER / name)], cwd=ROOT, check=True
            )
        lock = FOLDER / name
        body = "".join(line for line in lock.read_text(encoding="utf-8").splitlines(keepends=True) if not line.startswith("#"))
        if re.search(r"https?://", body):
            print(f"{name} names a host: not written", file=sys.stderr)
            lock.unlink()
            return 1
        lock.write_text(HEAD + body, encoding="utf-8")
        print(f"{name}: {len(re.findall(r'^[^ #]+==', body, re.MULTILINE))} packages")
    return 0


if __name__ == "__main__":
    sys.exit(main())

"""Builds the .rpm from the same tree, with the same scripts."""

import shutil
import subprocess
import tempfile
from pathlib import Path

from installers.linux.deb import DESCRIPTION, SUMMARY
from installers.linux.needs import Needs

_SHARED = Path(__file__).with_name("running.sh")
_LIMIT_S = 900
# `$1` is the number of versions installed afterwards.
_PRE = '\n[ "$1" -lt 2 ] || end_agents remember'
_POST = "\nstart_agents"
# Every system has these, from another package and with its own permissions. rpm removes all other folders only if they are listed.
_COMMON = {f"usr/{name}" for name in ("bin", "lib", "share", "share/applications", "share/doc", "share/icons", "share/metainfo")} | {"usr"}
_PREUN = '\n[ "$1" -gt 0 ] || end_agents forget'


def build_rpm(tree: Path, out: Path, *, needed: Needs, version: str, quick: bool = False) -> Path:
    """Pack `tree` into `out`; `quick` packs fast and larger. Returns the file. Raises subprocess.SubprocessError."""
    with tempfile.TemporaryDirectory(prefix="ai-popup-rpm-") as folder:
        top = Path(folder)
        spec = top / "ai-popup.spec"
        spec.write_text(_spec(tree, needed, version, quick), encoding="utf-8")
        # rpmbuild assumes that the packed root is its own, and removes it afterwards.
        root = top / "root"
        shutil.copytree(tree, root, symlinks=True, ignore=shutil.ignore_patterns("DEBIAN"))
        command = ["rpmbuild", "-bb", "--quiet", "--define", f"_topdir {top}", "--buildroot", str(root), str(spec)]
        subprocess.run(command, check=True, timeout=_LIMIT_S)
        made = next((top / "RPMS").rglob("*.rpm"))
        out.mkdir(parents=True, exist_ok=True)
        return Path(shutil.move(made, out / made.name))


def _spec(tree: Path, needed: Needs, version: str, quick: bool) -> str:
    shared = _SHARED.read_text(encoding="utf-8").replace("%", "%%")
    requires = [f"{name}()(64bit)" for name in needed.libraries if not name.startswith("ld-linux")]
    requires += [f"libc.so.6(GLIBC_{needed.glibc})(64bit)", "/usr/bin/nsenter", "/usr/bin/setpriv", "/usr/bin/setsid", "/usr/bin/find"]
    files = [
        path.relative_to(tree).as_posix() for path in sorted(tree.rglob("*")) if path.is_file() and "lib/ai-popup" not in path.as_posix()
    ]
    listed = [f'"/{name}"' for name in files if not name.startswith(("DEBIAN/", "usr/bin/"))]
    folders = [path.relative_to(tree).as_posix() for path in sorted(tree.rglob("*")) if path.is_dir() and not path.is_symlink()]
    own = [name for name in folders if name not in _COMMON and not name.startswith(("DEBIAN", "usr/lib/"))]
    return "\n".join(
        [
            "%global debug_package %{nil}",
            "%global __os_install_post %{nil}",
            "%global _build_id_links none",
            f"%global _binary_payload {'w1.zstdio' if quick else 'w6.xzdio'}",
            "Name: ai-popup",
            f"Version: {version.replace('-', '~')}",
            "Release: 1",
            f"Summary: {SUMMARY[0].upper()}{SUMMARY[1:]}",
            "License: Apache-2.0",
            # The dependencies are listed below, name by name; the bundled libraries are for the program only.
            "AutoReqProv: no",
            *(f"Requires: {name}" for name in requires),
            "Recommends: xdg-utils",
            "%description",
            DESCRIPTION,
            "%pre",
            shared + _PRE,
            "%post",
            shared + _POST,
            "%preun",
            shared + _PREUN,
            "%files",
            "%defattr(-,root,root,-)",
            "/usr/lib/ai-popup",
            "/usr/bin/ai-popup",
            *(f'%dir "/{name}"' for name in own),
            *listed,
            "",
        ]
    )

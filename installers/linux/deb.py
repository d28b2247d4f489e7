"""Builds the .deb: the tree, its dependencies, and the scripts for an upgrade over a running agent."""

import subprocess
from pathlib import Path

from installers.linux.needs import Needs, packages

MAINTAINER = "The AI Popup authors <ai-popup@localhost>"
SUMMARY = "finds and recognises the faces in your photos, on this computer only"
DESCRIPTION = """Watches the folders you choose, finds the faces in new photos and shows them in a
small popup. Name a person once and find them again. Cover faces in photos and
screenshots before you share them. Nothing leaves the computer unless you say so."""
# Chinese pages need a Chinese font; a desktop needs a keyring and a way to open links.
_RECOMMENDED = ("fonts-noto-cjk", "gnome-keyring | kwalletmanager | libsecret-1-0", "xdg-utils")
_SUGGESTED = ("ocl-icd-libopencl1",)
_LIMIT_S = 900
_SHARED = Path(__file__).with_name("running.sh")

_PRERM = """
case "$1" in
    upgrade) end_agents remember ;;
    remove | deconfigure) end_agents forget ;;
esac
"""
_POSTINST = """
case "$1" in
    configure | abort-upgrade | abort-remove) start_agents ;;
esac
"""
_POSTRM = """
if [ "$1" = remove ]; then
    echo "ai-popup: libraries and settings stay with their users, in ~/.local/share/ai-popup and ~/.config/ai-popup."
fi
"""


def architecture() -> str:
    return subprocess.run(["dpkg", "--print-architecture"], capture_output=True, text=True, timeout=_LIMIT_S, check=True).stdout.strip()


def build_deb(tree: Path, out: Path, *, needed: Needs, version: str, quick: bool = False) -> Path:
    """Pack `tree`, which gets a DEBIAN folder, into `out`; `quick` packs fast and larger. Returns the file.

    Raises subprocess.SubprocessError.
    """
    control = tree / "DEBIAN"
    control.mkdir(exist_ok=True)
    depends = [name if name != "libc6" else f"libc6 (>= {needed.glibc})" for name in packages(needed.libraries)]
    size = sum(path.lstat().st_size for path in tree.rglob("*") if path.is_file() and not path.is_symlink()) // 1024
    fields = {
        "Package": "ai-popup",
        "Version": version,
        "Architecture": architecture(),
        "Maintainer": MAINTAINER,
        "Installed-Size": str(size),
        "Depends": ", ".join(depends),
        "Recommends": ", ".join(_RECOMMENDED),
        "Suggests": ", ".join(_SUGGESTED),
        "Section": "graphics",
        "Priority": "optional",
        "Description": f"{SUMMARY}\n" + "\n".join(f" {line}" for line in DESCRIPTION.splitlines()),
    }
    (control / "control").write_text("".join(f"{name}: {value}\n" for name, value in fields.items()), encoding="utf-8")
    shared = _SHARED.read_text(encoding="utf-8")
    for name, body in (("prerm", shared + _PRERM), ("postinst", shared + _POSTINST), ("postrm", _POSTRM)):
        script = control / name
        script.write_text(f"#!/bin/sh\nset -e\n{body}exit 0\n", encoding="utf-8")
        script.chmod(0o755)
    out.mkdir(parents=True, exist_ok=True)
    file = out / f"ai-popup_{version}_{fields['Architecture']}.deb"
    # zstd is unpacked in a tenth of xz's time, but older systems can't read it, and a small download matters more.
    packing = ["-Zzstd", "-z1"] if quick else ["-Zxz", "-z6"]
    subprocess.run(["dpkg-deb", "--root-owner-group", *packing, "--build", str(tree), str(file)], check=True, timeout=_LIMIT_S)
    return file

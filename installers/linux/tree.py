"""Lays out what a Linux package installs: the program, its menu entry, its icons, and the actions for file managers."""

import gzip
import os
import shutil
from pathlib import Path
from xml.sax.saxutils import escape

from agent.interfaces.cli.completion import script
from installers.build_info import FOLDER, Kind, write_build
from scripts.make_icons import LARGE, SIZES

HOME = Path("usr/lib/ai-popup")
# The program's website: set by the packager, because a fork has another one.
HOMEPAGE = "AI_POPUP_BUILD_HOMEPAGE"
_FILES = Path(__file__).parent / "files"
_IMAGES = ("avif", "bmp", "gif", "heic", "heif", "jpeg", "png", "tiff", "webp")
# The target of a file of installers/linux/files, by the end of its name.
_PLACES = {
    ".desktop": "usr/share/applications",
    ".metainfo.xml": "usr/share/metainfo",
    ".nemo_action": "usr/share/nemo/actions",
    ".servicemenu": "usr/share/kio/servicemenus",
    ".action": "usr/share/file-manager/actions",
}
# Where shells look for completions; zsh's first place is Debian's, the other one everyone else's.
_COMPLETIONS = {
    "bash": ("usr/share/bash-completion/completions/ai-popup",),
    "zsh": ("usr/share/zsh/vendor-completions/_ai-popup", "usr/share/zsh/site-functions/_ai-popup"),
    "fish": ("usr/share/fish/vendor_completions.d/ai-popup.fish",),
}


def lay(program: Path, root: Path, *, kind: Kind, checkout: Path, version: str) -> None:
    """Fill `root`, which must not exist. Files of `program` are linked, not copied, on the same disk."""
    home = root / HOME
    shutil.copytree(program, home, symlinks=True, copy_function=_link, ignore=shutil.ignore_patterns("whole"))
    write_build(home / "_internal" / FOLDER, kind)
    (root / "usr/bin").mkdir(parents=True)
    (root / "usr/bin/ai-popup").symlink_to("../lib/ai-popup/ai-popup")
    for file in sorted(_FILES.iterdir()):
        for end, place in _PLACES.items():
            if file.name.endswith(end):
                _write(root / place / _name(file.name, end), _filled(file.read_text(encoding="utf-8"), version))
    for shell, places in _COMPLETIONS.items():
        for place in places:
            _write(root / place, script(shell))
    icons = checkout / "assets" / "icons"
    for side in (*SIZES, LARGE):
        _copy(icons / f"mark-{side}.png", root / f"usr/share/icons/hicolor/{side}x{side}/apps/ai-popup.png")
    _copy(icons / "mark.svg", root / "usr/share/icons/hicolor/scalable/apps/ai-popup.svg")
    papers = root / "usr/share/doc/ai-popup"
    licence, notice = ((checkout / name).read_text(encoding="utf-8") for name in ("LICENSE", "NOTICE"))
    _write(papers / "copyright", f"{notice}\n{licence}")
    changes = gzip.compress((checkout / "CHANGELOG.md").read_bytes(), mtime=0)
    (papers / "changelog.gz").write_bytes(changes)


def _filled(text: str, version: str) -> str:
    homepage = os.environ.get(HOMEPAGE)
    types = [f"image/{name}" for name in _IMAGES]
    return (
        text.replace("@VERSION@", version)
        .replace("@HOMEPAGE@", f'  <url type="homepage">{escape(homepage)}</url>\n' if homepage else "")
        .replace("@MIME@", ";".join([*types, "inode/directory"]) + ";")
        .replace("@EXTENSIONS@", ";".join([*_IMAGES, "jpg", "tif", "dir"]) + ";")
    )


def _name(name: str, end: str) -> str:
    """Return the installed name: two kinds of file end in .desktop there."""
    return name.removesuffix(end) + (".desktop" if end in (".servicemenu", ".action") else end)


def _write(path: Path, text: str) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text, encoding="utf-8")
    # KDE requires service menus to be executable.
    path.chmod(0o755 if "servicemenus" in path.parts else 0o644)


def _copy(source: Path, target: Path) -> None:
    target.parent.mkdir(parents=True, exist_ok=True)
    shutil.copyfile(source, target)
    target.chmod(0o644)


def _link(source: str, target: str) -> None:
    try:
        os.link(source, target)
    except OSError:
        shutil.copy2(source, target)

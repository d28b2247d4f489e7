"""Creates the AppDir that an AppImage is packed from: the same tree, and the small libraries that some desktops lack."""

import shutil
from pathlib import Path

from installers.linux.needs import Needs, library_file
from installers.linux.tree import HOME

# Part of every desktop, and tied to its kernel, driver, fonts or sound: bundled copies break more than they fix.
_HOST = (
    *("ld-linux", "libc.so", "libdl.so", "libm.so", "libpthread.so", "libresolv.so", "librt.so", "libgcc_s.so", "libstdc++.so"),
    *("libGL.so", "libEGL.so", "libgbm.so", "libX11.so", "libX11-xcb.so", "libxcb.so", "libXext.so", "libasound.so", "libfontconfig.so"),
    *("libfreetype.so", "libexpat.so", "libz.so", "libglib-2.0", "libgthread-2.0", "libdbus-1", "libudev.so", "libgssapi_krb5.so"),
    # Its modules are separate files: an incomplete copy is worse than none.
    *("libnss", "libnspr4.so", "libsmime3.so", "libwayland-"),
)
_RUN = """#!/bin/sh
here=$(dirname "$(readlink -f "$0")")
exec "$here/usr/lib/ai-popup/ai-popup" "$@"
"""


def finish(tree: Path, needed: Needs) -> None:
    """Turn a tree that was laid out for the kind "appimage" into an AppDir."""
    inside = tree / HOME / "_internal"
    for name in needed.libraries:
        if not name.startswith(_HOST):
            shutil.copy2(library_file(name), inside / name)
    start = tree / "AppRun"
    start.write_text(_RUN, encoding="utf-8")
    start.chmod(0o755)
    shutil.copyfile(tree / "usr/share/applications/ai-popup.desktop", tree / "ai-popup.desktop")
    shutil.copyfile(tree / "usr/share/icons/hicolor/256x256/apps/ai-popup.png", tree / "ai-popup.png")
    (tree / ".DirIcon").symlink_to("ai-popup.png")

"""Debian packages that the desktop tests need, in one list."""

import contextlib
import os
import shutil
import subprocess
import sys
from collections.abc import Iterator, Sequence
from pathlib import Path

from scripts.setup.console import Console
from scripts.setup.processes import environment, run_logged

# Debian asks this program before it starts a service.
POLICY = Path("/usr/sbin/policy-rc.d")
# Windows installers are built with these and tested under Wine, also in Chinese, and the program on a Windows Python, whose python.exe
# is compiled: tests/packages/windows.
WINDOWS_INSTALLERS = ["gcc-mingw-w64-x86-64-win32", "locales", "msitools", "nsis", "wine", "wine64", "wixl"]
# Found with ldd on PySide6's xcb and wayland plug-ins and on QtWebEngine; their own dependencies are left out.
QT_LIBRARIES = [
    "libasound2t64",
    "libdbus-1-3",
    "libegl1",
    "libfontconfig1",
    "libgl1",
    "libglib2.0-0t64",
    "libgssapi-krb5-2",
    "libnss3",
    "libudev1",
    "libwayland-cursor0",
    "libxcb-cursor0",
    "libxcb-icccm4",
    "libxcb-keysyms1",
    "libxcb-shape0",
    "libxcomposite1",
    "libxdamage1",
    "libxfixes3",
    "libxkbcommon-x11-0",
    "libxkbfile1",
    "libxrandr2",
    "libxtst6",
]
# For building packages.
PACKAGERS = ["binutils", "rpm"]
# For building OpenCV (installers/slim_opencv.py): nasm for JPEG's fast parts, python3-dev if Python is Debian's.
COMPILERS = ["cmake", "g++", "nasm", "ninja-build", "python3-dev"]
# The server's image is built with these (tests/packages/server/test_server_image.py), its composition read and checked (test_compose.py).
IMAGES = ["buildah", "caddy", "docker-compose", "netavark"]
TEST_DESKTOP = [
    *IMAGES,
    *PACKAGERS,
    # Its appstreamcli reads the metadata for software centres: tests/packages/desktop/test_metadata.py.
    "appstream",
    "chromium",
    # The same without windows takes a fifth less processor time: the pages' tests use it, films and pictures don't.
    "chromium-headless-shell",
    "dbus-x11",
    "dunst",
    # Reads the tutorials aloud.
    "espeak-ng",
    # These two read and write the same regions as other photo programs, for tests/process/system/test_xmp_tools.py.
    "exiv2",
    # Its ffprobe describes redacted videos for tests/process/clips/test_video.py.
    "ffmpeg",
    "fonts-noto-cjk",
    "gnome-keyring",
    # Its `ip` makes the hosts of tests/server/deployment/test_deploy.py.
    "iproute2",
    "imagemagick",
    "libimage-exiftool-perl",
    # A bare Debian, in which tests/packages installs the package.
    "mmdebstrap",
    "openbox",
    # A server's backups: tests/journeys/test_backups.py and tests/server/backups/test_offsite.py.
    "openssh-server",
    "pgbackrest",
    # With promtool and amtool they check and try the server's monitoring: tests/server/monitoring.
    "prometheus",
    "prometheus-alertmanager",
    "restic",
    "shellcheck",
    "stalonetray",
    # Its systemd-analyze checks the server's units.
    "systemd",
    "x11-utils",
    "x11-xserver-utils",
    "xclip",
    "xdotool",
    "xfce4-panel",
    "xvfb",
    *WINDOWS_INSTALLERS,
]


def can_apt() -> bool:
    """Return whether this is a Debian system on which packages may be installed."""
    return sys.platform == "linux" and os.geteuid() == 0 and shutil.which("apt-get") is not None and shutil.which("dpkg-query") is not None


def apt_missing(packages: Sequence[str]) -> list[str]:
    """Return the packages that are not installed."""
    done = subprocess.run(
        ["dpkg-query", "-W", "-f=${binary:Package} ${db:Status-Status}\n", *packages],
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    installed = {line.split()[0].split(":")[0] for line in done.stdout.splitlines() if line.endswith(" installed")}
    return [name for name in packages if name not in installed]


def apt_install(console: Console, packages: Sequence[str]) -> None:
    """Install missing packages. Raises SetupFailed."""
    missing = apt_missing(packages)
    if not missing:
        return
    env = {**environment(), "DEBIAN_FRONTEND": "noninteractive"}
    with console.step("apt", count=len(missing)) as step:

        def follow(line: str) -> None:
            if line.startswith(("Get:", "Unpacking ", "Setting up ")):
                step.detail = line[:60]

        run_logged(console, ["apt-get", "-o", "DPkg::Lock::Timeout=300", "update"], env=env, on_line=follow)
        install = ["apt-get", "-o", "DPkg::Lock::Timeout=300", "install", "-y", "--no-install-recommends", *missing]
        with _no_services():
            run_logged(console, install, env=env, on_line=follow)


@contextlib.contextmanager
def _no_services() -> Iterator[None]:
    """Let no installed package start its service: the tests start what they need themselves. A policy that is there stays."""
    try:
        with POLICY.open("x", encoding="ascii") as file:
            file.write("#!/bin/sh\nexit 101\n")
    except FileExistsError:
        yield
        return
    POLICY.chmod(0o755)
    try:
        yield
    finally:
        POLICY.unlink(missing_ok=True)

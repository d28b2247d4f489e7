"""Detects folders on network drives, whose changes the system mostly does not report, and files stored only in a cloud."""

import os
import sys
from pathlib import PurePath
from typing import Final

import psutil

from agent.infrastructure.core.extended_paths import verbatim

_KINDS = frozenset({"nfs", "nfs4", "cifs", "smb3", "smbfs", "afpfs", "webdav", "davfs", "ncpfs", "9p", "ceph", "glusterfs"})
_KINDS_OF_PROGRAMS = frozenset({"fuse.sshfs", "fuse.rclone", "fuse.davfs", "fuse.gvfsd-fuse", "fuse.glusterfs", "fuse.smbnetfs"})
# Windows (OneDrive, Dropbox, iCloud): FILE_ATTRIBUTE_OFFLINE, _RECALL_ON_OPEN, _RECALL_ON_DATA_ACCESS.
_WINDOWS: Final = 0x1000 | 0x40000 | 0x400000
# macOS (iCloud and every other File Provider): SF_DATALESS.
_MACOS: Final = 0x40000000


def is_remote(folder: str) -> bool:
    """Whether an absolute path lies on a network drive; False if the system can't tell."""
    if folder.startswith(r"\\"):
        return True
    try:
        drives = psutil.disk_partitions(all=True)
    except (OSError, psutil.Error):
        return False
    path = PurePath(folder)
    around = [drive for drive in drives if path.is_relative_to(drive.mountpoint)]
    if not around:
        return False
    # The last of several mounts at one place covers the others: automounted drives lie over their own trigger.
    drive = max(reversed(around), key=lambda each: len(PurePath(each.mountpoint).parts))
    return drive.fstype.lower() in _KINDS | _KINDS_OF_PROGRAMS or "remote" in drive.opts.split(",")


def is_online_only(path: str) -> bool:
    """Whether a file is stored only in a cloud: its name is local, and reading it would download it.

    Linux has no such flag: there it always counts as local.
    """
    try:
        facts = os.lstat(verbatim(path))
    except (OSError, ValueError):
        return False  # the reader reports the reason
    return is_online_only_within_timeout(sys.platform, getattr(facts, "st_file_attributes", 0), getattr(facts, "st_flags", 0))


def is_online_only_within_timeout(platform: str, attributes: int, flags: int) -> bool:
    """The same from a system's file data: Windows' attributes, macOS' flags."""
    if platform == "win32":
        return bool(attributes & _WINDOWS)
    return platform == "darwin" and bool(flags & _MACOS)

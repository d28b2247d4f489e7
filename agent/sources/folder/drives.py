"""Detects folders on network drives, whose changes the system mostly does not report."""

from pathlib import PurePath

import psutil

_KINDS = frozenset({"nfs", "nfs4", "cifs", "smb3", "smbfs", "afpfs", "webdav", "davfs", "ncpfs", "9p", "ceph", "glusterfs"})
_KINDS_OF_PROGRAMS = frozenset({"fuse.sshfs", "fuse.rclone", "fuse.davfs", "fuse.gvfsd-fuse", "fuse.glusterfs", "fuse.smbnetfs"})


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

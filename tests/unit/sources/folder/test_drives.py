"""Which folders lie on a network drive."""

from typing import NamedTuple

import psutil
import pytest

from agent.sources.folder.drives import is_remote


class Drive(NamedTuple):
    device: str
    mountpoint: str
    fstype: str
    opts: str


DRIVES = [
    Drive("/dev/sda1", "/", "ext4", "rw"),
    Drive("nas:/photos", "/mnt/nas", "nfs4", "rw,vers=4.2"),
    Drive("/dev/sdb1", "/mnt/nas/usb", "exfat", "rw"),
    Drive("me@host:", "/home/me/host", "fuse.sshfs", "rw"),
    Drive("share", "/z", "", "rw,remote"),
    Drive("systemd-1", "/mnt/asked", "autofs", "rw,direct"),
    Drive("nas:/asked", "/mnt/asked", "cifs", "rw"),
]


@pytest.mark.parametrize(
    ("folder", "remote"),
    [
        ("/home/me/Pictures", False),
        ("/mnt/nas", True),
        ("/mnt/nas/2019", True),
        ("/mnt/nasty", False),
        ("/mnt/nas/usb/DCIM", False),
        ("/home/me/host/a", True),
        ("/z/a", True),
        ("/mnt/asked/2019", True),
        (r"\\server\share\a", True),
    ],
)
def test_the_innermost_drive_counts(monkeypatch: pytest.MonkeyPatch, folder: str, remote: bool) -> None:
    monkeypatch.setattr(psutil, "disk_partitions", lambda all: DRIVES)
    assert is_remote(folder) is remote


def test_a_system_that_tells_nothing_has_no_network_drives(monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(all: bool) -> None:
        raise OSError

    monkeypatch.setattr(psutil, "disk_partitions", refuse)
    assert not is_remote("/mnt/nas")
    monkeypatch.setattr(psutil, "disk_partitions", lambda all: [])
    assert not is_remote("/mnt/nas")

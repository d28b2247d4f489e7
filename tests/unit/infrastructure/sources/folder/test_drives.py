"""Which folders lie on a network drive."""

from pathlib import Path
from typing import NamedTuple

import psutil
import pytest

from agent.infrastructure.sources.folder.drives import is_online_only, is_online_only_within_timeout, is_remote

ARCHIVE, HIDDEN, OFFLINE, PINNED, RECALL_ON_OPEN, RECALL_ON_ACCESS = 0x20, 0x2, 0x1000, 0x80000, 0x40000, 0x400000


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


@pytest.mark.parametrize("attributes", [OFFLINE, RECALL_ON_OPEN, RECALL_ON_ACCESS, ARCHIVE | RECALL_ON_ACCESS])
def test_windows_marks_placeholders_by_an_attribute(attributes: int) -> None:
    assert is_online_only_within_timeout("win32", attributes, 0)
    assert not is_online_only_within_timeout("linux", attributes, 0)


@pytest.mark.parametrize("attributes", [0, ARCHIVE, HIDDEN, PINNED])
def test_other_attributes_say_nothing_of_a_cloud(attributes: int) -> None:
    assert not is_online_only_within_timeout("win32", attributes, 0)


def test_macos_marks_them_dataless() -> None:
    assert is_online_only_within_timeout("darwin", 0, 0x40000000 | 0x8000)
    assert not is_online_only_within_timeout("darwin", 0, 0x8000)
    assert not is_online_only_within_timeout("freebsd14", 0, 0x40000000), "the same bit means something else there"


def test_a_real_file_is_here_and_a_missing_one_is_no_placeholder(tmp_path: Path) -> None:
    (tmp_path / "a.jpg").write_bytes(b"a")
    assert not is_online_only(str(tmp_path / "a.jpg"))
    assert not is_online_only(str(tmp_path / "gone.jpg"))
    assert not is_online_only("a\0b")

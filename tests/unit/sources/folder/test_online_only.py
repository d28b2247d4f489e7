"""Telling files that lie in a cloud only, from what Windows and macOS say of them."""

from pathlib import Path

import pytest

from agent.sources.folder.online_only import is_online_only, told_online_only

ARCHIVE, HIDDEN, OFFLINE, PINNED, RECALL_ON_OPEN, RECALL_ON_ACCESS = 0x20, 0x2, 0x1000, 0x80000, 0x40000, 0x400000


@pytest.mark.parametrize("attributes", [OFFLINE, RECALL_ON_OPEN, RECALL_ON_ACCESS, ARCHIVE | RECALL_ON_ACCESS])
def test_windows_marks_placeholders_by_an_attribute(attributes: int) -> None:
    assert told_online_only("win32", attributes, 0)
    assert not told_online_only("linux", attributes, 0)


@pytest.mark.parametrize("attributes", [0, ARCHIVE, HIDDEN, PINNED])
def test_other_attributes_say_nothing_of_a_cloud(attributes: int) -> None:
    assert not told_online_only("win32", attributes, 0)


def test_macos_marks_them_dataless() -> None:
    assert told_online_only("darwin", 0, 0x40000000 | 0x8000)
    assert not told_online_only("darwin", 0, 0x8000)
    assert not told_online_only("freebsd14", 0, 0x40000000), "the same bit means something else there"


def test_a_real_file_is_here_and_a_missing_one_is_no_placeholder(tmp_path: Path) -> None:
    (tmp_path / "a.jpg").write_bytes(b"a")
    assert not is_online_only(str(tmp_path / "a.jpg"))
    assert not is_online_only(str(tmp_path / "gone.jpg"))
    assert not is_online_only("a\0b")

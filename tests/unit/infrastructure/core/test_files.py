"""Files take their places whole, also where the system refuses for a moment."""

import errno
import os
import sys
from pathlib import Path

import pytest

from agent.infrastructure.core import files
from agent.infrastructure.core.files import (
    FileTooLarge,
    NotARegularFile,
    copy_to_new,
    create_file,
    move_new,
    open_regular,
    read_regular,
    sync_file,
    unwritable,
    write_private,
)
from agent.infrastructure.core.i18n import Texts


@pytest.fixture
def held(monkeypatch: pytest.MonkeyPatch) -> list[int]:
    """How often somebody still reads the file, as a list of one number."""
    left, replace = [2], Path.replace

    def refuse(self: Path, target: Path) -> Path:
        if left[0]:
            left[0] -= 1
            raise PermissionError(13, "Access is denied")
        return replace(self, target)

    monkeypatch.setattr(Path, "replace", refuse)
    monkeypatch.setattr(files, "_AGAIN_S", 0.001)
    return left


def test_windows_is_asked_again_while_somebody_reads_the_file(tmp_path: Path, held: list[int], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "platform", "win32")
    (tmp_path / "a").write_bytes(b"old")
    write_private(tmp_path / "a", b"new")
    assert (tmp_path / "a").read_bytes() == b"new" and [path.name for path in tmp_path.iterdir()] == ["a"]


@pytest.mark.parametrize("system", ["win32", "linux"])
def test_what_may_not_be_written_is_told_and_nothing_is_left(
    tmp_path: Path, held: list[int], system: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sys, "platform", system)
    monkeypatch.setattr(files, "_HELD_S", 0.0)
    held[0] = 1_000_000
    (tmp_path / "a").write_bytes(b"old")
    with pytest.raises(PermissionError):
        write_private(tmp_path / "a", b"new")
    assert (tmp_path / "a").read_bytes() == b"old" and [path.name for path in tmp_path.iterdir()] == ["a"]
    assert system == "win32" or held[0] == 999_999


def test_a_file_that_is_read_for_a_moment_takes_its_unused_name(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "aside").write_bytes(b"new")
    with (tmp_path / "aside").open("rb") as reading:  # as a virus scanner does
        monkeypatch.setattr("time.sleep", lambda _: reading.close())
        move_new(str(tmp_path / "aside"), str(tmp_path / "target"))
    assert [path.name for path in tmp_path.iterdir()] == ["target"]


@pytest.mark.skipif(sys.platform == "win32", reason="links need rights there")
@pytest.mark.parametrize("exists", [True, False])
def test_no_file_is_made_or_changed_through_a_link(tmp_path: Path, exists: bool) -> None:
    secret, link = tmp_path / "secret", tmp_path / "link"
    if exists:
        secret.write_bytes(b"secret")
        secret.chmod(0o600)
    link.symlink_to(secret)
    with pytest.raises(OSError):
        create_file(link)
    with pytest.raises(OSError):
        sync_file(link, 0o666)
    (tmp_path / "new").write_bytes(b"new")
    copy_to_new(tmp_path / "new", link)
    assert not link.is_symlink() and link.read_bytes() == b"new"
    assert secret.exists() == exists
    if exists:
        assert secret.read_bytes() == b"secret" and secret.stat().st_mode & 0o777 == 0o600


@pytest.mark.skipif(sys.platform == "win32", reason="links need rights there")
def test_a_link_that_is_moved_stays_a_link(tmp_path: Path) -> None:
    (tmp_path / "secret").write_bytes(b"secret")
    (tmp_path / "aside").symlink_to("secret")
    move_new(str(tmp_path / "aside"), str(tmp_path / "target"))
    assert (tmp_path / "target").is_symlink()


@pytest.mark.skipif(sys.platform == "win32", reason="no such files there")
def test_what_is_no_file_is_not_waited_for(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe")
    with pytest.raises(OSError):
        sync_file(tmp_path / "pipe")


def test_a_file_is_read_whole_up_to_the_bound(tmp_path: Path) -> None:
    (tmp_path / "a").write_bytes(b"1234")
    data, facts = read_regular(tmp_path / "a", 4)
    assert data == b"1234" and facts.st_size == 4
    with pytest.raises(FileTooLarge):
        read_regular(tmp_path / "a", 3)


@pytest.mark.skipif(sys.platform == "win32", reason="no such files there")
def test_pipes_and_devices_are_not_read(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe")
    for path in (tmp_path / "pipe", Path("/dev/zero"), tmp_path):
        with pytest.raises(NotARegularFile):
            open_regular(path)


@pytest.mark.parametrize(("language", "word"), [("en", "permissions"), ("zh-CN", "权限")])
def test_permissions_are_the_remedy_only_where_they_are_the_cause(language: str, word: str) -> None:
    texts = Texts(language)
    assert word in texts.remedy(unwritable(OSError(errno.EACCES, ""), "/photos"))
    assert word not in texts.remedy(unwritable(OSError(errno.EROFS, ""), "/media/card"))

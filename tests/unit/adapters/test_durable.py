"""Files take their places whole, also where the system refuses for a moment."""

import sys
from pathlib import Path

import pytest

from agent.adapters import durable
from agent.adapters.durable import write_private


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
    monkeypatch.setattr(durable, "_AGAIN_S", 0.001)
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
    monkeypatch.setattr(durable, "_HELD_S", 0.0)
    held[0] = 1_000_000
    (tmp_path / "a").write_bytes(b"old")
    with pytest.raises(PermissionError):
        write_private(tmp_path / "a", b"new")
    assert (tmp_path / "a").read_bytes() == b"old" and [path.name for path in tmp_path.iterdir()] == ["a"]
    assert system == "win32" or held[0] == 999_999

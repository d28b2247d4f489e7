"""A photo goes onto the clipboard covered, and nothing of it stays on the disk."""

from __future__ import annotations

import tempfile
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from agent.domain.errors import ClipboardFailed
from agent.features.redaction.clipboard_copy import ClipboardCopy, PhotoCopied
from tests.support.in_process_agent import FakeAnalyser, FakeRenderer
from tests.support.service_environment import environment

if TYPE_CHECKING:
    from collections.abc import Mapping


class FakeClipboard:
    formats: tuple[str, ...] = ("png", "bmp")

    def __init__(self) -> None:
        self.held: dict[str, bytes] = {}

    async def put(self, pictures: Mapping[str, bytes]) -> None:
        self.held = dict(pictures)

    async def close(self) -> None: ...


@pytest.fixture
def photo(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> str:
    (tmp_path / "left").mkdir()
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path / "left"))
    (tmp_path / "a.jpg").write_bytes(b"first")
    return str(tmp_path / "a.jpg")


async def test_everyone_is_covered_in_each_format_and_no_file_is_left(photo: str, tmp_path: Path) -> None:
    analyser, renderer, clipboard = FakeAnalyser(), FakeRenderer(), FakeClipboard()
    analyser.faces["a.jpg"] = 2

    copied = await ClipboardCopy(analyser, renderer, clipboard, environment()).copy(photo)

    assert copied == PhotoCopied(covered=2, doubtful=False)
    assert set(clipboard.held) == {"png", "bmp"}
    assert all(each.startswith(b"2 covered") and b"strip=True" in each for each in clipboard.held.values())
    assert [each.format for each in renderer.tasks] == ["png", "bmp"]
    assert list((tmp_path / "left").iterdir()) == []


async def test_a_photo_without_a_face_is_doubtful_and_without_a_clipboard_nothing_is_copied(photo: str) -> None:
    analyser, clipboard = FakeAnalyser(), FakeClipboard()
    analyser.faces["a.jpg"] = 0
    copied = await ClipboardCopy(analyser, FakeRenderer(), clipboard, environment()).copy(photo)
    assert copied == PhotoCopied(covered=0, doubtful=True)
    with pytest.raises(ClipboardFailed):
        await ClipboardCopy(analyser, FakeRenderer(), None, environment()).copy(photo)

"""What the welcome keeps on the disk, and which folders it finds there."""

from __future__ import annotations

import os
import stat
from typing import TYPE_CHECKING

import platformdirs
import pytest

from agent.domain.errors import StoreUnwritable
from agent.features.library import onboarding

if TYPE_CHECKING:
    from pathlib import Path


def test_choices_are_kept_for_their_owner_until_they_are_taken_away(tmp_path: Path) -> None:
    assert onboarding.read_choices(tmp_path) is None
    onboarding.write_choices(tmp_path, '{"folders": ["/照片"]}')
    assert onboarding.read_choices(tmp_path) == '{"folders": ["/照片"]}'
    if os.name == "posix":
        assert stat.S_IMODE((tmp_path / onboarding.CHOICES_FILE).stat().st_mode) == 0o600
    onboarding.write_choices(tmp_path, None)
    onboarding.write_choices(tmp_path, None)
    assert list(tmp_path.iterdir()) == []


def test_choices_that_can_t_be_kept_say_so(tmp_path: Path) -> None:
    with pytest.raises(StoreUnwritable):
        onboarding.write_choices(tmp_path / "nowhere", "{}")


def test_folders_that_are_there_are_suggested_once_and_never_the_home_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("HOME", "USERPROFILE"):
        monkeypatch.setenv(name, str(tmp_path))
    pictures = tmp_path / "Pictures"
    pictures.mkdir()
    monkeypatch.setattr(platformdirs, "user_pictures_dir", lambda: str(pictures))
    monkeypatch.setattr(platformdirs, "user_downloads_dir", lambda: str(tmp_path / "gone"))
    monkeypatch.setattr(platformdirs, "user_desktop_dir", lambda: str(tmp_path))
    assert onboarding.usual_folders() == (str(pictures),)
    monkeypatch.setattr(platformdirs, "user_desktop_dir", lambda: str(pictures))
    assert onboarding.usual_folders() == (str(pictures),)

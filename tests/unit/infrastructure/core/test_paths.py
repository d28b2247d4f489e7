"""Where the program keeps what."""

import os
import stat
from pathlib import Path

import pytest

from agent.domain.errors import StoreUnwritable
from agent.infrastructure.core.paths import AppPaths, make_private

posix = pytest.mark.skipif(os.name != "posix", reason="owner and mode are POSIX's")


def mode(folder: Path) -> int:
    return stat.S_IMODE(folder.stat().st_mode)


def test_one_variable_puts_everything_below_one_folder(tmp_path: Path) -> None:
    paths = AppPaths.find({"AI_POPUP_HOME": str(tmp_path / "other")})
    for folder in (paths.config, paths.data, paths.cache, paths.runtime, paths.logs):
        assert folder.is_relative_to(tmp_path / "other")
        assert not folder.exists()
    assert paths.settings == paths.config / "settings.toml"


@posix
def test_a_home_of_nobody_is_a_folder_of_that_name(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    assert AppPaths.find({"AI_POPUP_HOME": "~nobody-of-that-name/x"}).data == tmp_path / "~nobody-of-that-name" / "x" / "data"


@posix
def test_folders_are_made_for_the_owner_alone(tmp_path: Path) -> None:
    paths = AppPaths.find({"AI_POPUP_HOME": str(tmp_path)}).create()
    assert {mode(folder) for folder in (paths.config, paths.data, paths.cache, paths.runtime, paths.logs)} == {0o700}


def test_without_it_the_platform_s_folders_are_used() -> None:
    paths = AppPaths.find({})
    assert len({paths.data, paths.cache, paths.logs}) == 3
    assert all("ai-popup" in folder.parts for folder in (paths.config, paths.data, paths.cache, paths.logs))
    assert paths.runtime == paths.data / "run"


@posix
def test_the_session_s_runtime_folder_is_used_if_it_is_ours_alone(tmp_path: Path) -> None:
    tmp_path.chmod(0o700)
    assert AppPaths.find({"XDG_RUNTIME_DIR": str(tmp_path)}).runtime == tmp_path / "ai-popup"
    tmp_path.chmod(0o755)
    assert AppPaths.find({"XDG_RUNTIME_DIR": str(tmp_path)}).runtime.name == "run"
    assert AppPaths.find({"XDG_RUNTIME_DIR": str(tmp_path / "none")}).runtime.name == "run"


@posix
def test_a_folder_that_others_may_enter_is_closed(tmp_path: Path) -> None:
    folder = tmp_path / "wide"
    folder.mkdir(mode=0o755)
    make_private(folder)
    assert mode(folder) == 0o700


def test_a_folder_that_cannot_be_made_is_named_as_such(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    with pytest.raises(StoreUnwritable):
        make_private(tmp_path / "file" / "below")


@posix
def test_a_folder_of_somebody_else_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(os, "geteuid", lambda: tmp_path.stat().st_uid + 1)
    with pytest.raises(StoreUnwritable):
        make_private(tmp_path)


def test_servers_that_share_a_library_have_their_own_cache_runtime_and_logs(tmp_path: Path) -> None:
    home = {"AI_POPUP_HOME": str(tmp_path)}
    shared, one = AppPaths.find(home), AppPaths.find({**home, "AI_POPUP_INSTANCE": "pod-1"})
    assert (one.config, one.data) == (shared.config, shared.data)
    assert [one.cache, one.runtime, one.logs] == [each / "pod-1" for each in (shared.cache, shared.runtime, shared.logs)]
    with pytest.raises(StoreUnwritable):
        AppPaths.find({**home, "AI_POPUP_INSTANCE": "../other"})

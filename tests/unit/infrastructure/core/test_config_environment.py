"""Settings from variables, and from the files that variables name."""

import json
from pathlib import Path

import pytest

from agent.domain.errors import SettingsGivenTwice, SettingsInvalid, SettingsSecretUnreadable, SettingsUnknownKey
from agent.infrastructure.core.config_environment import from_environment, overridden_in
from agent.infrastructure.core.config_file import SettingsFile
from agent.infrastructure.core.i18n import Texts

URL = "postgresql://user:s3cret@db/library"


def held(folder: Path, content: str | bytes, name: str = "secret") -> str:
    path = folder / name
    path.write_bytes(content if isinstance(content, bytes) else content.encode())
    return str(path)


@pytest.mark.parametrize("content", [URL, f"{URL}\n", f"{URL}\r\n", f"\ufeff{URL}"])
def test_a_variable_may_name_a_file_that_holds_the_value(tmp_path: Path, content: str) -> None:
    environ = {"AI_POPUP__SERVER__DATABASE_FILE": held(tmp_path, content)}
    assert SettingsFile(tmp_path / "none.toml", environ).load().server.database == URL
    assert overridden_in(environ) == {"server.database": "AI_POPUP__SERVER__DATABASE_FILE"}


def test_text_from_a_file_is_taken_as_it_is_and_other_values_as_toml(tmp_path: Path) -> None:
    environ = {
        "AI_POPUP__SERVER__NAME_FILE": held(tmp_path, "2026", "name"),
        "AI_POPUP__SERVER__PORT_FILE": held(tmp_path, "9443", "port"),
        "AI_POPUP__SERVER__NAMES_FILE": held(tmp_path, '["photos.example"]', "names"),
        "ai_popup__folders_file": held(tmp_path, '[{path = "~/a"}]', "folders"),
    }
    assert from_environment(environ) == {
        "server": {"name": "2026", "port": 9443, "names": ["photos.example"]},
        "folders": [{"path": "~/a"}],
    }


def test_a_value_and_a_file_for_the_same_setting_are_refused(tmp_path: Path) -> None:
    environ = {"AI_POPUP__SERVER__DATABASE": URL, "AI_POPUP__SERVER__DATABASE_FILE": held(tmp_path, URL)}
    settings = SettingsFile(tmp_path / "none.toml", environ)
    with pytest.raises(SettingsGivenTwice) as caught:
        settings.load()
    assert caught.value.params == {"key": "server.database", "variable": "AI_POPUP__SERVER__DATABASE"}
    assert [type(problem) for problem in settings.problems()] == [SettingsGivenTwice]
    for language in ("en", "zh-CN"):
        assert "AI_POPUP__SERVER__DATABASE_FILE" in Texts(language).cause(caught.value)


@pytest.mark.parametrize("content", [None, b"\xff\xfe", b"x" * 70_000])
def test_a_file_that_cannot_be_read_is_refused_without_its_path(tmp_path: Path, content: bytes | None) -> None:
    path = str(tmp_path / "missing") if content is None else held(tmp_path, content)
    with pytest.raises(SettingsSecretUnreadable) as caught:
        from_environment({"AI_POPUP__SERVER__DATABASE_FILE": path})
    assert caught.value.params == {"key": "server.database", "variable": "AI_POPUP__SERVER__DATABASE_FILE"}
    assert str(tmp_path) not in json.dumps(caught.value.params) + str(caught.value)
    assert caught.value.__suppress_context__


@pytest.mark.parametrize("content", [b"", b"\n", b"\xef\xbb\xbf \r\n"])
def test_an_empty_file_is_no_value_and_does_not_stand_for_the_default(tmp_path: Path, content: bytes) -> None:
    with pytest.raises(SettingsSecretUnreadable) as caught:
        from_environment({"AI_POPUP__SERVER__DATABASE_FILE": held(tmp_path, content)})
    assert "is empty" in Texts("en").cause(caught.value) and "是空的" in Texts("zh-CN").cause(caught.value)


def test_a_folder_is_no_file_that_holds_a_value(tmp_path: Path) -> None:
    with pytest.raises(SettingsSecretUnreadable):
        from_environment({"AI_POPUP__SERVER__DATABASE_FILE": str(tmp_path)})


def test_a_wrong_value_in_a_file_is_refused_like_any_other_and_not_quoted(tmp_path: Path) -> None:
    environ = {"AI_POPUP__SERVER__DATABASE_FILE": held(tmp_path, "mysql://user:s3cret@db")}
    with pytest.raises(SettingsInvalid) as caught:
        SettingsFile(tmp_path / "none.toml", environ).load()
    assert caught.value.params["key"] == "server.database"
    assert "s3cret" not in str(caught.value)


def test_a_mistyped_name_with_the_suffix_is_an_unknown_setting(tmp_path: Path) -> None:
    with pytest.raises(SettingsUnknownKey) as caught:
        SettingsFile(tmp_path / "none.toml", {"AI_POPUP__SERVER__DATABAZE_FILE": held(tmp_path, URL)}).load()
    assert caught.value.params["key"] == "server.databaze_file"


def test_a_file_is_read_again_with_the_settings(tmp_path: Path) -> None:
    path = held(tmp_path, "postgresql://one/a")
    settings = SettingsFile(tmp_path / "none.toml", {"AI_POPUP__SERVER__DATABASE_FILE": path})
    assert settings.load().server.database == "postgresql://one/a"
    Path(path).write_text("postgresql://two/a")
    assert settings.load().server.database == "postgresql://two/a"

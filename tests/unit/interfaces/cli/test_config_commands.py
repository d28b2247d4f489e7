"""`config`, `models`: settings are shown, written and checked; the library's key moves with its setting."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from agent.app.engines import model_store
from agent.infrastructure.core.paths import SERVER_FOLDER
from agent.infrastructure.store import secret_stores

if TYPE_CHECKING:
    from pathlib import Path

    from tests.unit.interfaces.cli.conftest import CommandLine


def test_show_path_set_and_validate(cli: CommandLine) -> None:
    assert cli("config", "path").out.strip() == str(cli.paths.settings)
    said = cli("config", "set", "engine.workers", "3")
    assert said.code == 0 and "engine.workers" in said.err
    assert cli("config", "show", "engine.workers").out.strip() == "3"
    assert cli("config", "show", "library.key_home").out.strip().strip('"') == "file"
    assert "workers = 3" in cli("config", "show").out
    assert cli("config", "validate").code == 0


def test_a_setting_that_takes_effect_at_the_next_start_says_so(cli: CommandLine) -> None:
    later = "Takes effect the next time the program starts."
    assert later in cli("config", "set", "api.port", "9000").err
    assert later not in cli("config", "set", "backup.offsite", "sftp://ann@host/srv/x").err, "a desktop reads it for each backup"
    (cli.paths.data / SERVER_FOLDER).mkdir()
    assert later in cli("config", "set", "backup.offsite", "sftp://ann@host/srv/x").err
    assert later in cli("config", "set", "backup.offsite_identity", "/keys/id").err
    assert later not in cli("config", "set", "engine.workers", "3").err


@pytest.mark.parametrize(
    ("key", "value", "code"),
    [
        ("engine.workers", "99", "settings.invalid"),
        ("engine.wokers", "1", "settings.unknown_key"),
        ("library.key_home", "pocket", "settings.invalid"),
    ],
)
def test_what_is_not_valid_is_not_written(cli: CommandLine, key: str, value: str, code: str) -> None:
    before = cli.paths.settings.read_text()
    said = cli("config", "set", key, value)
    assert said.code == 1 and f"[{code}]" in said.err and cli.paths.settings.read_text() == before


def test_a_setting_that_is_not_there_is_named_with_the_nearest(cli: CommandLine) -> None:
    assert cli("config", "show", "popup.second").err == (
        "There is no setting “popup.second”. Did you mean “popup.seconds”? [settings.unknown_key]\n"
    )
    assert "ai-popup config show" in cli("config", "show", "foo").err


def test_a_section_and_a_watched_folder_can_be_shown(cli: CommandLine) -> None:
    cli.paths.settings.write_text('[library]\nkey_home = "file"\n[[folders]]\npath = "/photos"\n')
    said = cli("config", "show", "popup")
    assert said.code == 0 and "seconds = 12" in said.out and "workers" not in said.out
    assert 'path = "/photos"' in cli("config", "show", "folders").out
    assert 'path = "/photos"' in cli("config", "show", "folders[0]").out
    assert cli("config", "show", "folders[0].path").out == '"/photos"\n'


@pytest.mark.parametrize(
    ("words", "told"),
    [
        (("show", "popupp"), "Did you mean “popup”?"),
        (("show", "popup.second"), "Did you mean “popup.seconds”?"),
        (("show", "folders[7]"), "`ai-popup folders list`"),
        (("set", "popup", "5"), "“popup” is a section"),
        (("set", "folders[0].path", "/photos"), "`ai-popup folders list`, `add` and `remove`"),
    ],
)
def test_wrong_keys_get_the_hint_that_helps(cli: CommandLine, words: tuple[str, ...], told: str) -> None:
    said = cli("config", *words)
    assert said.code == 1 and told in said.err and "[settings.unknown_key]" in said.err


def test_validate_names_everything_that_is_wrong(cli: CommandLine) -> None:
    cli.paths.settings.write_text("[engine]\nworkers = 99\nwokers = 1\n")
    said = cli("config", "validate")
    assert said.code == 1 and "[settings.invalid]" in said.err and "[settings.unknown_key]" in said.err
    assert cli("config", "show").code == 1


@pytest.fixture
def other(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The folder that stands in for the keyring."""
    other = tmp_path / "keyring"
    monkeypatch.setattr("agent.infrastructure.store.secret_stores.KeyringSecretStore", lambda: secret_stores.FileSecretStore(other))
    return other


@pytest.mark.parametrize("value", ["keyring", '"keyring"', "'keyring'"])
def test_the_key_moves_with_the_setting(cli: CommandLine, other: Path, value: str) -> None:
    assert cli("backup", "create").code == 0
    assert list(cli.paths.keys.iterdir()) and not other.exists()
    assert cli("config", "set", "library.key_home", value).code == 0
    assert list(other.iterdir()) and not [path for path in cli.paths.keys.iterdir() if path.suffix == ".key"]
    assert "keyring" in cli.paths.settings.read_text() and cli("backup", "create").code == 0


def test_the_key_stays_where_the_environment_says(cli: CommandLine, other: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AI_POPUP__LIBRARY__KEY_HOME", "file")
    assert cli("backup", "create").code == 0
    assert cli("config", "set", "library.key_home", "keyring").code == 0
    assert "keyring" in cli.paths.settings.read_text() and not other.exists()
    assert cli("backup", "create").code == 0


def test_without_a_library_only_the_setting_changes(cli: CommandLine) -> None:
    assert cli("config", "set", "library.key_home", "keyring").code == 0
    assert "keyring" in cli.paths.settings.read_text() and not cli.paths.library.exists()


def test_models_are_listed_added_and_verified(cli: CommandLine, tmp_path: Path) -> None:
    said = cli("models", "list")
    assert said.code == 0 and "centerface" in said.out and "SHA-256" in said.out and "not fetched yet" in said.out
    stranger = tmp_path / "stranger.onnx"
    stranger.write_bytes(b"no model")
    said = cli("models", "add", str(stranger))
    assert said.code == 1 and "[model.unknown]" in said.err
    assert cli("models", "verify").code == 0
    place = model_store(cli.paths).info("centerface").path
    place.parent.mkdir(parents=True)
    place.write_bytes(b"damaged")
    said = cli("models", "verify")
    assert said.code == 1 and "centerface: damaged" in said.out
    said = cli("models", "fetch", "no-such-model")
    assert said.code == 1 and "[model.unknown]" in said.err


def test_a_file_that_is_no_model_and_names_that_are_none_get_a_hint(cli: CommandLine, tmp_path: Path) -> None:
    stranger = tmp_path / "x.txt"
    stranger.write_text("no model")
    said = cli("models", "add", str(stranger))
    assert "“file”" not in said.err and "SHA-256 matches none of them" in said.err
    assert "Did you mean “centerface”?" in cli("models", "fetch", "centreface").err


@pytest.mark.parametrize("name", ["centerface", "centerface-2", "CenterFace"])
def test_a_model_is_known_by_its_name_with_and_without_version(cli: CommandLine, name: str) -> None:
    assert model_store(cli.paths).info(name).name == "centerface"

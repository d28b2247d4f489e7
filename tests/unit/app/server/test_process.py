"""What a server decides at its start: where its key is, and which certificate it serves."""

from pathlib import Path

import pytest

from agent.app.library_home import key_in_file, worker_keys
from agent.app.server.process import certificates_of
from agent.domain.errors import SettingsInvalid
from agent.infrastructure.core.config_file import SettingsFile
from agent.infrastructure.core.paths import AppPaths
from agent.infrastructure.core.settings import KeyHome
from agent.infrastructure.store.keys import LibraryKeys
from agent.infrastructure.store.secret_stores import FileSecretStore


@pytest.fixture
def paths(tmp_path: Path) -> AppPaths:
    return AppPaths.find({"AI_POPUP_HOME": str(tmp_path)}).create()


def loaded(paths: AppPaths, environ: dict[str, str] | None = None) -> SettingsFile:
    file = SettingsFile(paths.settings, environ or {})
    file.load()
    return file


def test_a_new_librarys_key_is_in_a_file(paths: AppPaths) -> None:
    key_in_file(loaded(paths), paths)
    assert loaded(paths).snapshot.library.key_home is KeyHome.FILE  # for every command in this home


def test_a_chosen_place_is_kept(paths: AppPaths) -> None:
    loaded(paths).put("library.key_home", "keyring")
    key_in_file(loaded(paths), paths)
    assert loaded(paths).snapshot.library.key_home is KeyHome.KEYRING


def test_the_environment_decides_before_the_file(paths: AppPaths) -> None:
    key_in_file(loaded(paths, {"AI_POPUP__LIBRARY__KEY_HOME": "keyring"}), paths)
    assert not paths.settings.exists()


def test_the_key_of_an_existing_library_stays_where_it_is(paths: AppPaths) -> None:
    LibraryKeys(paths.library, FileSecretStore(paths.keys)).create()
    key_in_file(loaded(paths), paths)
    assert not paths.settings.exists()


@pytest.mark.parametrize(("given", "missing"), [("certificate", "private_key"), ("private_key", "certificate")])
def test_one_file_of_two_is_refused(paths: AppPaths, given: str, missing: str) -> None:
    file = loaded(paths, {f"AI_POPUP__SERVER__{given.upper()}": "/etc/file.pem"})
    with pytest.raises(SettingsInvalid) as refused:
        certificates_of(file.snapshot, paths)
    assert refused.value.params == {"key": f"server.{missing}", "reason": "missing"}


def test_further_names_are_in_the_certificate(paths: AppPaths) -> None:
    file = loaded(paths, {"AI_POPUP__SERVER__NAMES": '["photos.example.org"]'})
    made = certificates_of(file.snapshot, paths)
    made.load()
    assert {"photos.example.org", "localhost"} <= made.names


def test_the_key_of_workers_may_have_a_folder_of_its_own(paths: AppPaths) -> None:
    assert worker_keys(loaded(paths).snapshot, paths) == paths.keys
    given = loaded(paths, {"AI_POPUP__SERVER__WORKER_KEYS": "/run/worker-keys"})
    assert worker_keys(given.snapshot, paths) == Path("/run/worker-keys")

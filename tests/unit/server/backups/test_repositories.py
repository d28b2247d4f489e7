"""Where backups are, and that their keys appear nowhere else."""

import os
import sys
from pathlib import Path
from unittest.mock import MagicMock

import pytest

from agent.domain.errors import OffsiteFileUnreadable, OffsiteSecretMissing, StoreRecoveryCodeWrong
from agent.infrastructure.core.settings import Settings
from agent.infrastructure.store import recovery_code
from agent.infrastructure.store.secret_stores import FileSecretStore
from agent.server.backups.configuration import archive, configuration, for_another_host
from agent.server.backups.repositories import (
    S3,
    SECRET,
    RepositoryFolder,
    RepositoryPasswords,
    Sftp,
    local_folder,
    offsite_of,
    place_of,
    repositories_of,
)

CODE = recovery_code.write(b"seventeen bytes!!")
K, H = Path("/k").absolute(), Path("/h").absolute()
PLACES = ["D:\\Backups", "d:/Backups", "\\\\nas\\photos"] if os.name == "nt" else ["/mnt/x"]


def settings(**backup: object) -> Settings:
    return Settings.model_validate({"backup": backup})


@pytest.fixture
def home(tmp_path: Path) -> FileSecretStore:
    made = FileSecretStore(tmp_path / "keys")
    made.write(SECRET, b"the secret of s3")
    return made


def test_addresses_are_read(home: FileSecretStore) -> None:
    given = settings(offsite_key_id="ID", offsite_identity=str(K), offsite_known_hosts=str(H))
    bucket = place_of("s3://s3.example.org:9000/photos/a/b/", given, home)
    assert bucket == S3("s3.example.org", 9000, "photos", "/a/b", "us-east-1", "ID", "the secret of s3", "")
    assert place_of("sftp://ann@host:2222/srv/x", given, home) == Sftp("ann", "host", 2222, "/srv/x", str(K), str(H))
    assert place_of("sftp://ann@host/srv/x", given, home) == Sftp("ann", "host", 22, "/srv/x", str(K), str(H))
    assert place_of(str(K), given, home) == RepositoryFolder(K)
    with pytest.raises(ValueError, match="nonsense"):
        place_of("nonsense", given, home)


@pytest.mark.parametrize("address", ["s3://host:9000/bucket/a", "s3://host/bucket", "sftp://ann@host/x", "sftp://ann@host:22/x"])
def test_an_address_that_the_settings_accept_is_read(home: FileSecretStore, address: str) -> None:
    assert offsite_of(settings(offsite=address, offsite_key_id="ID"), home) is not None


@pytest.mark.parametrize("address", PLACES)
def test_a_folder_of_this_system_is_a_second_place(home: FileSecretStore, address: str) -> None:
    assert offsite_of(settings(offsite=address), home) == RepositoryFolder(Path(address))


@pytest.mark.parametrize("address", ["x", "D:x", "\\\\nas", *(["D:\\Backups", "\\\\nas\\photos"] if os.name == "posix" else [])])
def test_no_other_folder_is_a_second_place(address: str) -> None:
    with pytest.raises(ValueError, match="offsite"):
        settings(offsite=address)


@pytest.mark.parametrize(
    "address", ["sftp://ann@host:/srv/x", "sftp://ann@host:port/x", "s3://host:/bucket", "s3://host:a/bucket", "sftp://ann@host:2222222/x"]
)
def test_an_address_that_could_not_be_read_is_refused_by_the_settings(address: str) -> None:
    with pytest.raises(ValueError, match="offsite"):
        settings(offsite=address)


def test_a_bucket_without_its_keys_is_refused(tmp_path: Path, home: FileSecretStore) -> None:
    with pytest.raises(OffsiteSecretMissing):
        place_of("s3://host/bucket", settings(), home)
    with pytest.raises(OffsiteSecretMissing):
        place_of("s3://host/bucket", settings(offsite_key_id="ID"), FileSecretStore(tmp_path / "none"))


def test_without_settings_backups_are_in_the_data_folder_alone(tmp_path: Path, home: FileSecretStore) -> None:
    assert local_folder(settings(), tmp_path) == tmp_path / "backups"
    assert offsite_of(settings(), home) is None


def test_repositories_of_a_server_are_those_in_the_settings() -> None:
    assert repositories_of(settings()) == ("local",)
    assert repositories_of(settings(offsite="sftp://ann@host/x")) == ("local", "offsite")
    assert repositories_of(settings(offsite="sftp://ann@host/x", enabled=False)) == ()


def test_passwords_follow_from_the_recovery_code_and_differ() -> None:
    first, again = RepositoryPasswords.of(CODE), RepositoryPasswords.of(CODE.lower())
    assert first == again and first.database != first.files
    assert first.database not in repr(first) and first.files not in repr(first)
    with pytest.raises(StoreRecoveryCodeWrong):
        RepositoryPasswords.of("nonsense")


def test_keys_are_in_the_configuration_and_nowhere_else(home: FileSecretStore) -> None:
    given = settings(offsite="s3://host/bucket/x", offsite_key_id="ID", keep_full=9)
    passwords = RepositoryPasswords.of(CODE)
    places = (RepositoryFolder(Path("/mnt/near")), place_of(given.backup.offsite, given, home))
    text = configuration(given.backup, passwords, places)
    assert f"repo1-cipher-pass={passwords.database}\n" in text and f"repo2-cipher-pass={passwords.database}\n" in text
    assert "repo2-s3-key-secret=the secret of s3\n" in text and "repo2-retention-full=9\n" in text
    assert "repo1-path" not in text  # which depends on the process, and is in its environment
    made = archive("/usr/bin/pgbackrest", given.backup, passwords, places)
    assert made.folders == {"repo1-path": Path("/mnt/near/database")}
    told = f"{made!r} {made.settings} {places!r} {for_another_host(text)}"
    assert not any(each in told for each in (passwords.database, passwords.files, "the secret of s3"))


@pytest.mark.skipif(sys.platform == "win32", reason="there is no pgBackRest for Windows")
def test_without_a_setting_the_files_are_those_of_the_user_that_ssh_reads(
    tmp_path: Path, home: FileSecretStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("pwd.getpwuid", lambda _: MagicMock(pw_dir=str(tmp_path / "account")))
    monkeypatch.setenv("HOME", str(tmp_path / "of another user"))
    (tmp_path / "account" / ".ssh").mkdir(parents=True)
    for name in ("id_ed25519", "id_ed25519.pub", "known_hosts"):
        (tmp_path / "account" / ".ssh" / name).write_text(name)
    given = settings(offsite="sftp://ann@host/srv")
    places = (RepositoryFolder(tmp_path), place_of(given.backup.offsite, given, home))
    made = archive("pgbackrest", given.backup, RepositoryPasswords.of(CODE), places)
    assert {*made.files.values()} == {b"id_ed25519", b"id_ed25519.pub", b"known_hosts"}


def test_a_file_that_cannot_be_read_is_named_by_its_setting(tmp_path: Path, home: FileSecretStore) -> None:
    given = settings(
        offsite="sftp://ann@host/srv",
        offsite_identity=str(tmp_path / "id"),
        offsite_known_hosts=str(tmp_path / "known"),
        offsite_authority=str(tmp_path / "authority.pem"),
        offsite_key_id="ID",
    )
    passwords = RepositoryPasswords.of(CODE)

    def missing(address: str) -> object:
        with pytest.raises(OffsiteFileUnreadable) as caught:
            archive("pgbackrest", given.backup, passwords, (RepositoryFolder(tmp_path), place_of(address, given, home)))
        return caught.value.params["setting"]

    assert missing("s3://host/bucket") == "offsite_authority"
    assert missing(given.backup.offsite) == "offsite_identity"
    (tmp_path / "id").touch()
    assert missing(given.backup.offsite) == "offsite_identity", "its public half"
    (tmp_path / "id.pub").touch()
    assert missing(given.backup.offsite) == "offsite_known_hosts"

"""The library's key moves to another home while the program holds other secrets where the key is."""

from pathlib import Path

import pytest

from agent.app.library_home import home_of_key, move_key
from agent.domain.errors import KeyringAbsent, KeyringLocked
from agent.infrastructure.core.config_file import SettingsFile
from agent.infrastructure.core.paths import HOME_VARIABLE, AppPaths
from agent.infrastructure.core.settings import KeyHome
from agent.infrastructure.store import secret_stores
from agent.infrastructure.store.keys import LibraryKeys
from agent.infrastructure.store.secret_stores import Home


class Keyring:
    def __init__(self) -> None:
        self.secrets: dict[str, bytes] = {}
        self.trouble: Exception | None = None

    def read(self, account: str) -> bytes | None:
        self._answer()
        return self.secrets.get(account)

    def write(self, account: str, secret: bytes) -> None:
        self._answer()
        self.secrets[account] = secret

    def forget(self, account: str) -> None:
        self._answer()
        self.secrets.pop(account, None)

    def _answer(self) -> None:
        if self.trouble is not None:
            raise self.trouble


class Computer:
    """A library whose key is in the keyring."""

    def __init__(self, folder: Path, keyring: Keyring) -> None:
        self.paths = AppPaths.find({HOME_VARIABLE: str(folder)}).create()
        self.file = SettingsFile(self.paths.settings, environ={})
        self.keyring = keyring
        self.key, _ = LibraryKeys(self.paths.library, self.home).create()

    @property
    def home(self) -> Home:
        return home_of_key(self.file.load(), self.paths)

    def move(self, to: KeyHome) -> None:
        move_key(self.file, self.paths, to)
        assert LibraryKeys(self.paths.library, self.home).unlock() == self.key

    def files(self) -> set[str]:
        return {each.stem for each in self.paths.keys.glob("*.key")}


@pytest.fixture
def computer(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Computer:
    keyring = Keyring()
    monkeypatch.setattr(secret_stores, "KeyringSecretStore", lambda: keyring)
    return Computer(tmp_path, keyring)


def test_other_secrets_follow_it_there_and_back(computer: Computer) -> None:
    """Otherwise a desktop would take its membership of a team for ended, and delete what it has of it."""
    computer.home.write("team", b"token")
    computer.move(KeyHome.FILE)
    assert computer.home.read("team") == b"token"
    assert computer.keyring.secrets == {} and "team" in computer.files()
    computer.move(KeyHome.KEYRING)
    assert computer.home.read("team") == b"token"
    assert computer.files() == set()


def test_what_is_forgotten_or_replaced_does_not_come_back(computer: Computer) -> None:
    computer.home.write("team", b"token")
    computer.home.write("mail", b"first")
    computer.move(KeyHome.FILE)
    computer.home.forget("team")
    computer.home.write("mail", b"second")
    assert computer.home.read("team") is None
    computer.move(KeyHome.KEYRING)
    assert computer.home.read("team") is None and computer.home.read("mail") == b"second"


class Killed(BaseException):
    pass


def killed_before_the_old_home_forgets(computer: Computer, to: KeyHome, monkeypatch: pytest.MonkeyPatch) -> None:
    def kill(_home: object, _account: str) -> None:
        raise Killed

    with monkeypatch.context() as killing, pytest.raises(Killed):
        for each in (Keyring, secret_stores.FileSecretStore):
            killing.setattr(each, "forget", kill)
        computer.move(to)


def test_a_key_that_was_in_a_file_does_not_stay_there_when_its_move_was_killed(computer: Computer, monkeypatch: pytest.MonkeyPatch) -> None:
    computer.move(KeyHome.FILE)
    killed_before_the_old_home_forgets(computer, KeyHome.KEYRING, monkeypatch)
    assert LibraryKeys(computer.paths.library, computer.home).unlock() == computer.key
    assert computer.files() == set() and len(computer.keyring.secrets) == 1


@pytest.mark.parametrize("to", list(KeyHome))
def test_a_move_that_was_killed_is_finished_by_the_same_command(computer: Computer, to: KeyHome, monkeypatch: pytest.MonkeyPatch) -> None:
    if to is KeyHome.KEYRING:
        computer.move(KeyHome.FILE)
    killed_before_the_old_home_forgets(computer, to, monkeypatch)
    computer.move(to)
    assert (len(computer.files()), len(computer.keyring.secrets)) == ((1, 0) if to is KeyHome.FILE else (0, 1))


def test_a_different_secret_in_a_file_is_not_deleted(computer: Computer) -> None:
    computer.move(KeyHome.FILE)
    computer.move(KeyHome.KEYRING)
    account = LibraryKeys(computer.paths.library, computer.home).library
    secret_stores.FileSecretStore(computer.paths.keys).write(account, b"other")
    assert LibraryKeys(computer.paths.library, computer.home).unlock() == computer.key
    assert computer.files() == {account}


def test_a_keyring_that_is_locked_says_nothing_about_a_secret_and_one_that_is_gone_has_none(computer: Computer) -> None:
    computer.home.write("team", b"token")
    computer.move(KeyHome.FILE)
    computer.keyring.trouble = KeyringLocked()
    with pytest.raises(KeyringLocked):
        computer.home.read("team")
    computer.home.write("mail", b"new")
    assert computer.home.read("mail") == b"new"
    computer.keyring.trouble = KeyringAbsent()
    assert computer.home.read("team") is None
    computer.home.forget("team")


def test_the_home_that_was_never_chosen_is_not_asked(computer: Computer) -> None:
    computer.paths.keys.mkdir(mode=0o700, exist_ok=True)
    (computer.paths.keys / "team.key").write_text(b"token".hex())
    assert computer.home.read("team") is None

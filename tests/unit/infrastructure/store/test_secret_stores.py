"""The keyring as a home: what it says, what it does not say in time, and which ones are refused."""

import threading
from pathlib import Path

import keyring
import pytest
from keyring.backend import KeyringBackend
from keyring.backends import chainer, fail, null
from keyring.errors import InitError, KeyringError, NoKeyringError, PasswordSetError
from keyring.errors import KeyringLocked as LockedByUser

from agent.domain.errors import KeyHomeError, KeyringAbsent, KeyringLocked
from agent.infrastructure.core.settings import KeyHome
from agent.infrastructure.store.secret_stores import SERVICE, WAITING, FileSecretStore, KeyringSecretStore, key_home


class Kept(KeyringBackend):
    """A keyring in memory; `trouble` is raised instead of an answer."""

    priority = 1.0

    def __init__(self, trouble: Exception | None = None) -> None:
        self.entries: dict[tuple[str, str], str] = {}
        self.trouble = trouble

    def get_password(self, service: str, username: str) -> str | None:
        if self.trouble is not None:
            raise self.trouble
        return self.entries.get((service, username))

    def set_password(self, service: str, username: str, password: str) -> None:
        self.entries[service, username] = password

    def delete_password(self, service: str, username: str) -> None:
        del self.entries[service, username]


def test_a_secret_is_kept_under_the_librarys_id() -> None:
    backend = Kept()
    home = KeyringSecretStore(backend)
    home.write("some", b"k" * 32)
    assert home.read("some") == b"k" * 32 and home.read("other") is None
    assert list(backend.entries) == [("AI Popup", "some")]
    home.forget("other")
    home.forget("some")
    assert backend.entries == {}


def test_an_entry_of_somebody_else_is_no_secret() -> None:
    backend = Kept()
    backend.entries["AI Popup", "some"] = "my password"
    assert KeyringSecretStore(backend).read("some") is None


@pytest.mark.parametrize(
    ("trouble", "meaning"),
    [
        (LockedByUser(), KeyringLocked),
        (InitError(), KeyringLocked),
        (PasswordSetError(), KeyringLocked),
        (NoKeyringError(), KeyringAbsent),
        (KeyringError(), KeyringAbsent),
        (FileNotFoundError(), KeyringAbsent),
    ],
)
def test_the_keyrings_trouble_is_named(trouble: Exception, meaning: type[KeyHomeError]) -> None:
    with pytest.raises(meaning):
        KeyringSecretStore(Kept(trouble)).read("some")


def test_a_keyring_that_never_answers_is_locked() -> None:
    answer = threading.Event()

    class Silent(Kept):
        def get_password(self, service: str, username: str) -> str | None:
            answer.wait(10)
            return None

    with pytest.raises(KeyringLocked):
        KeyringSecretStore(Silent(), limit_s=0.01).read("some")
    answer.set()


def test_a_keyring_that_waits_for_its_password_is_told() -> None:
    answer = threading.Event()

    class Asking(Kept):
        def get_password(self, service: str, username: str) -> str | None:
            answer.wait(10)
            return super().get_password(service, username)

    told: list[None] = []

    def asked(_: None) -> None:
        told.append(None)
        answer.set()  # the user enters it

    kept = Asking()
    kept.set_password(SERVICE, "some", "00")
    heard = WAITING.subscribe(asked)
    assert KeyringSecretStore(kept, slow_s=0.01).read("some") == b"\0"
    assert len(told) == 1
    heard()


def test_a_keyring_that_loses_secrets_is_refused() -> None:
    class Losing(Kept):
        def set_password(self, service: str, username: str, password: str) -> None:
            """Says nothing, keeps nothing."""

    with pytest.raises(KeyringAbsent):
        KeyringSecretStore(Losing()).write("some", b"k" * 32)


@pytest.mark.parametrize("backend", [null.Keyring, fail.Keyring, Kept, chainer.ChainerBackend])
def test_the_system_may_offer_only_keyrings_that_encrypt(backend: type[KeyringBackend], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(keyring, "get_keyring", backend)
    monkeypatch.setattr(chainer.ChainerBackend, "backends", [Kept()])
    with pytest.raises(KeyringAbsent):
        KeyringSecretStore().read("some")


def test_of_several_keyrings_the_first_that_encrypts_is_taken(monkeypatch: pytest.MonkeyPatch) -> None:
    trusted = type("Keyring", (Kept,), {"__module__": "keyring.backends.SecretService"})()
    monkeypatch.setattr(keyring, "get_keyring", chainer.ChainerBackend)
    monkeypatch.setattr(chainer.ChainerBackend, "backends", [Kept(), trusted])
    KeyringSecretStore().write("some", b"k" * 32)
    assert trusted.entries


def test_the_setting_chooses_the_home() -> None:
    assert isinstance(key_home(KeyHome.KEYRING, Path("unused")), KeyringSecretStore)
    assert isinstance(key_home(KeyHome.FILE, Path("unused")), FileSecretStore)

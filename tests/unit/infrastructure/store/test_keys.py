"""The library's keys: who opens what, and that no crash and no wiped home loses them."""

import json
import os
from base64 import b64decode
from pathlib import Path

import pytest
from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from agent.domain.errors import (
    KeyFileUnsafe,
    StoreDamaged,
    StoreDiskFull,
    StoreKeyMissing,
    StoreKeyWrong,
    StoreNewer,
    StoreRecoveryCodeWrong,
)
from agent.infrastructure.store import keys as keys_module
from agent.infrastructure.store import recovery_code
from agent.infrastructure.store.keys import KEYS_FILE, LibraryKeys
from agent.infrastructure.store.open_library import open_library
from agent.infrastructure.store.secret_stores import FileSecretStore, Home


class MemoryHome:
    """A home that can be wiped."""

    def __init__(self) -> None:
        self.secrets: dict[str, bytes] = {}

    def read(self, account: str) -> bytes | None:
        return self.secrets.get(account)

    def write(self, account: str, secret: bytes) -> None:
        self.secrets[account] = secret

    def forget(self, account: str) -> None:
        self.secrets.pop(account, None)


@pytest.fixture
def home() -> MemoryHome:
    return MemoryHome()


@pytest.fixture
def keys(tmp_path: Path, home: Home) -> LibraryKeys:
    return LibraryKeys(tmp_path / "library", home)


def change(folder: Path, **fields: object) -> None:
    path = folder / "library" / KEYS_FILE
    path.write_text(json.dumps(json.loads(path.read_text()) | fields))


def test_the_home_opens_what_was_created(keys: LibraryKeys, tmp_path: Path) -> None:
    key, _ = keys.create()
    assert len(key) == 32 and keys.unlock() == key
    content = (tmp_path / "library" / KEYS_FILE).read_bytes()
    assert key not in content and key.hex().encode() not in content


def test_keys_are_never_created_twice(keys: LibraryKeys) -> None:
    keys.create()
    with pytest.raises(ValueError, match="has its keys"):
        keys.create()


def test_a_wiped_home_is_said_and_the_code_fills_it_again(keys: LibraryKeys, home: MemoryHome) -> None:
    key, code = keys.create()
    before = dict(home.secrets)
    home.secrets.clear()
    with pytest.raises(StoreKeyMissing):
        keys.unlock()
    assert keys.recover(code.lower().replace("-", " ")) == key
    assert keys.unlock() == key
    assert home.secrets == before  # so the keys file of every backup opens as well


def test_the_code_can_be_shown_again(keys: LibraryKeys) -> None:
    key, code = keys.create()
    assert keys.recovery_code(key) == code
    with pytest.raises(StoreKeyWrong):
        keys.recovery_code(bytes(32))


def test_another_librarys_code_opens_nothing(keys: LibraryKeys, home: MemoryHome, tmp_path: Path) -> None:
    keys.create()
    _, foreign = LibraryKeys(tmp_path / "other", home).create()
    with pytest.raises(StoreRecoveryCodeWrong):
        keys.recover(foreign)


@pytest.mark.parametrize("secret", [bytes(32), b"no key at all"])
def test_a_foreign_secret_in_the_home_is_said(keys: LibraryKeys, home: MemoryHome, secret: bytes) -> None:
    keys.create()
    home.secrets = dict.fromkeys(home.secrets, secret)
    with pytest.raises(StoreKeyWrong):
        keys.unlock()


@pytest.mark.parametrize("content", [b"", b"[]", b"{}", b'{"format": 1}', b"\xff\xfe"])
def test_a_damaged_keys_file_is_named_as_such(keys: LibraryKeys, tmp_path: Path, content: bytes) -> None:
    keys.create()
    (tmp_path / "library" / KEYS_FILE).write_bytes(content)
    with pytest.raises(StoreDamaged):
        keys.unlock()


def test_parts_that_are_not_encoded_are_damage_and_a_higher_format_is_newer(keys: LibraryKeys, tmp_path: Path) -> None:
    keys.create()
    change(tmp_path, by_home="***")
    with pytest.raises(StoreDamaged):
        keys.unlock()
    change(tmp_path, by_home="", format=2)
    with pytest.raises(StoreNewer):
        keys.unlock()


def test_moving_to_another_home_is_safe_at_every_step(keys: LibraryKeys, home: MemoryHome, tmp_path: Path) -> None:
    key, _ = keys.create()
    target = MemoryHome()

    def crash() -> None:
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        keys.move(target, switch=crash)
    # Whichever home the setting names after a crash there, it has the secret.
    assert LibraryKeys(tmp_path / "library", home).unlock() == LibraryKeys(tmp_path / "library", target).unlock() == key
    keys.move(target, switch=lambda: None)
    assert home.secrets == {} and keys.unlock() == key


# -- opening -------------------------------------------------------------------------------------------------------------------------


def test_a_library_is_made_once_and_then_opened(tmp_path: Path, home: MemoryHome) -> None:
    open_library(tmp_path / "library", home).close()
    before = (tmp_path / "library" / KEYS_FILE).read_bytes()
    open_library(tmp_path / "library", home).close()
    assert (tmp_path / "library" / KEYS_FILE).read_bytes() == before
    if os.name == "posix":
        assert (tmp_path / "library").stat().st_mode & 0o777 == 0o700
        assert (tmp_path / "library" / KEYS_FILE).stat().st_mode & 0o777 == 0o600


def test_a_library_without_its_key_is_never_replaced_by_an_empty_one(tmp_path: Path, home: MemoryHome) -> None:
    open_library(tmp_path / "library", home).close()
    before = (tmp_path / "library" / "library.db").read_bytes()
    home.secrets.clear()
    with pytest.raises(StoreKeyMissing):
        open_library(tmp_path / "library", home)
    (tmp_path / "library" / KEYS_FILE).unlink()
    with pytest.raises(StoreDamaged):
        open_library(tmp_path / "library", home)
    assert (tmp_path / "library" / "library.db").read_bytes() == before and home.secrets == {}


def test_a_lost_database_with_backups_is_never_replaced_by_an_empty_one(tmp_path: Path, home: MemoryHome) -> None:
    open_library(tmp_path / "library", home).close()
    (tmp_path / "library" / "backups" / "2026-01-01T000000Z").mkdir(parents=True)
    (tmp_path / "library" / "library.db").unlink()
    with pytest.raises(StoreDamaged):
        open_library(tmp_path / "library", home)


def test_a_first_start_that_ends_before_the_keys_are_written_can_begin_again(
    tmp_path: Path, home: MemoryHome, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(path: Path, content: bytes) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(keys_module, "write_private", full)
    with pytest.raises(StoreDiskFull):
        open_library(tmp_path / "library", home)
    monkeypatch.undo()
    open_library(tmp_path / "library", home).close()


def test_a_first_start_that_ends_before_the_database_is_made_goes_on(tmp_path: Path, home: MemoryHome) -> None:
    LibraryKeys(tmp_path / "library", home).create()
    open_library(tmp_path / "library", home).close()
    (tmp_path / "library" / "library.db").write_bytes(b"")  # made, and nothing written yet
    open_library(tmp_path / "library", home).close()


# -- the recovery code ---------------------------------------------------------------------------------------------------------------


def test_a_code_reads_as_people_write_it() -> None:
    secret = recovery_code.new_secret()
    code = recovery_code.write(secret)
    assert len(code) == 35 and code.count("-") == 5
    sloppy = code.lower().replace("-", " ").replace("0", "o").replace("1", "l")
    assert recovery_code.read(code) == recovery_code.read(sloppy) == secret


def test_every_typing_error_in_one_place_is_noticed() -> None:
    code = recovery_code.write(b"\x5a" * recovery_code.SECRET_BYTES)
    for position in (0, 7, 20, 34):
        wrong = code[:position] + ("7" if code[position] != "7" else "8") + code[position + 1 :]
        with pytest.raises(StoreRecoveryCodeWrong):
            recovery_code.read(wrong)


def test_a_code_is_read_as_other_keyboards_and_word_processors_write_it() -> None:
    secret = recovery_code.new_secret()
    code = recovery_code.write(secret)
    wide = "".join(chr(ord(letter) + 0xFEE0) for letter in code)  # with a full-width dash, too
    for typed in (wide, code.replace("-", " – "), code.replace("-", "\u3000")):
        assert recovery_code.read(typed) == secret


@pytest.mark.parametrize("code", ["", "ABCDE", "U" * 30, "é" * 30, "0" * 31])
def test_what_is_no_code_is_refused(code: str) -> None:
    with pytest.raises(StoreRecoveryCodeWrong):
        recovery_code.read(code)


# -- the key file --------------------------------------------------------------------------------------------------------------------


def test_a_key_file_is_for_its_owner_only(tmp_path: Path) -> None:
    home = FileSecretStore(tmp_path / "keys")
    assert home.read("some") is None
    home.forget("some")
    home.write("some", b"k" * 32)
    assert home.read("some") == b"k" * 32 and home.read("other") is None
    if os.name == "posix":
        assert (tmp_path / "keys").stat().st_mode & 0o777 == 0o700
        assert (tmp_path / "keys" / "some.key").stat().st_mode & 0o777 == 0o600
    home.forget("some")
    assert home.read("some") is None


@pytest.mark.skipif(os.name != "posix", reason="Windows keeps others out of the profile by itself")
@pytest.mark.parametrize("name", ["", "some.key"])
def test_a_key_that_others_can_read_is_refused(tmp_path: Path, name: str) -> None:
    home = FileSecretStore(tmp_path / "keys")
    home.write("some", b"k" * 32)
    (tmp_path / "keys" / name).chmod(0o755)
    with pytest.raises(KeyFileUnsafe) as refused:
        home.read("some")
    assert refused.value.params == {"path": str(tmp_path / "keys" / name)}


def test_a_key_file_with_something_else_in_it_holds_no_key(tmp_path: Path) -> None:
    home = FileSecretStore(tmp_path / "keys")
    home.write("some", b"k" * 32)
    (tmp_path / "keys" / "some.key").write_text("not a key")
    assert home.read("some") is None


def sealed(folder: Path) -> tuple[str, dict[str, bytes]]:
    """The library's id and the parts of its keys file."""
    content = json.loads((folder / "library" / KEYS_FILE).read_text())
    return content["library"], {name: b64decode(content[name]) for name in ("by_home", "by_code", "inside")}


def test_no_two_keys_are_wrapped_with_one_nonce(tmp_path: Path, home: MemoryHome) -> None:
    nonces = set[bytes]()
    for number in range(5):
        LibraryKeys(tmp_path / str(number) / "library", home).create()
        nonces |= {part[:12] for part in sealed(tmp_path / str(number))[1].values()}
    assert len(nonces) == 15


@pytest.mark.parametrize("bound_to", ["", "1", "1 {library}", "1 {library} by_code", "1 other by_home", "2 {library} by_home"])
def test_a_wrapped_key_is_bound_to_its_library_its_purpose_and_its_format(
    keys: LibraryKeys, home: MemoryHome, tmp_path: Path, bound_to: str
) -> None:
    key, _ = keys.create()
    library, parts = sealed(tmp_path)
    cipher, nonce, wrapped = AESGCM(home.secrets[library]), parts["by_home"][:12], parts["by_home"][12:]
    with pytest.raises(InvalidTag):
        cipher.decrypt(nonce, wrapped, bound_to.format(library=library).encode())
    assert cipher.decrypt(nonce, wrapped, f"1 {library} by_home".encode()) == key

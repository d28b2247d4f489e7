"""The library's keys: a random data key, wrapped once by the key home's secret and once by the recovery code.

`library.keys` beside the database holds, each part encrypted with AES-256-GCM:

- `by_home`: the data key, encrypted with the secret in the key home;
- `by_code`: the data key, encrypted with the recovery code;
- `inside`: that secret and that code, encrypted with the data key, to show the code again and to restore a wiped key home.

The file is written once and never changed: no crash can leave it half written, and the copy in every backup stays valid.
"""

import json
import secrets
from base64 import b64decode, b64encode
from collections.abc import Callable
from dataclasses import asdict, dataclass
from pathlib import Path

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF

from agent.domain.errors import StoreDamaged, StoreKeyMissing, StoreKeyWrong, StoreNewer, StoreRecoveryCodeWrong
from agent.infrastructure.core.files import store_error, write_private
from agent.infrastructure.core.paths import make_private
from agent.infrastructure.store import recovery_code
from agent.infrastructure.store.secret_stores import Home

KEYS_FILE = "library.keys"
KEY_BYTES = 32
_FORMAT = 1
_NONCE_BYTES = 12


@dataclass(frozen=True, slots=True)
class _KeysFile:
    """The content of `library.keys`."""

    format: int
    library: str  # random id: the account in the key home
    by_home: str
    by_code: str
    inside: str


class LibraryKeys:
    """The keys of the library in `folder`. Only the key home can be slow: it may ask the user."""

    def __init__(self, folder: Path, home: Home) -> None:
        self._folder = folder
        self._path = folder / KEYS_FILE
        self._home = home

    @property
    def exist(self) -> bool:
        return self._path.exists()

    @property
    def library(self) -> str:
        """The library's random id. Raises StoreError."""
        return self._read().library

    def create(self) -> tuple[bytes, str]:
        """New keys for a new library: (data key, recovery code). Raises KeyHomeError, StoreUnwritable, StoreDiskFull."""
        if self.exist:
            raise ValueError("the library has its keys")
        library, key, secret, code = (
            secrets.token_hex(16),
            secrets.token_bytes(KEY_BYTES),
            secrets.token_bytes(KEY_BYTES),
            recovery_code.new_secret(),
        )
        content = _KeysFile(
            _FORMAT,
            library,
            by_home=_encrypt(secret, key, library, "by_home"),
            by_code=_encrypt(_derive(code, library, "by_code"), key, library, "by_code"),
            inside=_encrypt(_derive(key, library, "inside"), secret + code, library, "inside"),
        )
        make_private(self._folder)
        # The home first: a crash in between leaves an unused secret, not a key file without its secret.
        self._home.write(library, secret)
        try:
            write_private(self._path, json.dumps(asdict(content), indent=1).encode())
        except OSError as error:
            raise store_error(error) from error
        return key, recovery_code.write(code)

    def unlock(self) -> bytes:
        """The data key. Raises StoreKeyMissing, StoreKeyWrong (the home holds another library's secret), StoreDamaged, KeyHomeError."""
        content = self._read()
        secret = self._home.read(content.library)
        if secret is None:
            raise StoreKeyMissing
        try:
            return _decrypt(secret, content.by_home, content.library, "by_home")
        except (InvalidTag, ValueError) as error:  # ValueError: wrong key length
            raise StoreKeyWrong from error

    def recover(self, code: str) -> bytes:
        """The data key from the recovery code; restores the home's secret. Raises StoreRecoveryCodeWrong, StoreDamaged, KeyHomeError."""
        content = self._read()
        try:
            key = _decrypt(_derive(recovery_code.read(code), content.library, "by_code"), content.by_code, content.library, "by_code")
        except InvalidTag as error:
            raise StoreRecoveryCodeWrong from error
        self._home.write(content.library, self._inside(content, key)[0])
        return key

    def recovery_code(self, key: bytes) -> str:
        """The recovery code, to show it again. Raises StoreKeyWrong, StoreDamaged."""
        return recovery_code.write(self._inside(self._read(), key)[1])

    def move(self, to: Home, *, switch: Callable[[], None]) -> None:
        """Move the secret to another home. `switch` saves the new choice to the settings; only then does the old home delete the secret,
        so that a crash at any moment leaves the chosen home with the secret. Raises KeyHomeError, StoreError.
        """
        content = self._read()
        secret, _ = self._inside(content, self.unlock())
        to.write(content.library, secret)
        switch()
        self._home.forget(content.library)
        self._home = to

    def forget(self) -> None:
        """Delete the secret from the home: afterwards only the recovery code opens the library. Raises StoreDamaged, KeyHomeError."""
        self._home.forget(self._read().library)

    def _read(self) -> _KeysFile:
        try:
            found = _KeysFile(**json.loads(self._path.read_bytes()))
            for part in (found.by_home, found.by_code, found.inside):
                b64decode(part, validate=True)
        except FileNotFoundError as error:
            raise StoreDamaged from error
        except OSError as error:
            raise store_error(error) from error
        except (ValueError, TypeError) as error:
            raise StoreDamaged from error
        if found.format != _FORMAT:
            raise StoreNewer
        return found

    def _inside(self, content: _KeysFile, key: bytes) -> tuple[bytes, bytes]:
        """(the home's secret, the recovery code's)"""
        try:
            both = _decrypt(_derive(key, content.library, "inside"), content.inside, content.library, "inside")
        except InvalidTag as error:
            raise StoreKeyWrong from error
        return both[:KEY_BYTES], both[KEY_BYTES:]


def _derive(secret: bytes, library: str, purpose: str) -> bytes:
    # Both secrets are random and long: they can't be guessed, so slow key derivation is unnecessary.
    return HKDF(SHA256(), KEY_BYTES, salt=library.encode(), info=purpose.encode()).derive(secret)


def _encrypt(key: bytes, plain: bytes, library: str, purpose: str) -> str:
    nonce = secrets.token_bytes(_NONCE_BYTES)
    return b64encode(nonce + AESGCM(key).encrypt(nonce, plain, _bound_to(library, purpose))).decode()


def _decrypt(key: bytes, sealed: str, library: str, purpose: str) -> bytes:
    raw = b64decode(sealed)
    return AESGCM(key).decrypt(raw[:_NONCE_BYTES], raw[_NONCE_BYTES:], _bound_to(library, purpose))


def _bound_to(library: str, purpose: str) -> bytes:
    return f"{_FORMAT} {library} {purpose}".encode()

"""Encryption of single values in a team server's database: a stolen dump then shows no name, no picture and no embedding.

SQLCipher encrypts its whole file, so its values are stored as they are. Names are encrypted deterministically (AES-SIV), so that the
database still finds one and keeps it unique; all else is encrypted with a random nonce (AES-GCM). The purpose of a value, which its
column names, is authenticated with it: a value that was moved to another kind of column does not open.
"""

import secrets
from base64 import b64decode, b64encode
from typing import TypeVar, cast

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM, AESSIV
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF
from sqlalchemy import Dialect

from agent.domain.errors import StoreDamaged

C = TypeVar("C")

_NONCE_BYTES = 12
_NAMES_BYTES, FACES_BYTES = 64, 32
_STEP = 32  # names are padded to a multiple, so that their length says little
_ATTRIBUTE = "seals"  # of a SQLAlchemy dialect, which belongs to one engine and reaches each column type


class ColumnCipher:
    """Two keys of a library: one for faces, which workers have too, and one for all else."""

    def __init__(self, faces: bytes, rest: bytes | None) -> None:
        """Without `rest` only faces are opened: the rest is out of a worker's reach."""
        self.faces = faces
        self._faces = AESGCM(faces)
        self._texts = AESGCM(rest[:32]) if rest is not None else None
        self._names = AESSIV(rest[32:]) if rest is not None else None

    @classmethod
    def of(cls, key: bytes) -> "ColumnCipher":
        """Derive both from a library's key."""
        return cls(_derived(key, FACES_BYTES, b"sealed faces"), _derived(key, 32 + _NAMES_BYTES, b"sealed texts"))

    @property
    def mark(self) -> str:
        """Return what tells the key for faces from another one, and reveals nothing of it."""
        return _derived(self.faces, 16, b"mark").hex()

    def face(self, value: bytes, purpose: str) -> bytes:
        nonce = secrets.token_bytes(_NONCE_BYTES)
        return nonce + self._faces.encrypt(nonce, value, purpose.encode())

    def open_face(self, sealed: bytes, purpose: str) -> bytes:
        """Raises StoreDamaged."""
        return _opened(self._faces, sealed, purpose)

    def text(self, value: str, purpose: str) -> str:
        """The empty text stays: that there is none is no secret."""
        if not value:
            return value
        nonce = secrets.token_bytes(_NONCE_BYTES)
        sealed = _held(self._texts).encrypt(nonce, value.encode("utf-8", "surrogatepass"), purpose.encode())
        return b64encode(nonce + sealed).decode()

    def open_text(self, sealed: str, purpose: str) -> str:
        """Raises StoreDamaged."""
        if not sealed:
            return sealed
        return _opened(_held(self._texts), _bytes(sealed), purpose).decode("utf-8", "surrogatepass")

    def name(self, value: str, purpose: str) -> str:
        """Return the same for the same name."""
        plain = value.encode("utf-8", "surrogatepass")
        padded = plain.ljust(-(-max(len(plain), 1) // _STEP) * _STEP, b"\0")  # it refuses empty values
        return b64encode(_held(self._names).encrypt(padded, [purpose.encode()])).decode()

    def open_name(self, sealed: str, purpose: str) -> str:
        """Raises StoreDamaged."""
        try:
            plain = _held(self._names).decrypt(_bytes(sealed), [purpose.encode()])
        except (InvalidTag, ValueError) as error:
            raise StoreDamaged from error
        return plain.rstrip(b"\0").decode("utf-8", "surrogatepass")


def seals_of(dialect: Dialect) -> ColumnCipher | None:
    """Return those of an engine's dialect; None if its database is encrypted as a whole."""
    return cast("ColumnCipher | None", getattr(dialect, _ATTRIBUTE, None))


def bind_cipher(dialect: Dialect, seals: ColumnCipher) -> None:
    setattr(dialect, _ATTRIBUTE, seals)


def _opened(cipher: AESGCM, sealed: bytes, purpose: str) -> bytes:
    try:
        return cipher.decrypt(sealed[:_NONCE_BYTES], sealed[_NONCE_BYTES:], purpose.encode())
    except (InvalidTag, ValueError) as error:
        raise StoreDamaged from error


def _bytes(sealed: str) -> bytes:
    try:
        return b64decode(sealed, validate=True)
    except ValueError as error:
        raise StoreDamaged from error


def _held(cipher: C | None) -> C:
    if cipher is None:
        raise RuntimeError("this process has no key for texts")
    return cipher


def _derived(key: bytes, length: int, purpose: bytes) -> bytes:
    return HKDF(SHA256(), length, salt=None, info=purpose).derive(key)

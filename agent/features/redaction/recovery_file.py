"""A copy's covered content in an encrypted file beside it; docs/decisions/0016 describes its format and the reasons.

    "AIPOPUP" 0x01 | length of the header, 4 bytes | header, JSON | sealed pieces

The header says how the key is derived: from the library's key, or from a passphrase by scrypt; a salt gives each file its own key,
and a check value distinguishes a wrong key from a changed file. Each piece is sealed with AES-256-GCM, with its number and a last-piece
flag in its nonce, and the header as associated data: any change, truncation, reordering or exchange of pieces is detected.
"""

import hashlib
import json
import os
import secrets
import struct
import threading
from base64 import b64decode, b64encode
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from hmac import compare_digest
from pathlib import Path
from typing import Any, BinaryIO, Final
from unicodedata import normalize

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF
from cryptography.hazmat.primitives.kdf.scrypt import Scrypt

from agent.domain.errors import ImageChanged, ImageUnreadable, KeptDamaged, NotRestorable, RestoreKeyWrong
from agent.inference.engine.renderer import KeptRegion
from agent.infrastructure.core.files import copy_errors, create_file, open_regular

_MAGIC: Final = b"AIPOPUP\x01"
_LENGTH: Final = struct.Struct(">I")
_NONCE: Final = struct.Struct(">7xIB")  # the number of a piece, and 1 for the last one; the key is never used for another file
_TAG: Final = 16
_PIECE: Final = 1 << 20
_KEY: Final = 32
_SALT: Final = 16
_MOST_HEADER: Final = 4096
_MOST_FACTS: Final = 1 << 24
# 128 MB and about half a second per guess. A file can't demand more.
_COST: Final = {"n": 1 << 17, "r": 8, "p": 1}
_DERIVED: Final = b"ai-popup kept "


@dataclass(frozen=True, slots=True)
class Recovery:
    """The content of a recovery file."""

    copy_sha256: str  # of its copy
    sha256: str  # of the original
    name: str  # the original's, without its folder
    regions: tuple[KeptRegion, ...] = ()
    whole: bool = False  # the whole file is kept


@dataclass(frozen=True, slots=True)
class _Header:
    raw: bytes
    key: str  # "library" or "passphrase"
    slow: bytes  # the salt for scrypt: shared by a batch, because scrypt takes half a second
    salt: bytes  # of this file
    check: bytes


class RecoveryFileStore:
    """Keeps covered content, encrypted. Every call blocks; without a passphrase the library's key is used."""

    def __init__(self, library_key: Callable[[], bytes]) -> None:
        """`library_key` returns the key of this computer's library, or one derived from it."""
        self._library_key = library_key
        self._turn = threading.Lock()
        self._stretched: tuple[str, bytes, bytes] | None = None  # the last passphrase, its salt, and scrypt's result

    def keep(self, aside: str, kept: Recovery, original: str | None, passphrase: str | None) -> None:
        """Write a new recovery file: the regions, or the whole file `original`. Raises RedactionError, ImageError."""
        source = "library" if passphrase is None else "passphrase"
        slow = self._slow_salt(passphrase)
        salt = secrets.token_bytes(_SALT)
        secret = self._secret(passphrase, slow, salt)
        facts = {"copy": kept.copy_sha256, "original": kept.sha256, "name": kept.name}
        regions = [{"x": each.x, "y": each.y, "bytes": len(each.png)} for each in kept.regions]
        head = json.dumps(facts | {"whole": original is not None, "regions": regions}, ensure_ascii=False)
        start = head.encode("utf-8", "surrogatepass")
        header = json.dumps(
            {"key": source, "scrypt": _text(slow), "salt": _text(salt), "check": _text(_derived(secret, b"check"))}
        ).encode()
        with copy_errors(), create_file(aside) as file:
            file.write(_MAGIC + _LENGTH.pack(len(header)) + header)
            plain = _plain(start, kept, original)
            for sealed in _sealed(plain, _derived(secret, b"data"), header):
                file.write(sealed)
            file.flush()
            os.fsync(file.fileno())

    def opened(self, path: str, passphrase: str | None) -> Recovery:
        """Read a recovery file. Raises NotRestorable, RestoreKeyWrong, KeptDamaged, ImageUnreadable."""
        with self._unsealed(path, passphrase) as (facts, rest):
            regions = []
            for each in facts["regions"]:
                png = rest.exactly(int(each["bytes"]))
                regions.append(KeptRegion(int(each["x"]), int(each["y"]), png))
            if not facts["whole"]:
                rest.end()
            return Recovery(str(facts["copy"]), str(facts["original"]), str(facts["name"]), tuple(regions), bool(facts["whole"]))

    def original(self, path: str, passphrase: str | None, output: str) -> None:
        """Write the kept original. On any error there is no output. Raises as above, and CopyUnwritable, CopyDiskFull."""
        with self._unsealed(path, passphrase) as (facts, rest):
            if not facts["whole"]:
                raise NotRestorable
            digest = hashlib.sha256()
            with copy_errors():
                made = create_file(output)
            try:
                with made as file:
                    for piece in rest.all():
                        digest.update(piece)
                        with copy_errors():
                            file.write(piece)
                    with copy_errors():
                        file.flush()
                if digest.hexdigest() != facts["original"]:
                    raise KeptDamaged
            except BaseException:
                Path(output).unlink(missing_ok=True)
                raise

    @contextmanager
    def _unsealed(self, path: str, passphrase: str | None) -> Iterator[tuple[dict[str, Any], "_Reader"]]:
        try:
            file = open_regular(Path(path))
        except (FileNotFoundError, NotADirectoryError, ValueError) as error:
            raise NotRestorable from error
        except OSError as error:
            raise ImageUnreadable from error
        with file:
            try:
                header = _read_header(file)
                if (header.key == "passphrase") != (passphrase is not None):
                    raise RestoreKeyWrong(**{"locked" if passphrase is None else "unlocked": 1})
                secret = self._secret(passphrase, header.slow, header.salt)
                if not compare_digest(_derived(secret, b"check"), header.check):
                    raise RestoreKeyWrong() if passphrase is None else RestoreKeyWrong(wrong=1)
                rest = _Reader(_opened(file, _derived(secret, b"data"), header.raw))
                (length,) = _LENGTH.unpack(rest.exactly(_LENGTH.size))
                if length > _MOST_FACTS:
                    raise KeptDamaged
                yield json.loads(rest.exactly(length).decode("utf-8", "surrogatepass")), rest
            except (InvalidTag, ValueError, KeyError, TypeError, OSError, struct.error) as error:
                raise KeptDamaged from error

    def _secret(self, passphrase: str | None, slow: bytes, salt: bytes) -> bytes:
        first = self._library_key() if passphrase is None else self._stretch(passphrase, slow)
        return HKDF(SHA256(), _KEY, salt=salt, info=_DERIVED + b"file").derive(first)

    def _slow_salt(self, passphrase: str | None) -> bytes:
        """Return the last salt if it was for the same passphrase."""
        with self._turn:
            if passphrase is None:
                return b""
            known = self._stretched
            return known[1] if known is not None and known[0] == passphrase else secrets.token_bytes(_SALT)

    def _stretch(self, passphrase: str, slow: bytes) -> bytes:
        with self._turn:
            if self._stretched is None or self._stretched[:2] != (passphrase, slow):
                # The same characters are the same passphrase, however they were typed.
                letters = normalize("NFC", passphrase).encode("utf-8", "surrogatepass")
                self._stretched = passphrase, slow, Scrypt(salt=slow, length=_KEY, **_COST).derive(letters)
            return self._stretched[2]


class _Reader:
    """Reads bytes from pieces of any length."""

    def __init__(self, pieces: Iterator[bytes]) -> None:
        self._pieces = pieces
        self._rest = b""

    def exactly(self, count: int) -> bytes:
        """Return exactly that many bytes. Raises KeptDamaged if there are fewer."""
        if count < 0:
            raise KeptDamaged
        parts, missing = [self._rest], count - len(self._rest)
        while missing > 0:
            piece = next(self._pieces, b"")
            if not piece:
                raise KeptDamaged
            parts.append(piece)
            missing -= len(piece)
        whole = b"".join(parts)
        self._rest = whole[count:]
        return whole[:count]

    def all(self) -> Iterator[bytes]:
        yield self._rest
        self._rest = b""
        yield from self._pieces

    def end(self) -> None:
        """Raise KeptDamaged if anything is left."""
        if any(self.all()):
            raise KeptDamaged


def _plain(start: bytes, kept: Recovery, original: str | None) -> Iterator[bytes]:
    """Yield the plain content. Raises ImageUnreadable, or ImageChanged if the original is not the covered one."""
    yield _LENGTH.pack(len(start)) + start
    if original is None:
        yield from (each.png for each in kept.regions)
        return
    digest = hashlib.sha256()
    try:
        with Path(original).open("rb") as file:
            while piece := file.read(_PIECE):
                digest.update(piece)
                yield piece
    except OSError as error:
        raise ImageUnreadable from error
    if digest.hexdigest() != kept.sha256:
        raise ImageChanged


def _sealed(plain: Iterable[bytes], key: bytes, bound: bytes) -> Iterator[bytes]:
    """Yield sealed pieces of one length, except the last."""
    cipher, number, rest = AESGCM(key), 0, bytearray()
    for part in plain:
        rest += part
        while len(rest) > _PIECE:
            yield cipher.encrypt(_NONCE.pack(number, 0), bytes(rest[:_PIECE]), bound)
            del rest[:_PIECE]
            number += 1
    yield cipher.encrypt(_NONCE.pack(number, 1), bytes(rest), bound)


def _opened(file: BinaryIO, key: bytes, bound: bytes) -> Iterator[bytes]:
    """Yield opened pieces. Raises InvalidTag for any change."""
    cipher, number = AESGCM(key), 0
    piece = file.read(_PIECE + _TAG)
    while True:
        following = file.read(_PIECE + _TAG)
        yield cipher.decrypt(_NONCE.pack(number, 0 if following else 1), piece, bound)
        if not following:
            return
        piece, number = following, number + 1


def _read_header(file: BinaryIO) -> _Header:
    """Read the header. Raises NotRestorable for another kind of file, KeptDamaged, ValueError, KeyError."""
    if file.read(len(_MAGIC)) != _MAGIC:
        raise NotRestorable
    (length,) = _LENGTH.unpack(file.read(_LENGTH.size))
    if length > _MOST_HEADER:
        raise KeptDamaged
    raw = file.read(length)
    try:
        said = json.loads(raw)
    except RecursionError as error:
        raise KeptDamaged from error
    if said["key"] not in ("library", "passphrase"):
        raise KeptDamaged
    return _Header(
        raw,
        said["key"],
        b64decode(said["scrypt"], validate=True),
        b64decode(said["salt"], validate=True),
        b64decode(said["check"], validate=True),
    )


def _derived(secret: bytes, purpose: bytes) -> bytes:
    return HKDF(SHA256(), _KEY, salt=None, info=_DERIVED + purpose).derive(secret)


def _text(raw: bytes) -> str:
    return b64encode(raw).decode()

"""The recovery code: 136 random bits and a checksum as six groups of unambiguous letters and digits."""

import hashlib
import secrets
import unicodedata

from agent.domain.errors import StoreRecoveryCodeWrong

SECRET_BYTES = 17
_ALPHABET = "0123456789ABCDEFGHJKMNPQRSTVWXYZ"  # Crockford's base 32
_READ_AS = str.maketrans("OIL", "011")
_LENGTH = 30
_CHECK_BITS = _LENGTH * 5 - SECRET_BYTES * 8  # 14: one typing error in 16,000 passes here, none passes the decryption
_GROUP = 5


def new_secret() -> bytes:
    return secrets.token_bytes(SECRET_BYTES)


def write(secret: bytes) -> str:
    """`secret` as the user sees it: XXXXX-XXXXX-XXXXX-XXXXX-XXXXX-XXXXX."""
    number = int.from_bytes(secret, "big") << _CHECK_BITS | _checksum(secret)
    letters = "".join(_ALPHABET[number >> shift & 31] for shift in range((_LENGTH - 1) * 5, -1, -5))
    return "-".join(letters[start : start + _GROUP] for start in range(0, _LENGTH, _GROUP))


def read(code: str) -> bytes:
    """The secret of a typed code, in any case and width, with or without dashes of any kind. Raises StoreRecoveryCodeWrong."""
    plain = unicodedata.normalize("NFKC", code).upper()  # full-width letters, as Chinese and Japanese keyboards type them
    letters = "".join(filter(str.isalnum, plain)).translate(_READ_AS)
    if len(letters) != _LENGTH or not set(letters) <= set(_ALPHABET):
        raise StoreRecoveryCodeWrong
    number = 0
    for letter in letters:
        number = number << 5 | _ALPHABET.index(letter)
    secret = (number >> _CHECK_BITS).to_bytes(SECRET_BYTES, "big")
    if number & (1 << _CHECK_BITS) - 1 != _checksum(secret):
        raise StoreRecoveryCodeWrong
    return secret


def _checksum(secret: bytes) -> int:
    return int.from_bytes(hashlib.sha256(secret).digest()[:2], "big") >> 16 - _CHECK_BITS

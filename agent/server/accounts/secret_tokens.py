"""Secrets of 256 random bits, of which the database holds only the SHA-256: they are too long to be guessed from it."""

import hashlib
import secrets


def new_secret() -> str:
    """256 random bits, as 43 characters that fit in an address."""
    return secrets.token_urlsafe(32)


def new_id() -> str:
    """A random id, as hexadecimal digits."""
    return secrets.token_hex(16)


def sha256_of(secret: str) -> str:
    """What is kept of a secret."""
    return hashlib.sha256(secret.encode("utf-8", "surrogatepass")).hexdigest()

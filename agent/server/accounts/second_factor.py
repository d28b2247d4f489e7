"""The second factor: time-based codes of an authenticator app (RFC 6238), and recovery codes for a lost phone."""

import base64
import hmac
import os
import secrets
import unicodedata
from datetime import datetime
from typing import Final

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from pyotp import TOTP, random_base32

ISSUER: Final = "AI Popup"
RECOVERY_CODES: Final = 10
_STEP_S: Final = 30
_DRIFT: Final = 1  # steps that the phone's clock may be wrong by
_NONCE: Final = 12


class SecondFactor:
    """Secrets are stored encrypted: a stolen dump of the database makes no codes."""

    def __init__(self, key: bytes) -> None:
        self._cipher = AESGCM(key)

    def new_secret(self, member_id: str) -> tuple[str, bytes]:
        """A secret in Base32, and the form in which it is stored."""
        secret, nonce = random_base32(), os.urandom(_NONCE)
        return secret, nonce + self._cipher.encrypt(nonce, secret.encode(), member_id.encode())

    def uri(self, secret: str, name: str) -> str:
        """What an authenticator app reads as a QR code."""
        return TOTP(secret).provisioning_uri(name=name, issuer_name=ISSUER)

    def step(self, stored: bytes, member_id: str, code: str, now: datetime, last: int | None) -> int | None:
        """The step that the code belongs to; None if it belongs to none around now, or one that is not after `last`."""
        try:
            secret = self._cipher.decrypt(stored[:_NONCE], stored[_NONCE:], member_id.encode()).decode()
        except InvalidTag:  # of another library, or another member
            return None
        totp, middle = TOTP(secret), int(now.timestamp()) // _STEP_S
        found = None
        for step in range(middle - _DRIFT, middle + _DRIFT + 1):
            right = hmac.compare_digest(totp.at(step * _STEP_S).encode(), compact(code).encode("utf-8", "surrogatepass"))
            if right and step > (last if last is not None else -1):
                found = step
        return found


def compact(code: str) -> str:
    """A code without the spaces and dashes that make it readable, in any case and width: Chinese and Japanese keyboards type full-width."""
    return "".join(filter(str.isalnum, unicodedata.normalize("NFKC", code))).upper()


def new_recovery_codes() -> tuple[str, ...]:
    """Of 80 random bits each, readable in groups."""
    return tuple("-".join(word[at : at + 4] for at in range(0, 16, 4)) for word in (_word() for _ in range(RECOVERY_CODES)))


def _word() -> str:
    return base64.b32encode(secrets.token_bytes(10)).decode()

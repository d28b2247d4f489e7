"""One sign-in at a provider: its secrets are derived from its state, so that no process has to keep them."""

import hmac
from base64 import urlsafe_b64encode
from dataclasses import dataclass
from typing import Final

REDIRECT: Final = "/provider"
"""the path that the provider sends browsers back to"""
LOGOUT: Final = "/api/account/provider/backchannel-logout"
"""the path at which the provider says that a session ended"""


@dataclass(frozen=True, slots=True)
class Request:
    """`redirect` is the whole address that is registered at the provider."""

    state: str
    nonce: str
    verifier: str
    redirect: str

    @classmethod
    def of(cls, key: bytes, state: str, origin: str) -> "Request":
        """`key` is the server's own."""

        def derived(purpose: str) -> str:
            return urlsafe_b64encode(hmac.digest(key, f"{purpose} {state}".encode(), "sha256")).decode().rstrip("=")

        return cls(state, derived("nonce"), derived("verifier"), f"{origin}{REDIRECT}")

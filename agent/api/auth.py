"""Who may speak to the API: the bearer of the token, or a browser that exchanged a one-time code for a cookie."""

import secrets
from collections.abc import Callable

CODE_LIFETIME_S = 60.0
MOST_CODES = 32
MOST_SESSIONS = 256
COOKIE = "ai_popup_session"


class Auth:
    """Token, codes and sessions live in memory and end with the agent. `monotonic` returns seconds."""

    def __init__(self, monotonic: Callable[[], float], token: str | None = None) -> None:
        self.token = token or secrets.token_urlsafe(32)
        self._now = monotonic
        self._codes: dict[str, float] = {}  # code -> when it expires
        self._sessions: dict[str, None] = {}  # a dict keeps the order: the oldest goes first

    def bearer(self, header: str | None) -> bool:
        """Whether an Authorization header holds the token; compared in constant time."""
        return secrets.compare_digest((header or "").encode(), f"Bearer {self.token}".encode())

    def session(self, cookie: str | None) -> bool:
        return cookie is not None and cookie in self._sessions

    def new_code(self) -> str:
        """A code that opens one session within a minute."""
        self._codes = {code: expires for code, expires in self._codes.items() if expires > self._now()}
        while len(self._codes) >= MOST_CODES:
            del self._codes[next(iter(self._codes))]
        code = secrets.token_urlsafe(24)
        self._codes[code] = self._now() + CODE_LIFETIME_S
        return code

    def exchange(self, code: str) -> str | None:
        """The cookie for a code; None if it was used, is too old, or never was."""
        expires = self._codes.pop(code, None)
        if expires is None or expires <= self._now():
            return None
        while len(self._sessions) >= MOST_SESSIONS:
            del self._sessions[next(iter(self._sessions))]
        session = secrets.token_urlsafe(32)
        self._sessions[session] = None
        return session

"""Access to the API: by the token, or by the session of a page that exchanged a one-time code."""

import asyncio
import secrets
from collections.abc import Callable
from dataclasses import dataclass, field

CODE_LIFETIME_S = 60.0
MOST_CODES = 32
MOST_SESSIONS = 256
IDLE_S = 3 * 24 * 3600.0
LONGEST_S = 30 * 24 * 3600.0
SCHEME = "Session "


def _secret() -> str:
    return secrets.token_urlsafe(32)


@dataclass
class BrowserSession:
    """A page's calls carry `key` in a header. Requests that a browser makes by itself, such as for pictures, can't: their address carries
    `ticket`, and the browser sends `cookie`; neither works without the other, or elsewhere. `began` and `seen` use the clock of `Auth`.
    """

    number: int
    began: float
    browser: str  # its name
    own: bool  # a window of the program
    seen: float = 0.0
    key: str = field(default_factory=_secret)
    ticket: str = field(default_factory=_secret)
    cookie: str = field(default_factory=_secret)
    over: asyncio.Event = field(default_factory=asyncio.Event)

    @property
    def ended(self) -> bool:
        return self.over.is_set()


class Auth:
    """Token, codes and sessions live in memory and end with the agent. `monotonic` returns seconds."""

    def __init__(self, monotonic: Callable[[], float]) -> None:
        self.token = _secret()
        self.now = monotonic
        self._codes: dict[str, tuple[float, bool]] = {}  # code -> expiry, whether for a window of our own
        self._sessions: dict[str, BrowserSession] = {}  # by key; in insertion order: the oldest goes first
        self._number = 0

    def bearer(self, header: str | None) -> bool:
        """Whether an Authorization header holds the token; compared in constant time."""
        return secrets.compare_digest((header or "").encode(), f"Bearer {self.token}".encode())

    def by_header(self, header: str | None) -> BrowserSession | None:
        """The session whose key is in the Authorization header."""
        return self.use(self._sessions.get((header or "").removeprefix(SCHEME))) if (header or "").startswith(SCHEME) else None

    def by_ticket(self, ticket: str | None, cookie: str | None) -> BrowserSession | None:
        """The session to which both ticket and cookie belong."""
        if not ticket or not cookie:
            return None
        found = (each for each in self._sessions.values() if secrets.compare_digest(each.ticket.encode(), ticket.encode()))
        session = next(found, None)
        return self.use(session) if session is not None and secrets.compare_digest(session.cookie.encode(), cookie.encode()) else None

    def use(self, session: BrowserSession | None) -> BrowserSession | None:
        """Mark the session as in use; None if it has ended."""
        if session is None or session.ended or self._is_over(session):
            return None
        session.seen = self.now()
        return session

    def new_code(self, *, own: bool = False) -> str:
        """A code that opens one session within a minute; `own` if it is for a window of the program."""
        self._codes = {code: each for code, each in self._codes.items() if each[0] > self.now()}
        while len(self._codes) >= MOST_CODES:
            del self._codes[next(iter(self._codes))]
        code = secrets.token_urlsafe(24)
        self._codes[code] = (self.now() + CODE_LIFETIME_S, own)
        return code

    def exchange(self, code: str, browser: str = "", known: BrowserSession | None = None) -> BrowserSession | None:
        """The session for a code; None if the code was used, is too old or invalid. A page that is signed in already keeps `known`."""
        expires, own = self._codes.pop(code, (0.0, False))
        if expires <= self.now():
            return None
        if known is not None and not known.ended:
            return known
        while len(self._sessions) >= MOST_SESSIONS:
            self._end(next(iter(self._sessions.values())))
        self._number += 1
        session = BrowserSession(self._number, self.now(), browser, own, seen=self.now())
        self._sessions[session.key] = session
        return session

    def sessions(self) -> tuple[BrowserSession, ...]:
        """The active sessions of browsers, oldest first, without the program's own windows."""
        for session in [each for each in self._sessions.values() if self._is_over(each)]:
            self._end(session)
        return tuple(each for each in self._sessions.values() if not each.own)

    def end(self, number: int | None) -> int:
        """End the session with this number, or all for None. Returns how many were ended."""
        ending = [each for each in self.sessions() if number in (None, each.number)]
        for session in ending:
            self._end(session)
        return len(ending)

    def _end(self, session: BrowserSession) -> None:
        session.over.set()
        del self._sessions[session.key]

    def _is_over(self, session: BrowserSession) -> bool:
        """Sessions of the program's own windows end only with it: a warm window waiting for the next capture need not sign in again."""
        return not session.own and (self.now() - session.seen >= IDLE_S or self.now() - session.began >= LONGEST_S)

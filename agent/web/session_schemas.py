"""The schemas of signing in and of signed-in browsers."""

from datetime import datetime

from pydantic import Field

from agent.web.schemas import Schema


class SessionCode(Schema):
    """Opens one session within a minute: `/#code=…`."""

    code: str


class SignIn(Schema):
    code: str = Field(max_length=100)


class SignedIn(Schema):
    """Calls carry `Authorization: Session <key>`; addresses of pictures and of streams `?ticket=<ticket>`, along with the cookie."""

    key: str
    ticket: str


class SessionOut(Schema):
    number: int
    browser: str  # such as "Firefox"; empty if unknown
    opened_at: datetime
    seen_at: datetime
    here: bool  # the requesting one


class Sessions(Schema):
    items: list[SessionOut]


class SessionsEnded(Schema):
    count: int

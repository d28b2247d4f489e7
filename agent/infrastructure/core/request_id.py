"""The id that all log lines of one piece of work share, in every process that takes part in it.

The edge of each process binds it: a request of the API, a job, a call that an engine serves. Threads of `asyncio.to_thread` and new tasks
inherit it, and every log line has it as `request`.
"""

import re
import secrets
from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from typing import Final

_FORM: Final = re.compile(r"[0-9a-z-]{1,40}")
_current: ContextVar[str] = ContextVar("request_id", default="")


def new_id() -> str:
    """Return a random id for a request."""
    return secrets.token_hex(8)


def current_id() -> str:
    """Return the id that is bound here; empty if there is none."""
    return _current.get()


def is_of_request(request_id: str) -> bool:
    """Return whether a request brought the id: work without one goes by its kind and number."""
    return "-" not in request_id


def is_id(value: object) -> bool:
    """Return whether a value that another process sent can be an id."""
    return isinstance(value, str) and _FORM.fullmatch(value) is not None


@contextmanager
def bound(request_id: str) -> Iterator[None]:
    """Log everything inside with this id."""
    token = _current.set(request_id)
    try:
        yield
    finally:
        _current.reset(token)

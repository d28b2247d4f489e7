"""Who acts now: a member of the team during their request, otherwise the user of this computer."""

import contextlib
from collections.abc import Iterator
from contextvars import ContextVar
from typing import Final

HERE: Final = ""
"""the user of this computer, and the program's own maintenance"""

actor: ContextVar[str] = ContextVar("actor", default=HERE)
"""a member's random id, never a name; threads of `asyncio.to_thread` and new tasks inherit it"""


@contextlib.contextmanager
def acting_as(member_id: str) -> Iterator[None]:
    """Attribute everything recorded inside to this member."""
    token = actor.set(member_id)
    try:
        yield
    finally:
        actor.reset(token)

"""What a server answered to desks, as far as it names people."""

from collections.abc import Collection
from typing import Final

from sqlalchemy import Connection, select, update

from agent.infrastructure.store.schema import desk_operation

ABOUT: Final = "about"
"""beside an answer: the random id of the person in it"""


def forget(tx: Connection, uids: Collection[str]) -> None:
    """Delete these people's names; answers of earlier versions, which lack the id, lose theirs. What was done stays known."""
    for row in tx.execute(select(desk_operation.c.uid, desk_operation.c.answer)).all():
        if row.answer.get("name") and row.answer.get(ABOUT) in (None, *uids):
            tx.execute(update(desk_operation).where(desk_operation.c.uid == row.uid).values(answer=row.answer | {"name": ""}))

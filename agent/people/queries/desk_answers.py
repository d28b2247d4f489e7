"""What a server answered to desks, as far as it names people."""

from collections.abc import Collection
from typing import Final

from sqlalchemy import Connection, select, update

from agent.store.schema import desk_operation

ABOUT: Final = "about"
"""beside an answer: the random id of the person whom it names"""


def forget(tx: Connection, uids: Collection[str]) -> None:
    """Delete these people's names; answers of earlier versions don't say whom they name. What was done stays known: it isn't repeated."""
    for row in tx.execute(select(desk_operation.c.uid, desk_operation.c.answer)).all():
        if row.answer.get("name") and row.answer.get(ABOUT) in (None, *uids):
            tx.execute(update(desk_operation).where(desk_operation.c.uid == row.uid).values(answer=row.answer | {"name": ""}))

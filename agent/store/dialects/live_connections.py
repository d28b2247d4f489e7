"""Finds out whether a kept connection to PostgreSQL still lives, before it is used, without asking each time."""

import selectors
import time
from typing import Any

from sqlalchemy import Engine, event, exc
from sqlalchemy.pool import ConnectionPoolEntry

_TRUSTED_S = 1.0  # after its last use
_USED = "used"


def check_connections(engine: Engine) -> None:
    """Replace connections that are lost when they are taken from the pool of `engine`.

    One that was used a moment ago is only looked at: what comes on it unasked is its end, as of a server that was killed. Others are
    asked, which takes a step to the server and back: a machine that is gone says nothing.
    """

    def kept(_: Any, entry: ConnectionPoolEntry) -> None:
        entry.info[_USED] = time.monotonic()

    def taken(connection: Any, entry: ConnectionPoolEntry, _: object) -> None:
        fresh = time.monotonic() - entry.info.get(_USED, time.monotonic()) < _TRUSTED_S
        if fresh and not _has_said(connection):
            return
        try:
            engine.dialect.do_ping(connection)
        except engine.dialect.loaded_dbapi.Error as error:
            raise exc.InvalidatePoolError from error

    event.listen(engine, "checkin", kept)
    event.listen(engine, "checkout", taken)


def _has_said(connection: Any) -> bool:
    if connection.closed:
        return True
    with selectors.DefaultSelector() as selector:
        selector.register(connection.fileno(), selectors.EVENT_READ)
        return bool(selector.select(0))

"""Finds the owner of a TCP socket on Windows: the system's table names the process, and psutil its user."""

from collections.abc import Callable, Sequence
from functools import cache
from typing import Any

import psutil


def connections() -> Sequence[Any]:
    return list(psutil.net_connections("tcp"))


@cache
def own_name() -> str:
    return str(psutil.Process().username())


def name_of(pid: int) -> str | None:
    """The account of a process; None if it is gone or another user's, which the system does not reveal."""
    try:
        return str(psutil.Process(pid).username())
    except psutil.Error:
        return None


class WindowsSockets:
    def __init__(
        self,
        table: Callable[[], Sequence[Any]] = connections,
        user: Callable[[int], str | None] = name_of,
        me: Callable[[], str] = own_name,
    ) -> None:
        self._table = table
        self._user = user
        self._me = me

    def __call__(self, local: tuple[str, int], remote: tuple[str, int] | None) -> Sequence[bool] | None:
        """As `peers.Holders`."""
        try:
            table = self._table()
        except (OSError, psutil.Error):
            return None
        own = _spellings(local) if remote else _spellings(local) | {("0.0.0.0", local[1]), ("::", local[1])}
        other = None if remote is None else _spellings(remote)
        return [
            each.pid is not None and self._user(each.pid) == self._me()
            for each in table
            if each.laddr
            and tuple(each.laddr[:2]) in own
            and (each.status == psutil.CONN_LISTEN if other is None else bool(each.raddr) and tuple(each.raddr[:2]) in other)
        ]


def _spellings(address: tuple[str, int]) -> set[tuple[str, int]]:
    return {address, (f"::ffff:{address[0]}", address[1])}


holders = WindowsSockets()

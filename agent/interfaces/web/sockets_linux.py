"""Finds the owner of a TCP socket on Linux: by a kernel query for the exact socket, or by reading the tables of proc(5)."""

import os
import socket
import struct
import sys
from collections.abc import Iterator, Sequence
from contextlib import suppress
from pathlib import Path

_TABLES = (Path("/proc/net/tcp"), Path("/proc/net/tcp6"))
_LISTENS, _ROOT = 10, 0
# sock_diag(7): the protocol, the query used, and an error response.
_NETLINK_SOCK_DIAG, _BY_FAMILY, _REQUEST, _ERROR = 4, 20, 1, 2
_HEADER, _QUESTION, _ENDS, _REST = struct.Struct("=IHHII"), struct.Struct("=BBBBI"), struct.Struct("!HH16s16s"), struct.Struct("=III")
_FOUND = struct.Struct("=4B48x3I2I")  # family, state, timer, retransmissions; ends; times and queues; owner, inode
_ANY_STATE = 0xFFFFFFFF


class LinuxSockets:
    """`tables` are read if the kernel does not answer: a query costs the same for any number of connections, a table does not."""

    def __init__(self, tables: Sequence[Path] = _TABLES, *, ask: bool = True) -> None:
        self._tables = tables
        self._asks = ask
        self._answers = False  # after its first answer, an unknown socket is one that does not exist

    def __call__(self, local: tuple[str, int], remote: tuple[str, int] | None) -> Sequence[bool] | None:
        """As `peers.Holders`. A socket that no process holds any more has no owner, although the kernel reports root.

        A listener of root's counts as ours: systemd makes that of a server before it starts (ai-popup.socket), and root could read all
        that is sent to it anyway.
        """
        found = self._ask(local, remote) if self._asks else None
        rows = self._read(local, remote) if found is None else found
        ours = {os.geteuid()} if remote is not None else {os.geteuid(), _ROOT}
        return None if rows is None else [inode != 0 and owner in ours for owner, inode in rows]

    def _ask(self, local: tuple[str, int], remote: tuple[str, int] | None) -> list[tuple[int, int]] | None:
        """Owner and inode; empty if the socket does not exist, None if unknown."""
        host, port = remote or ("0.0.0.0", 0)
        question = _QUESTION.pack(socket.AF_INET, socket.IPPROTO_TCP, 0, 0, _ANY_STATE)
        question += _ENDS.pack(local[1], port, socket.inet_aton(local[0]), socket.inet_aton(host)) + _REST.pack(0, 2**32 - 1, 2**32 - 1)
        try:
            with socket.socket(socket.AF_NETLINK, socket.SOCK_RAW, _NETLINK_SOCK_DIAG) as kernel:
                kernel.settimeout(1.0)
                kernel.send(_HEADER.pack(_HEADER.size + len(question), _BY_FAMILY, _REQUEST, 0, 0) + question)
                answer = kernel.recv(8192)
        except OSError:
            return None
        if _HEADER.unpack_from(answer)[1] == _ERROR:
            return [] if self._answers else None  # a kernel without sock_diag answers the same
        self._answers = True
        _, state, _, _, _, _, _, owner, inode = _FOUND.unpack_from(answer, _HEADER.size)
        return [(owner, inode)] if (state == _LISTENS) == (remote is None) else []

    def _read(self, local: tuple[str, int], remote: tuple[str, int] | None) -> list[tuple[int, int]] | None:
        """As `_ask`; None if no table can be read."""
        own, other = _spellings(local), None if remote is None else _spellings(remote)
        if remote is None:
            own |= _spellings(("0.0.0.0", local[1])) | {f"{0:032X}:{local[1]:04X}"}
        found: list[tuple[int, int]] | None = None
        for table in self._tables:
            with suppress(OSError), table.open(encoding="ascii") as lines:
                found = found or []
                next(lines, None)
                found += [
                    (owner, inode)
                    for here, there, state, owner, inode in _rows(lines)
                    if here in own and (state == _LISTENS if other is None else there in other)
                ]
        return found


def _rows(lines: Iterator[str]) -> Iterator[tuple[str, str, int, int, int]]:
    for fields in map(str.split, lines):
        yield fields[1], fields[2], int(fields[3], 16), int(fields[7]), int(fields[9])


def _spellings(address: tuple[str, int]) -> set[str]:
    """The address as written in the tables, in native byte order: as itself, and as an IPv6 socket sees it."""
    plain = f"{int.from_bytes(socket.inet_aton(address[0]), sys.byteorder):08X}:{address[1]:04X}"
    return {plain, f"{0:016X}{int.from_bytes(bytes.fromhex('0000FFFF'), sys.byteorder):08X}{plain}"}


holders = LinuxSockets()

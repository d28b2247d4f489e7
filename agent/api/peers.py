"""Who is at the other end of a connection within this computer."""

import os
import socket
import sys
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

_TABLES = (Path("/proc/net/tcp"), Path("/proc/net/tcp6"))
# What stands before an IPv4 address that an IPv6 socket connected to.
_MAPPED = f"{0:016X}{int.from_bytes(bytes.fromhex('0000FFFF'), sys.byteorder):08X}"


def of_another_user(address: tuple[str, int] | None) -> bool:
    """Whether the socket with that IPv4 address and port on this computer belongs to somebody else than who runs this program.

    False where the system does not tell: only Linux does, in the tables of proc(5), whose numbers are in the machine's own order of bytes.
    """
    if address is None or not sys.platform.startswith("linux"):
        return False
    host, port = address
    plain = f"{int.from_bytes(socket.inet_aton(host), sys.byteorder):08X}:{port:04X}"
    owners = {owner for local, owner in _sockets() if local in (plain, _MAPPED + plain)}
    return bool(owners) and os.geteuid() not in owners


def _sockets() -> Iterator[tuple[str, int]]:
    """Of each socket its own address and whose it is."""
    for table in _TABLES:
        with suppress(OSError), table.open(encoding="ascii") as lines:
            next(lines, None)
            for line in lines:
                fields = line.split()
                yield fields[1], int(fields[7])

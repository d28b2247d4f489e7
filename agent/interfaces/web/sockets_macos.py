"""Finds the owner of a TCP socket on macOS: in the kernel's list of all sockets, as netstat reads it."""

import ctypes
import os
import socket
import struct
from collections.abc import Callable, Iterator, Sequence

_LIST = b"net.inet.tcp.pcblist_n"
# The list consists of records that start with length and kind; those of one socket are consecutive, its addresses (xinpcb_n) first.
_SOCKET, _ADDRESSES = 0x001, 0x010
_RECORD = struct.Struct("=II")
_PORTS = struct.Struct("!16xHH")  # remote, local
_HOSTS = struct.Struct("!48x16s16s")
_OWNER = struct.Struct("=64xI")
_ROOM = 1.5  # the list grows between the query of its size and its reading


def read_list() -> bytes | None:
    """The list; None if the system refuses it."""
    system = ctypes.CDLL(None, use_errno=True)
    size = ctypes.c_size_t()
    if system.sysctlbyname(_LIST, None, ctypes.byref(size), None, ctypes.c_size_t(0)) != 0:
        return None
    size.value = int(size.value * _ROOM)
    room = ctypes.create_string_buffer(size.value)
    if system.sysctlbyname(_LIST, room, ctypes.byref(size), None, ctypes.c_size_t(0)) != 0:
        return None
    return room.raw[: size.value]


class MacSockets:
    def __init__(self, read: Callable[[], bytes | None] = read_list) -> None:
        self._read = read

    def __call__(self, local: tuple[str, int], remote: tuple[str, int] | None) -> Sequence[bool] | None:
        """As `peers.Holders`."""
        listed = self._read()
        if listed is None:
            return None
        own, other = _hosts(local[0]), None if remote is None else _hosts(remote[0])
        if remote is None:
            own |= {bytes(16)}
        return [
            owner == os.geteuid()
            for own_host, own_port, other_host, other_port, owner in _sockets(listed)
            if own_port == local[1]
            and own_host in own
            and (other_port == 0 if remote is None else other_port == remote[1] and other_host in (other or ()))
        ]


def _sockets(listed: bytes) -> Iterator[tuple[bytes, int, bytes, int, int]]:
    """For each socket: local host and port, remote host and port, and owner."""
    place, ends = 0, None
    while place + _RECORD.size <= len(listed):
        length, kind = _RECORD.unpack_from(listed, place)
        if length < _RECORD.size:
            return
        record = listed[place : place + length]
        if kind == _ADDRESSES and len(record) >= _HOSTS.size:
            other_port, own_port = _PORTS.unpack_from(record)
            other_host, own_host = _HOSTS.unpack_from(record)
            ends = (own_host, own_port, other_host, other_port)
        elif kind == _SOCKET and len(record) >= _OWNER.size and ends is not None:
            yield (*ends, _OWNER.unpack_from(record)[0])
            ends = None
        place += (length + 7) // 8 * 8


def _hosts(host: str) -> set[bytes]:
    """The host as IPv4, stored at the end of the IPv6 field, and as an IPv6 socket sees it."""
    plain = socket.inet_aton(host)
    return {bytes(12) + plain, bytes(10) + b"\xff\xff" + plain}


holders = MacSockets()

"""Whose the sockets at both ends of a connection are: on Linux with real ones, on other systems as these would list them."""

import os
import socket
import struct
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from types import SimpleNamespace

import psutil
import pytest

from agent.interfaces.web import peers
from agent.interfaces.web.peers import Address, is_same_user, listens_for_us
from agent.interfaces.web.sockets_linux import LinuxSockets
from agent.interfaces.web.sockets_macos import MacSockets
from agent.interfaces.web.sockets_windows import WindowsSockets

HERE, THERE = ("127.0.0.1", 8765), ("127.0.0.1", 40_000)
only_linux = pytest.mark.skipif(not sys.platform.startswith("linux"), reason="asks this kernel")


@dataclass
class Connected:
    server: Address
    client: Address
    sockets: tuple[socket.socket, ...]


@pytest.fixture(params=["plain", "mapped"])
def connected(request: pytest.FixtureRequest) -> Iterator[Connected]:
    """A connection by IPv4, or by IPv6 to the same address."""
    mapped = request.param == "mapped"
    with socket.create_server(("127.0.0.1", 0)) as server, socket.socket(socket.AF_INET6 if mapped else socket.AF_INET) as client:
        host, port = server.getsockname()
        client.connect((f"::ffff:{host}" if mapped else host, port))
        answering, address = server.accept()
        with answering:
            yield Connected((host, port), address, (server, client, answering))


@only_linux
@pytest.mark.parametrize("asks", [True, False], ids=["asked", "read"])
def test_linux_knows_whose_the_other_end_and_the_listener_are(connected: Connected, monkeypatch: pytest.MonkeyPatch, asks: bool) -> None:
    holders = LinuxSockets(ask=asks)
    assert is_same_user(connected.client, connected.server, holders) and listens_for_us(connected.server, holders)
    own = os.geteuid()
    monkeypatch.setattr(os, "geteuid", lambda: own + 1)
    assert not is_same_user(connected.client, connected.server, holders)
    assert listens_for_us(connected.server, holders) == (own == 0), "root's listener counts as ours"


@pytest.mark.parametrize(("owner", "inode", "trusted"), [(1_000, 7, True), (0, 7, True), (0, 0, False), (1_001, 7, False)])
def test_a_listener_that_systemd_made_counts_as_ours(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, owner: int, inode: int, *, trusted: bool
) -> None:
    """A server's port is root's, and its commands run as the server's user; a connection of root's is still a stranger's."""
    monkeypatch.setattr(os, "geteuid", lambda: 1_000, raising=False)
    told = [(HERE, ("0.0.0.0", 0), "0A"), (THERE, HERE, "01")]
    rows = (
        f" 0: {_hex(local)} {_hex(remote)} {state} 00000000:00000000 00:00000000 00000000 {owner:5} 0 {inode} 1"
        for local, remote, state in told
    )
    (tmp_path / "tcp").write_text("\n".join(["  sl  local_address rem_address", *rows]) + "\n")
    holders = LinuxSockets((tmp_path / "tcp",), ask=False)
    assert listens_for_us(HERE, holders) == trusted
    assert is_same_user(THERE, HERE, holders) == (owner == 1_000)


def _hex(address: Address) -> str:
    return f"{int.from_bytes(socket.inet_aton(address[0]), sys.byteorder):08X}:{address[1]:04X}"


@only_linux
@pytest.mark.parametrize("asks", [True, False], ids=["asked", "read"])
def test_linux_tells_a_connection_by_both_its_ends(connected: Connected, asks: bool) -> None:
    """One of ours from the same port to another server says nothing of a connection to this one."""
    holders = LinuxSockets(ask=asks)
    elsewhere = (connected.server[0], connected.server[1] ^ 1)
    assert holders(connected.client, connected.server) == [True]
    assert not is_same_user(connected.client, elsewhere, holders) and not listens_for_us(elsewhere, holders)


@only_linux
@pytest.mark.parametrize("asks", [True, False], ids=["asked", "read"])
def test_what_no_process_holds_any_more_is_nobodys(connected: Connected, asks: bool) -> None:
    """The kernel says that it is root's, who may be running this."""
    holders = LinuxSockets(ask=asks)
    assert listens_for_us(connected.server, holders)
    connected.sockets[1].close()
    connected.sockets[0].close()
    assert not is_same_user(connected.client, connected.server, holders) and not listens_for_us(connected.server, holders)


@only_linux
def test_linux_knows_listeners_on_all_addresses() -> None:
    with socket.create_server(("", 0)) as all_of_four:
        port = all_of_four.getsockname()[1]
        assert [LinuxSockets(ask=asks)(("127.0.0.1", port), None) for asks in (True, False)] == [[True], [True]]


@only_linux
def test_where_the_system_does_not_tell_nobody_is_a_stranger(monkeypatch: pytest.MonkeyPatch) -> None:
    nothing = LinuxSockets(tables=(), ask=False)
    assert is_same_user(THERE, HERE, nothing) and listens_for_us(HERE, nothing)
    monkeypatch.setattr(sys, "platform", "sunos5")
    assert is_same_user(THERE, HERE) and listens_for_us(HERE)


def test_of_several_sockets_all_must_be_ours() -> None:
    assert is_same_user(THERE, HERE, lambda _, __: [True, True]) and not is_same_user(THERE, HERE, lambda _, __: [True, False])
    assert listens_for_us(HERE, lambda _, __: [True]) and not listens_for_us(HERE, lambda _, __: [True, False])
    assert not is_same_user(THERE, HERE, lambda _, __: []) and not listens_for_us(HERE, lambda _, __: [])


@pytest.mark.parametrize(("platform", "module"), [("linux", "sockets_linux"), ("darwin", "sockets_macos"), ("win32", "sockets_windows")])
def test_each_system_is_asked_its_own_way(monkeypatch: pytest.MonkeyPatch, platform: str, module: str) -> None:
    monkeypatch.setattr(sys, "platform", platform)
    assert type(peers.this_system()).__module__ == f"agent.interfaces.web.{module}"


# -- macOS ---------------------------------------------------------------------------------------------------------------------------
def listed(local: Address, remote: Address | None, owner: int, *, mapped: bool = False) -> bytes:
    """A socket in the kernel's list: its addresses, then itself, then records that nobody reads, each filled up to eight bytes."""

    def host(address: Address | None) -> bytes:
        plain = socket.inet_aton(address[0] if address else "0.0.0.0")
        return (bytes(10) + b"\xff\xff" if mapped else bytes(12)) + plain

    addresses = struct.pack("!HH28x16s16s", remote[1] if remote else 0, local[1], host(remote), host(local)) + bytes(24)
    itself = bytes(56) + struct.pack("=Iii", owner, 77, 77)
    return b"".join(
        record(kind, content) for kind, content in ((0x10, bytes(8) + addresses), (0x1, itself), (0x2, bytes(20)), (0x20, bytes(50)))
    )


def record(kind: int, content: bytes) -> bytes:
    whole = struct.pack("=II", 8 + len(content), kind) + content
    return whole + bytes(-len(whole) % 8)


def mac(*sockets: bytes) -> MacSockets:
    return reading(record(0, bytes(16)) + b"".join(sockets) + record(0, bytes(16)))


def reading(table: bytes) -> MacSockets:
    return MacSockets(lambda: table)


def test_macos_knows_whose_the_other_end_and_the_listener_are(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(os, "geteuid", lambda: 501, raising=False)
    strangers = [listed(THERE, ("127.0.0.1", 1), 502), listed(("127.0.0.1", 2), HERE, 502), listed(HERE, THERE, 502)]
    for mapped in (False, True):
        holders = mac(*strangers, listed(THERE, HERE, 501, mapped=mapped), listed(HERE, None, 501))
        assert is_same_user(THERE, HERE, holders) and listens_for_us(HERE, holders)
        foreign = mac(*strangers, listed(THERE, HERE, 502, mapped=mapped), listed(HERE, None, 502))
        assert not is_same_user(THERE, HERE, foreign) and not listens_for_us(HERE, foreign)
    assert not is_same_user(THERE, HERE, mac(*strangers)) and not listens_for_us(HERE, mac(*strangers))
    everywhere = mac(listed(("0.0.0.0", HERE[1]), None, 502))
    assert not listens_for_us(HERE, everywhere)


def test_a_list_that_macos_refuses_or_breaks_off_is_no_harm(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(os, "geteuid", lambda: 501, raising=False)
    assert is_same_user(THERE, HERE, MacSockets(lambda: None))
    whole = record(0, bytes(16)) + listed(THERE, HERE, 501)
    for length in range(0, len(whole), 4):
        assert all(reading(whole[:length])(THERE, HERE) or ())
    assert reading(bytes(64))(THERE, HERE) == []


# -- Windows -------------------------------------------------------------------------------------------------------------------------
def row(local: Address, remote: Address | None, pid: int | None) -> SimpleNamespace:
    return SimpleNamespace(laddr=local, raddr=remote or (), pid=pid, status=psutil.CONN_ESTABLISHED if remote else psutil.CONN_LISTEN)


def windows(*rows: SimpleNamespace) -> WindowsSockets:
    return WindowsSockets(lambda: rows, {1: "PC\\mei", 2: "PC\\max"}.get, lambda: "PC\\mei")


def test_windows_knows_whose_the_other_end_and_the_listener_are() -> None:
    strangers = [row(THERE, ("127.0.0.1", 1), 2), row(("127.0.0.1", 2), HERE, 2), row(HERE, THERE, 2)]
    ours = windows(*strangers, row(THERE, HERE, 1), row(HERE, None, 1))
    assert is_same_user(THERE, HERE, ours) and listens_for_us(HERE, ours)
    for pid in (2, 3, None):  # another's; one that tells nobody whose it is; none
        theirs = windows(*strangers, row(THERE, HERE, pid), row(("0.0.0.0", HERE[1]), None, pid))
        assert not is_same_user(THERE, HERE, theirs) and not listens_for_us(HERE, theirs)


def test_a_table_that_windows_refuses_is_no_harm() -> None:
    def refused() -> list[SimpleNamespace]:
        raise psutil.AccessDenied

    assert is_same_user(THERE, HERE, WindowsSockets(refused, lambda _: None, lambda: ""))


def test_psutil_says_whose_a_process_is_or_that_it_is_gone() -> None:
    from agent.interfaces.web.sockets_windows import name_of, own_name

    assert name_of(os.getpid()) == own_name() and name_of(2**31 - 1) is None

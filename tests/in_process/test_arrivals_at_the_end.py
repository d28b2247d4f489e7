"""A connection that arrives while the server ends is closed, whatever the moment."""

import asyncio
import gc
import socket
import ssl
import warnings
from contextlib import suppress

import pytest

from agent.interfaces.web.connection_quota import ConnectionQuota
from agent.interfaces.web.tls_acceptor import TlsAcceptor


@pytest.mark.parametrize("turns", range(6))
async def test_a_connection_that_arrives_while_the_server_ends_is_closed(turns: int) -> None:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        arrivals = TlsAcceptor(listener, lambda _: asyncio.Protocol(), context, ConnectionQuota(8, 8, ()), 5)
        arrivals.start(8)
        await asyncio.sleep(0.01)
        with warnings.catch_warnings(record=True) as lost, socket.create_connection(listener.getsockname()) as visitor:
            warnings.simplefilter("always")
            for _ in range(turns):
                await asyncio.sleep(0)
            arrivals.close()
            listener.close()
            await arrivals.wait_closed()
            await asyncio.sleep(0.01)
            gc.collect()
            visitor.settimeout(5)
            with suppress(ConnectionResetError):
                assert visitor.recv(1) == b""
    assert [str(each.message) for each in lost if each.category is ResourceWarning] == []

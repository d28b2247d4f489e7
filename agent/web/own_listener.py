"""Connects only to this user's agent: the listening process is checked before a token, a passphrase or other data is sent.

A killed agent leaves its connection file, and any user of the computer may then take that port.
"""

from collections.abc import Iterable

import httpcore
import httpx

from agent.web.peers import listens_for_us


class OwnListener(httpx.HTTPTransport):
    def __init__(self) -> None:
        super().__init__(trust_env=False)  # a proxy in the environment must never see a request to this machine
        self._pool = httpcore.ConnectionPool(network_backend=_Checked(), retries=0)


class _Checked(httpcore.SyncBackend):
    def connect_tcp(
        self,
        host: str,
        port: int,
        timeout: float | None = None,
        local_address: str | None = None,
        socket_options: Iterable[httpcore.SOCKET_OPTION] | None = None,
    ) -> httpcore.NetworkStream:
        """Connect. Raises ConnectError, also if another user listens there."""
        stream = super().connect_tcp(host, port, timeout, local_address, socket_options)
        if listens_for_us((host, port)):
            return stream
        stream.close()
        raise httpcore.ConnectError

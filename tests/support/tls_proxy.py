"""A reverse proxy as a process of its own: it ends TLS with a certificate of its own, and speaks TLS to the server behind it.

`python tests/support/tls_proxy.py DESCRIPTOR PORT FILE` accepts from a socket that it was handed. FILE holds key and certificates.
"""

import asyncio
import contextlib
import socket
import ssl
import subprocess
import sys
from pathlib import Path
from typing import Self


async def passed_on(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    with contextlib.suppress(OSError):
        while part := await reader.read(65_536):
            writer.write(part)
            await writer.drain()
    writer.close()


async def main(descriptor: int, port: int, file: Path) -> None:
    behind = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    behind.check_hostname, behind.verify_mode = False, ssl.CERT_NONE

    async def forward(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            server = await asyncio.open_connection("127.0.0.1", port, ssl=behind)
        except OSError:
            writer.close()
            return
        await asyncio.gather(passed_on(reader, server[1]), passed_on(server[0], writer))

    own = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    own.load_cert_chain(file)
    async with await asyncio.start_server(forward, sock=socket.socket(fileno=descriptor), ssl=own) as server:
        await server.serve_forever()


class TlsProxy:
    """A proxy before the server at a port of this computer. Its own port is taken until its block ends, also while it restarts."""

    def __init__(self, file: Path, port: int) -> None:
        self.file = file
        self._port = port
        self._listener = socket.create_server(("127.0.0.1", 0))
        self.address = f"https://localhost:{self._listener.getsockname()[1]}"
        self._process = self._start()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._end()
        self._listener.close()

    def restart(self) -> None:
        """End its connections; new ones see what is in the file now."""
        self._end()
        self._process = self._start()

    def _start(self) -> "subprocess.Popen[bytes]":
        descriptor = self._listener.fileno()
        return subprocess.Popen([sys.executable, __file__, str(descriptor), str(self._port), str(self.file)], pass_fds=[descriptor])

    def _end(self) -> None:
        self._process.kill()
        self._process.wait()


if __name__ == "__main__":
    asyncio.run(main(int(sys.argv[1]), int(sys.argv[2]), Path(sys.argv[3])))

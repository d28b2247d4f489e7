"""A balancer as a process of its own: it passes connections on to the servers in turn, and to the next one if a server refuses.

`python tests/support/load_balancer.py DESCRIPTOR PORT PORT …` accepts from a listening socket that it was handed.
"""

import asyncio
import contextlib
import itertools
import socket
import sys

AGAIN_S = 0.05


async def connected(ports: "itertools.cycle[int]") -> tuple[asyncio.StreamReader, asyncio.StreamWriter]:
    while True:
        with contextlib.suppress(OSError):
            return await asyncio.open_connection("127.0.0.1", next(ports))
        await asyncio.sleep(AGAIN_S)


async def passed_on(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    with contextlib.suppress(OSError):
        while part := await reader.read(65_536):
            writer.write(part)
            await writer.drain()
    writer.close()


async def main(descriptor: int, *servers: int) -> None:
    ports = itertools.cycle(servers)

    async def balance(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        to_server = await connected(ports)
        await asyncio.gather(passed_on(reader, to_server[1]), passed_on(to_server[0], writer))

    async with await asyncio.start_server(balance, sock=socket.socket(fileno=descriptor)) as server:
        await server.serve_forever()


if __name__ == "__main__":
    asyncio.run(main(*map(int, sys.argv[1:])))

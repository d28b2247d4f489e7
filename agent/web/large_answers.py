"""Hands large answers on in pieces, so that a connection never holds a whole one."""

from typing import Final

from starlette.types import ASGIApp, Message, Receive, Scope, Send

PIECE: Final = 65_536  # bytes


class InPieces:
    """ASGI middleware. OpenSSL keeps, for as long as a connection lives, room for the most that was ever written to it at once: the index
    of 300,000 photos would take 2 MB of each. A piece is written when the ones before are on their way.
    """

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        async def sent(message: Message) -> None:
            body: bytes = message.get("body", b"")
            if len(body) <= PIECE:
                await send(message)
                return
            more = message.get("more_body", False)
            for start in range(0, len(body), PIECE):
                is_last = start + PIECE >= len(body)
                await send({**message, "body": body[start : start + PIECE], "more_body": more or not is_last})

        await self._app(scope, receive, sent)

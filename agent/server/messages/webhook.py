"""Messages to a web address, signed."""

import hmac
import json
import ssl
from collections.abc import Mapping
from typing import Final

from agent.domain.errors import WebhookFailed, WebhookInside
from agent.infrastructure.core.outgoing_requests import Peer, outgoing
from agent.interfaces.web.client_address import Inside, Resolve, addresses_of
from agent.server.messages.https import Https, NotReached, failed_by

SIGNATURE: Final = "x-ai-popup-signature"


class Webhook:
    """`send` blocks."""

    def __init__(self, trust: ssl.SSLContext | None = None, resolve: Resolve = addresses_of) -> None:
        """`trust`: the certificates to accept, None for the system's."""
        self._https = Https(trust, resolve)

    def send(self, url: str, key: bytes, told: Mapping[str, object], now: float, *, inside: bool) -> None:
        """Raises WebhookInside, WebhookFailed."""
        body = json.dumps(told, separators=(",", ":")).encode()
        headers = {"content-type": "application/json", SIGNATURE: signature(key, body, int(now))}
        with outgoing(Peer.WEBHOOK):
            try:
                status = self._https.send("POST", url, body, headers, inside=inside)
            except Inside:
                raise WebhookInside from None
            except NotReached as error:
                raise WebhookFailed(**{error.why: 1}) from error
            if not 200 <= status < 300:
                raise WebhookFailed(**failed_by(status))


def signature(key: bytes, body: bytes, at: int) -> str:
    """The time is signed, too, so that a receiver can refuse what was recorded earlier."""
    return f"t={at},v1={hmac.digest(key, b'%d.' % at + body, 'sha256').hex()}"

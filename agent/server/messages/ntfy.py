"""Messages to a topic of an ntfy server, which shows them on phones."""

import json
import ssl
from dataclasses import dataclass

from agent.domain.errors import NtfyFailed, NtfyInside
from agent.infrastructure.core.outgoing_requests import Peer, outgoing
from agent.interfaces.web.client_address import Inside, Resolve, addresses_of
from agent.server.messages.https import Https, NotReached, failed_by


@dataclass(frozen=True, slots=True)
class NtfyNote:
    """`priority` is ntfy's, 1 to 5; `link` is opened by a tap."""

    title: str
    text: str
    link: str
    priority: int


class Ntfy:
    """`send` blocks."""

    def __init__(self, trust: ssl.SSLContext | None = None, resolve: Resolve = addresses_of) -> None:
        """`trust`: the certificates to accept, None for the system's."""
        self._https = Https(trust, resolve)

    def send(self, server: str, topic: str, token: str | None, note: NtfyNote, *, inside: bool) -> None:
        """Publish as JSON: headers couldn't carry Chinese. Raises NtfyInside, NtfyFailed."""
        told = {"topic": topic, "title": note.title, "message": note.text, "click": note.link, "priority": note.priority}
        headers = {"content-type": "application/json"} | ({"authorization": f"Bearer {token}"} if token else {})
        with outgoing(Peer.NTFY):
            try:
                status = self._https.send("POST", server, json.dumps(told).encode(), headers, inside=inside)
            except Inside:
                raise NtfyInside from None
            except NotReached as error:
                raise NtfyFailed(**{error.why: 1}) from error
            if not 200 <= status < 300:
                raise NtfyFailed(**failed_by(status))

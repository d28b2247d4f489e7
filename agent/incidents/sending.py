"""Messages about incidents: kind, severity, time and a link, never a name."""

import asyncio
from collections.abc import Callable, Sequence
from datetime import datetime

from agent.core.i18n import Texts
from agent.core.server_settings import IncidentSettings
from agent.domain.errors import NoWayToTell
from agent.incidents.queries import Incident, IncidentQueries
from agent.messages.channels import Channels, Note, incident_target
from agent.messages.delivery import Delivery
from agent.messages.queue import Claimed


def ways_of(settings: IncidentSettings) -> tuple[str, ...]:
    """In which ways the settings want people to be told."""
    return incident_target(settings).ways


class Sending:
    def __init__(
        self,
        queries: IncidentQueries,
        settings: Callable[[], IncidentSettings],
        channels: Channels,
        address: Callable[[], str],
        texts: Callable[[], Texts],
        clock: Callable[[], datetime],
    ) -> None:
        """`address` is the server's, for the link."""
        self._queries = queries
        self._settings = settings
        self._channels = channels
        self._address = address
        self._texts = texts
        self._clock = clock
        self._delivery = Delivery(queries.outbox, self._send, lambda: ways_of(settings()), clock)

    async def run(self) -> None:
        """Run until cancelled."""
        await self._delivery.run()

    async def send_due(self) -> int:
        """Send what is due. Returns how many messages were accepted. Raises StoreError."""
        return await self._delivery.send_due()

    async def test(self) -> Sequence[str]:
        """Send a test message in each way. Raises NoWayToTell, and what went wrong."""
        target = incident_target(self._settings())
        if not target.ways:
            raise NoWayToTell
        note = self._note(None, f"test-{int(self._clock().timestamp())}")
        for way in target.ways:
            await asyncio.to_thread(self._channels.send, way, target, note)
        return target.ways

    def _send(self, message: Claimed) -> None:
        about = self._queries.incident(message.about)
        self._channels.send(message.way, incident_target(self._settings()), self._note(about, f"incident-{about.id}-{message.id}"))

    def _note(self, about: Incident | None, number: str) -> Note:
        texts = self._texts()
        link = f"{self._address()}/#incidents" + (f"/{about.id}" if about else "")
        facts = {"kind": about.kind if about else "test", "severity": about.severity if about else "notice"}
        facts["at"] = (about.at if about else self._clock()).isoformat()
        if about is None:
            subject, text = texts("incidents.mail.test"), texts("incidents.mail.test_text", link=link)
            return Note(number, subject, text, text, link, facts)
        kind, severity = texts(f"incidents.kinds.{about.kind}"), texts(f"incidents.severity.{about.severity}")
        at = f"{about.at.astimezone():%Y-%m-%d %H:%M %Z}"
        text = texts("incidents.mail.text", kind=kind, severity=severity, at=at, link=link)
        return Note(number, texts("incidents.mail.subject", kind=kind), text, kind, link, facts)

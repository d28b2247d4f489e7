"""Messages about incidents: kind, severity, time and a link, never a name."""

from collections.abc import Callable

from agent.infrastructure.core.server_settings import IncidentSettings
from agent.server.incidents.queries import Incident, IncidentQueries
from agent.server.messages.channels import Channels, Note, incident_target
from agent.server.messages.queue import Claimed
from agent.server.messages.sending import Sending, Wording


class IncidentNotes:
    def __init__(self, queries: IncidentQueries, wording: Wording) -> None:
        self._queries = queries
        self._wording = wording

    def test(self) -> Note:
        return self._note(None, f"test-{int(self._wording.clock().timestamp())}")

    def of(self, message: Claimed) -> Note:
        about = self._queries.incident(message.about)
        return self._note(about, f"incident-{about.id}-{message.id}")

    def _note(self, about: Incident | None, number: str) -> Note:
        texts = self._wording.texts()
        link = f"{self._wording.address()}/#incidents" + (f"/{about.id}" if about else "")
        facts = {"kind": about.kind if about else "test", "severity": about.severity if about else "notice"}
        facts["at"] = (about.at if about else self._wording.clock()).isoformat()
        if about is None:
            subject, text = texts("incidents.mail.test"), texts("incidents.mail.test_text", link=link)
            return Note(number, subject, text, text, link, facts)
        kind, severity = texts(f"incidents.kinds.{about.kind}"), texts(f"incidents.severity.{about.severity}")
        at = f"{about.at.astimezone():%Y-%m-%d %H:%M %Z}"
        text = texts("incidents.mail.text", kind=kind, severity=severity, at=at, link=link)
        return Note(number, texts("incidents.mail.subject", kind=kind), text, kind, link, facts)


def incident_sending(queries: IncidentQueries, settings: Callable[[], IncidentSettings], channels: Channels, wording: Wording) -> Sending:
    return Sending(queries.outbox, IncidentNotes(queries, wording), lambda: incident_target(settings()), channels, wording)

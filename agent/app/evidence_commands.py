"""`ai-popup incidents bundle`: keep the evidence of an incident, also while the server is stopped."""

import json
import platform
from collections.abc import Iterator
from contextlib import closing
from datetime import datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING
from urllib.parse import urlencode

import click

from agent import __version__
from agent.domain.errors import ServerStopped
from agent.infrastructure.core.files import copy_errors
from agent.infrastructure.core.service_context import utc_now
from agent.interfaces.cli.command import Command, json_option
from agent.interfaces.cli.language import TEXTS
from agent.interfaces.cli.output import note, tell
from agent.interfaces.cli.session import CommandSession
from agent.server.incidents.commands import incident_server

if TYPE_CHECKING:
    from agent.app.evidence_bundle import EvidenceBundle
    from agent.interfaces.web.client import Client
    from agent.interfaces.web.record_entry import RecordEntry

PAGE = 500


@click.command(cls=Command, help=TEXTS("cli.help.incidents_bundle"))
@click.argument("number", type=click.IntRange(min=1), required=False)
@click.option("--hours", type=click.IntRange(1, 8_784), default=24, show_default=True, help=TEXTS("cli.help.incidents_bundle_hours"))
@click.option("--output", "-o", type=click.Path(dir_okay=False, path_type=Path), help=TEXTS("cli.help.incidents_bundle_output"))
@json_option()
@click.pass_obj
def bundle(session: CommandSession, number: int | None, hours: int, output: Path | None, as_json: bool) -> None:
    from agent.app.evidence_bundle import EvidenceBundle, logs_since, pieces_of
    from agent.app.support_bundle import without_places
    from agent.infrastructure.store.audit_anchor import WITNESS_FILE

    now = utc_now()
    target = output or Path(f"ai-popup-evidence-{now:%Y%m%dT%H%M%SZ}.zip")
    try:
        client: Client | None = incident_server(session)
    except ServerStopped:
        client = None
    since = now - timedelta(hours=hours)
    with copy_errors(str(target.parent.absolute())), EvidenceBundle(target) as made:
        if client is not None:
            with closing(client):
                since = _ask(made, client, number, since, hours)
        made.add_json("settings.json", without_places(session.settings))
        head = session.paths.data / WITNESS_FILE
        if head.exists():
            made.add(WITNESS_FILE, pieces_of(head))
        for log in logs_since(session.paths.logs, since):
            made.add(f"logs/{log.name}", pieces_of(log))
        digest = made.finish(_about(now, since, number, running=client is not None))
    if client is not None:
        _note(session, digest, number)
    else:
        note(session.texts("cli.incidents.bundle_stopped"))
    tell(
        {"file": str(target), "sha256": digest, "record": client is not None},
        *session.texts("cli.incidents.bundle", file=str(target), digest=digest).split("\n"),
        as_json=as_json,
    )


def _ask(made: "EvidenceBundle", client: "Client", incident: int | None, since: datetime, hours: int) -> datetime:
    """Add what the running server knows. Returns the time from which evidence is kept. Raises NotFound for an unknown incident."""
    from agent.app.audit_schemas import RecordVerified
    from agent.server.incidents.schemas import IncidentDetails

    if incident is not None:
        found = client.call("GET", f"/api/incidents/{incident}", IncidentDetails)
        first = min([found.incident.at, *(entry.at for entry in found.evidence)])
        since = min(since, first - timedelta(hours=hours))
        made.add_json("incident.json", found.model_dump(mode="json"))
    made.add("record.jsonl", (_line(entry) for entry in _entries(client, since)))
    made.add_json("record-verified.json", client.post_long("/api/record/verify", RecordVerified).model_dump(mode="json"))
    return since


def _entries(client: "Client", since: datetime) -> "Iterator[RecordEntry]":
    """Newest first."""
    from agent.app.audit_schemas import RecordPage

    before: int | None = None
    while True:
        query = urlencode({"limit": PAGE} | ({"before": before} if before else {}))
        page = client.call("GET", f"/api/record?{query}", RecordPage)
        for entry in page.items:
            if entry.at < since:
                return
            yield entry
        if (before := page.before) is None:
            return


def _line(entry: "RecordEntry") -> bytes:
    return json.dumps(entry.model_dump(mode="json"), ensure_ascii=False).encode() + b"\n"


def _about(now: datetime, since: datetime, incident: int | None, *, running: bool) -> dict[str, object]:
    system = f"{platform.system()} {platform.release()} {platform.machine()}"
    times = {"made_at": now.isoformat(), "since": since.isoformat()}
    return {**times, "incident": incident, "server_running": running, "program": __version__, "system": system}


def _note(session: CommandSession, digest: str, incident: int | None) -> None:
    from agent.server.incidents.schemas import EvidenceKept

    with closing(session.server()) as client:
        client.call("POST", "/api/incidents/evidence", EvidenceKept, EvidenceKept(sha256=digest, incident=incident))

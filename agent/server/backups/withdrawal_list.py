"""Withdrawn consents as random ids in a file beside the database: after a restore of an earlier moment, they are withdrawn again."""

import json
from datetime import date, datetime
from pathlib import Path

from sqlalchemy import func, select

from agent.domain.consent import Consent, ConsentState, Purpose
from agent.domain.errors import NoConsent
from agent.features.consent.queries import ConsentQueries
from agent.features.people.editor import IN_DOUBT
from agent.features.people.queries import consent_queries
from agent.infrastructure.core.files import store_error, write_private
from agent.infrastructure.store.schema import consent, person


class WithdrawnFile:
    """All methods block and raise StoreError."""

    def __init__(self, path: Path, queries: ConsentQueries) -> None:
        self.path = path
        self._queries = queries
        self._known = -1  # the newest entry that the file reflects

    def follow(self) -> None:
        """Write the withdrawals that are in force, if any entry is new."""
        newest = select(func.max(consent.c.id)).group_by(consent.c.person_uid, consent.c.purpose)
        said = (consent.c.person_uid, consent.c.purpose, consent.c.given_on, consent.c.entered_at)
        with self._queries.database.read() as tx:
            last = tx.scalar(select(func.max(consent.c.id))) or 0
            if last == self._known:
                return
            where = consent.c.id.in_(newest) & (consent.c.state == ConsentState.WITHDRAWN)
            rows = tx.execute(select(*said).where(where).order_by(consent.c.person_uid, consent.c.purpose)).all()
        lines = [json.dumps([row.person_uid, row.purpose, row.given_on.isoformat(), row.entered_at.isoformat()]) for row in rows]
        content = "".join(f"{line}\n" for line in lines).encode()
        try:
            before = self.path.read_bytes() if self.path.exists() else b""
            if content != before:
                write_private(self.path, content)
        except OSError as error:
            raise store_error(error) from error
        self._known = last

    def apply(self, now: datetime) -> int:
        """Withdraw again what the database's moment did not know yet; returns how many."""
        done = 0
        try:
            lines = self.path.read_text(encoding="utf-8").splitlines() if self.path.exists() else []
        except OSError as error:
            raise store_error(error) from error
        for uid, purpose, given_on, entered_at in map(json.loads, lines):
            with self._queries.database.read() as tx:
                person_id = tx.scalar(select(person.c.id).where(person.c.uid == uid))
                known = consent_queries.latest(consent_queries.history(tx, [uid])).get(Purpose(purpose))
            later = known is not None and known.entered_at >= datetime.fromisoformat(entered_at)
            if person_id is None or later:
                continue
            said = Consent(purpose=Purpose(purpose), state=ConsentState.WITHDRAWN, given_on=date.fromisoformat(given_on))
            try:
                self._queries.withdraw_consent(person_id, said, now=now, note=IN_DOUBT)
            except NoConsent:  # there was none at that moment
                continue
            done += 1
        return done

"""What the record is told of members' requests and failures."""

import hmac
from collections.abc import Mapping
from datetime import datetime
from typing import Final

from agent.core.actor import HERE, acting_as
from agent.store import audit_log
from agent.store.database import Queries

_PSEUDONYM: Final = 12


class NoteQueries(Queries):
    def sign_in_failed(self, member_id: str | None, now: datetime, network: str = "") -> None:
        """Record it; `member_id` is None for a name that no member has. The network appears by a pseudonym, the same each time."""
        key = self.database.key_for(b"networks")
        detail = hmac.digest(key, network.encode(), "sha256").hex()[:_PSEUDONYM] if network else ""
        with self.database.write(durable=True) as tx, acting_as(member_id or HERE):
            audit_log.add(tx, "sign_in_failed", member_id, 1, now, detail=detail)

    def note(self, counts: Mapping[tuple[str, str], int], now: datetime, detail: str) -> None:
        """Record how often members did something; `counts` is by action and member."""
        with self.database.write(durable=True) as tx:
            for (action, member_id), count in counts.items():
                with acting_as(member_id):
                    audit_log.add(tx, action, member_id, count, now, detail=detail)

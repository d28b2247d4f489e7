"""What the record is told of members' requests and failures."""

import hmac
from collections import Counter, defaultdict
from collections.abc import Mapping
from datetime import datetime
from typing import Final, NamedTuple

from sqlalchemy import Connection, select

from agent.infrastructure.core.actor import HERE, acting_as
from agent.infrastructure.store import audit_libraries, audit_log
from agent.infrastructure.store.database import Queries
from agent.infrastructure.store.schema import redaction_item

_PSEUDONYM: Final = 12


class Taken(NamedTuple):
    """A photo that a member took away: the original of an image, or the copy of an item."""

    member_id: str
    image_id: int | None
    item_id: int | None


class AuditNoteQueries(Queries):
    def sign_in_failed(self, member_id: str | None, now: datetime, network: str = "") -> None:
        """Record it; `member_id` is None for a name that no member has. The network appears by a pseudonym, the same each time."""
        self.note_failed({(member_id, network): 1}, now)

    def note_failed(self, counts: Mapping[tuple[str | None, str], int], now: datetime) -> None:
        """Record failed attempts to sign in; `counts` is by member and network."""
        key = self.database.key_for(b"networks")
        with self.database.write(durable=True) as tx:
            for (member_id, network), count in counts.items():
                detail = hmac.digest(key, network.encode(), "sha256").hex()[:_PSEUDONYM] if network else ""
                with acting_as(member_id or HERE):
                    audit_log.add(tx, "sign_in_failed", member_id, count, now, detail=detail)

    def note(self, counts: Mapping[tuple[str, str], int], now: datetime, detail: str) -> None:
        """Record how often members did something; `counts` is by action and member."""
        with self.database.write(durable=True) as tx:
            for (action, member_id), count in counts.items():
                with acting_as(member_id):
                    audit_log.add(tx, action, member_id, count, now, detail=detail)

    def note_taken(self, action: str, counts: Mapping[Taken, int], now: datetime) -> None:
        """Record how many photos of which libraries members took away."""
        groups = defaultdict[str, Counter[audit_libraries.Libraries]](Counter)
        with self.database.write(durable=True) as tx:
            for each, count in counts.items():
                groups[each.member_id][_libraries(tx, each)] += count
            for member_id, found in groups.items():
                with acting_as(member_id):
                    audit_libraries.add_for_each(tx, action, member_id, found, found.total(), now)


def _libraries(tx: Connection, taken: Taken) -> audit_libraries.Libraries:
    if taken.image_id is not None:
        return frozenset().union(*audit_libraries.of_images(tx, [taken.image_id]))
    source = tx.scalar(select(redaction_item.c.source).where(redaction_item.c.id == taken.item_id))
    return audit_libraries.THE_SERVERS if source is None else audit_libraries.of_file(tx, source)

"""Copies for publishing that wait for approval although someone on them may no longer agree."""

from dataclasses import replace
from datetime import datetime

from sqlalchemy import select, update

from agent.domain.consent import Purpose
from agent.features.people.queries import consent_queries
from agent.features.redaction.copy_records import ItemState, RedactedCopy
from agent.features.redaction.queries.batch_queries import FACTS, WISH, items, shown
from agent.infrastructure.store.database import Queries
from agent.infrastructure.store.schema import redaction as batch
from agent.infrastructure.store.schema import redaction_item as item


class OutdatedCopyQueries(Queries):
    def plan_outdated(self, uid: str, *, now: datetime) -> int:
        """Plan the copies of a batch that wait for approval again if someone stayed visible by a consent to publishing that ended since.

        Return their number. People who no longer agree are covered on them. Needs the whole library within reach.
        """
        with self.database.write(durable=True) as tx:
            row = tx.execute(select(batch.c.id, batch.c.wish).where(batch.c.uid == uid)).one_or_none()
            if row is None or not (choice := (wish := WISH.validate_python(row.wish)).choice).consented:
                return 0
            agreed = choice.keep & consent_queries.agreed(tx, Purpose.PUBLISH, now)
            if agreed == choice.keep:
                return 0
            as_wished = WISH.dump_python(replace(wish, choice=replace(choice, keep=agreed)), mode="json")
            tx.execute(update(batch).where(batch.c.id == row.id).values(wish=as_wished))
            chosen = items().where(item.c.redaction_id == row.id, item.c.state == ItemState.NEEDS_REVIEW)
            again = 0
            for each in map(shown, tx.execute(chosen).all()):
                if each.facts is None or each.source == each.target:  # the original is gone
                    continue
                facts = FACTS.dump_python(_to_make(each.facts, edited=each.edited), mode="json")
                tx.execute(update(item).where(item.c.id == each.id).values(state=ItemState.PLANNED, changed_at=now, facts=facts))
                again += 1
            return again


def _to_make(facts: RedactedCopy, *, edited: bool) -> RedactedCopy:
    """Return what the next copy is made by; it replaces the present one."""
    if not edited:
        return replace(facts, copy_sha256="", replaces=facts.copy_sha256, before=None)
    # Which face is whose is not known of marks, and those set by hand must not get lost.
    marks = tuple(mark if mark.score is None else replace(mark, covered=True, visible=()) for mark in facts.marks)
    return replace(facts, marks=marks, replaces=None, before=replace(facts, before=None))

"""The consent room: what people agreed to, and the deletions that follow when they no longer do."""

import asyncio
from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass
from datetime import date, datetime, timedelta

import structlog

from agent.domain.consent import Consent, ConsentState, Purpose
from agent.domain.edits import EditStep
from agent.domain.errors import StoreError
from agent.domain.events import StoredEvent
from agent.features.consent.queries import ConsentChange, ConsentPrints, ConsentQueries, PersonConsents
from agent.features.people.editor import IN_DOUBT, PeopleEditor
from agent.features.people.queries.consent_queries import ConsentEntry, day_of
from agent.infrastructure.core.memory_trimmer import MemoryTrimmer
from agent.infrastructure.core.service_context import Environment
from agent.infrastructure.core.settings import ConsentRequired
from agent.infrastructure.store.flags import BACKUPS_HOLD_PURGED

log = structlog.get_logger()


@dataclass(frozen=True, slots=True)
class Receipt:
    """What a withdrawal deleted."""

    at: datetime
    purpose: Purpose
    deleted: ConsentPrints
    backups_pending: bool
    """older backups still hold it, and are being replaced"""


class Consents:
    def __init__(self, library: ConsentQueries, people: PeopleEditor, trimmer: MemoryTrimmer, environment: Environment) -> None:
        self._library = library
        self._people = people
        self._trimmer = trimmer
        self._environment = environment

    @property
    def required(self) -> bool:
        """Whether recognition needs a person's consent."""
        wanted = self._environment.settings.value.consent.required
        return self._library.database.is_shared if wanted is ConsentRequired.AUTO else wanted is ConsentRequired.ALWAYS

    def today(self) -> date:
        return day_of(self._environment.clock())

    async def names(self) -> frozenset[str]:
        """Return the names of all people."""
        return frozenset((await asyncio.to_thread(self._library.person_names)).values())

    async def of(self, person_id: int) -> PersonConsents:
        """Raises PersonUnknown."""
        return await asyncio.to_thread(self._library.consents, person_id)

    async def ending(self, within_days: int) -> list[tuple[int, str, ConsentEntry]]:
        """Return valid consents that end within so many days."""
        today = self.today()
        return await asyncio.to_thread(self._library.consents_ending, today, today + timedelta(days=within_days))

    async def missing(self) -> list[tuple[int, str, datetime, int]]:
        """Return the people who are not recognised for want of consent."""
        return await asyncio.to_thread(self._library.consents_missing)

    async def give(self, who: int | str, said: Sequence[Consent], *, birth_date: date | None = None) -> ConsentChange:
        """Enter what a person, by id or name, agreed to or refused. Raises PersonUnknown, NameEmpty, ConsentGuardianNeeded."""
        if isinstance(who, str):
            await asyncio.to_thread(self._library.check_name, who)
        else:
            await asyncio.to_thread(self._library.check_people, [who], whole=False)
        return await self._change(lambda now: self._library.give_consents(who, said, now=now, note=IN_DOUBT, birth_date=birth_date))

    async def withdraw(self, person_id: int, purpose: Purpose, *, guardian: str = "", document: str = "") -> Receipt:
        """Withdraw consent. What it allowed to keep is deleted when this returns. Raises PersonUnknown, NoConsent."""
        await asyncio.to_thread(self._library.check_people, [person_id], whole=False)
        said = Consent(purpose=purpose, state=ConsentState.WITHDRAWN, given_on=self.today(), guardian=guardian, document=document)
        change = await self._change(lambda now: self._library.withdraw_consent(person_id, said, now=now, note=IN_DOUBT))
        pending = await asyncio.to_thread(self._library.noted, BACKUPS_HOLD_PURGED)
        return Receipt(self._environment.clock(), purpose, change.deleted, pending)

    async def follow(self) -> ConsentChange:
        """Apply the setting, and consents that ended. Raises StoreError."""
        if await asyncio.to_thread(self._library.consents_followed, self.required, now=self._environment.clock()):
            return ConsentChange(EditStep("consent", 0))
        return await self._change(lambda now: self._library.follow_consents(self.required, now=now, note=IN_DOUBT))

    async def follow_later(self, _: object = None) -> None:
        """Do the same, or an hour later if the library can't be written now."""
        try:
            await self.follow()
        except StoreError as error:
            log.error("consent.blocked", code=error.code)

    async def _change(self, write: Callable[[datetime], ConsentChange]) -> ConsentChange:
        done: list[ConsentChange] = []

        def written() -> tuple[EditStep, list[StoredEvent]]:
            done.append(write(self._environment.clock()))
            return done[0].step, done[0].events

        await self._people.change(written)
        [change] = done
        if any(change.deleted):
            # Deleted and overwritten already. There may be no room for a new file, or a reader at work: then it is done with the backups.
            with suppress(StoreError):
                await asyncio.to_thread(self._library.database.compact)
            await self._trimmer.now()
        if change.lapsed:
            log.info("consent.lapsed", people=len(change.lapsed), embeddings=change.deleted.embeddings)
        return change

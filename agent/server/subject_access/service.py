"""Links by which people see, take away and withdraw what is stored about them, without an account."""

import asyncio
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Final

from agent.domain.consent import ConsentState, Purpose
from agent.domain.errors import ConsentLinkGone, ConsentWithdrawn
from agent.features.consent.queries import PersonConsents
from agent.features.consent.service import Consents, Receipt
from agent.features.library.recipes import EMBEDDER
from agent.features.library.records import PersonFacts
from agent.features.people.export import held
from agent.features.people.queries.consent_queries import latest
from agent.features.people.queries.people_queries import PeopleQueries
from agent.infrastructure.core.actor import acting_as
from agent.server.accounts.secret_tokens import new_id, new_secret, sha256_of
from agent.server.accounts.sign_in_throttle import SignInAttempts
from agent.server.subject_access.queries import ConsentLinkQueries

BY_LINK: Final = "link"
"""the actor of what people do by their links; a member's id is longer"""
_ATTEMPTS: Final = ""  # an address's guesses count, not those at one link: none is guessed in 256 bits


@dataclass(frozen=True, slots=True)
class ConsentLink:
    secret: str
    expires_at: datetime

    @property
    def path(self) -> str:
        """Follows the server's address. A fragment: it is sent to no server and stands in no log."""
        return f"/#my-consent/{self.secret}"


@dataclass(frozen=True, slots=True)
class SubjectData:
    """What people see of themselves."""

    facts: PersonFacts
    consents: PersonConsents
    embeddings: int
    pictures: int  # of their face alone
    expires_at: datetime  # of the link

    def withdrawn_on(self, today: date) -> date | None:
        """Return when they withdrew, if nothing they agreed to is left and nothing is kept to recognise them; otherwise None."""
        last = {purpose: entry.consent for purpose, entry in latest(self.consents.entries).items()}
        withdrawn = {purpose: each.given_on for purpose, each in last.items() if each.state is ConsentState.WITHDRAWN}
        kept = self.embeddings or self.pictures or any(each.is_valid(today) for each in last.values())
        return None if kept or Purpose.RECOGNISE not in withdrawn else max(withdrawn.values())


class ConsentLinks:
    def __init__(
        self, links: ConsentLinkQueries, library: PeopleQueries, consents: Consents, attempts: SignInAttempts, clock: Callable[[], datetime]
    ) -> None:
        self._links = links
        self._library = library
        self._consents = consents
        self._attempts = attempts
        self._clock = clock

    async def make(self, person_id: int, days: int) -> ConsentLink:
        """Make a link for a person, in place of an earlier one.

        Its holder is told what all libraries hold of the person. Raises PersonUnknown, PersonElsewhere.
        """
        await asyncio.to_thread(self._library.check_people, [person_id], whole=True)
        now = self._clock()
        link = ConsentLink(new_secret(), now + timedelta(days=days))
        sha256 = sha256_of(link.secret)
        await asyncio.to_thread(self._links.make, person_id, new_id(), sha256, expires_at=link.expires_at, now=now)
        return link

    async def end(self, person_id: int) -> None:
        """Make a person's link useless. Raises PersonUnknown."""
        await asyncio.to_thread(self._links.end, person_id, now=self._clock())

    async def until(self, person_id: int) -> datetime | None:
        """Return when the person's link ends; None if they have none. Raises PersonUnknown."""
        return await asyncio.to_thread(self._links.until, person_id, self._clock())

    async def own_data(self, secret: str, address: str) -> SubjectData:
        """Raises ConsentLinkGone, TooManyAttempts."""
        return await self._own(*await self._person(secret, address))

    async def _own(self, person_id: int, expires_at: datetime) -> SubjectData:
        facts = await asyncio.to_thread(self._library.person, person_id)
        if facts is None:
            raise ConsentLinkGone
        embeddings, pictures = await asyncio.to_thread(self._links.held, person_id)
        return SubjectData(facts, await self._consents.of(person_id), embeddings, pictures, expires_at)

    async def withdraw(self, secret: str, purpose: Purpose, address: str) -> Receipt:
        """Raises ConsentLinkGone, NoConsent, TooManyAttempts."""
        person_id, _ = await self._person(secret, address)
        with acting_as(BY_LINK):
            return await self._consents.withdraw(person_id, purpose)

    async def export(self, secret: str, address: str) -> Iterator[bytes]:
        """Return JSON lines, without the places of photos: these say how the team keeps its files.

        Raises as `own_data`, and ConsentWithdrawn if there is nothing left to see.
        """
        person_id, expires_at = await self._person(secret, address)
        own = await self._own(person_id, expires_at)
        if (on := own.withdrawn_on(self._consents.today())) is not None:
            raise ConsentWithdrawn(on=on.isoformat())
        lines = await asyncio.to_thread(held, self._library, person_id, EMBEDDER, paths=False)
        with acting_as(BY_LINK):
            await asyncio.to_thread(self._library.note_export, person_id, now=self._clock())
        return lines

    async def _person(self, secret: str, address: str) -> tuple[int, datetime]:
        await self._attempts.begin(_ATTEMPTS, address)
        found = await asyncio.to_thread(self._links.person, sha256_of(secret), self._clock())
        if found is None:
            await self._attempts.failed(_ATTEMPTS, address)
            raise ConsentLinkGone
        await self._attempts.succeeded(_ATTEMPTS, address)
        return found

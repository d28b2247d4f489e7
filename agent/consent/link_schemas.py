"""The API schemas of people's own links."""

from datetime import date, datetime
from typing import Annotated, Literal, Self

from pydantic import Field

from agent.consent.links import OwnData
from agent.consent.schemas import PurposeName
from agent.people.queries.consent_rows import latest
from agent.web.base_schema import Schema


class MyConsentOut(Schema):
    """The last word on one purpose, as the person themselves sees it."""

    purpose: PurposeName
    state: Literal["given", "withdrawn"]
    given_on: date
    """or withdrawn"""
    valid_until: date | None
    guardian: str
    valid: bool


class MyConsentsOut(Schema):
    """What people see of themselves by their link."""

    name: str
    photos: int
    """that show them, as confirmed by a member"""
    pictures: int
    """of their face alone, kept to recognise them"""
    references: int
    """those of them that come from photos which a member sent for that, and which were not kept"""
    suggested: int
    """on which they were recognised and not confirmed"""
    face_prints: int
    required: bool
    recognised: bool
    consents: tuple[MyConsentOut, ...]
    expires_at: datetime
    """of the link"""

    @classmethod
    def of(cls, own: OwnData, today: date, *, required: bool) -> Self:
        consents = tuple(
            MyConsentOut.from_record(each.consent, purpose=each.consent.purpose.value, state=each.consent.state.value, valid=valid)
            for each in latest(own.consents.entries).values()
            for valid in [each.consent.is_valid(today)]
        )
        facts = own.facts
        return cls(
            name=facts.person.name,
            photos=facts.photos - facts.suggested,
            pictures=own.pictures,
            references=facts.person.references,
            suggested=facts.suggested,
            face_prints=own.embeddings,
            required=required,
            recognised=own.consents.recognised,
            consents=consents,
            expires_at=own.expires_at,
        )


class ConsentLinkWish(Schema):
    days: Annotated[int, Field(ge=1, le=365)] = 30
    """until the link ends"""


class ConsentLinkMade(Schema):
    path: str
    """after the server's address: `/#my-consent/…`; shown once"""
    expires_at: datetime


class ConsentLinkOut(Schema):
    expires_at: datetime | None
    """null: there is no link"""

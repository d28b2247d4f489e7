"""Routes of people's own links: made by members, used by anyone who holds one."""

from collections.abc import Callable
from datetime import date, datetime
from typing import Annotated, Literal, Self

from fastapi import FastAPI, Path
from fastapi.responses import StreamingResponse
from pydantic import Field

from agent.domain.consent import Purpose
from agent.features.consent.schemas import PurposeName, ReceiptOut
from agent.features.consent.service import Consents
from agent.features.people.queries.consent_queries import latest
from agent.infrastructure.core.i18n import Texts
from agent.interfaces.web.access import Scope, needs
from agent.interfaces.web.schema_base import Schema
from agent.interfaces.web.schemas import Id
from agent.server.accounts.callers import From
from agent.server.subject_access.page import own_page
from agent.server.subject_access.service import ConsentLinks, SubjectData

Secret = Annotated[str, Path(max_length=100)]


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
    withdrawn_on: date | None
    """when they withdrew, if nothing is left that they agreed to and nothing is kept to recognise them: then only `photos` is told"""

    @classmethod
    def of(cls, own: SubjectData, today: date, *, required: bool) -> Self:
        withdrawn_on = own.withdrawn_on(today)
        if withdrawn_on is not None:
            return cls._withdrawn(own, withdrawn_on, required=required)
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
            withdrawn_on=None,
        )

    @classmethod
    def _withdrawn(cls, own: SubjectData, on: date, *, required: bool) -> Self:
        return cls(
            name="",
            photos=own.facts.photos - own.facts.suggested,
            pictures=0,
            references=0,
            suggested=0,
            face_prints=0,
            required=required,
            recognised=False,
            consents=(),
            expires_at=own.expires_at,
            withdrawn_on=on,
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


def consent_link_routes(api: FastAPI, links: ConsentLinks, consents: Consents, texts: Callable[[], Texts]) -> None:
    """Add the routes of a server's links to `api`."""

    @api.get("/api/people/{person_id}/consent-link", openapi_extra=needs(Scope.CONSENT_READ))
    async def link(person_id: Id) -> ConsentLinkOut:
        return ConsentLinkOut(expires_at=await links.until(person_id))

    @api.post("/api/people/{person_id}/consent-link", openapi_extra=needs(Scope.CONSENT_WRITE))
    async def make(person_id: Id, wish: ConsentLinkWish) -> ConsentLinkMade:
        """Make a link by which the person sees and withdraws what they agreed to. An earlier one ends."""
        return ConsentLinkMade.from_record(await links.make(person_id, wish.days))

    @api.delete("/api/people/{person_id}/consent-link", status_code=204, openapi_extra=needs(Scope.CONSENT_WRITE))
    async def end(person_id: Id) -> None:
        await links.end(person_id)

    @api.get("/api/consent-links/{token}", openapi_extra=needs(Scope.OPEN))
    async def own_data(token: Secret, caller: From) -> MyConsentsOut:
        """Return what is stored about the person whose link this is."""
        return MyConsentsOut.of(await links.own_data(token, caller.address), consents.today(), required=consents.required)

    @api.post("/api/consent-links/{token}/{purpose}/withdraw", openapi_extra=needs(Scope.OPEN))
    async def withdraw(token: Secret, purpose: PurposeName, caller: From) -> ReceiptOut:
        """Withdraw consent. For recognition, the person's face prints are deleted when this answers."""
        return ReceiptOut.of(await links.withdraw(token, Purpose(purpose), caller.address))

    @api.get(
        "/api/consent-links/{token}/export",
        response_class=StreamingResponse,
        responses={200: {"content": {"application/x-ndjson": {}}}},
        openapi_extra=needs(Scope.OPEN),
    )
    async def export(token: Secret, caller: From) -> StreamingResponse:
        """Return everything stored about the person, a JSON line for them and one for each face."""
        lines = await links.export(token, caller.address)
        return StreamingResponse(lines, media_type="application/x-ndjson", headers=_file("my-data.jsonl"))

    @api.get(
        "/api/consent-links/{token}/page",
        response_class=StreamingResponse,
        responses={200: {"content": {"text/html": {}}}},
        openapi_extra=needs(Scope.OPEN),
    )
    async def page(token: Secret, caller: From) -> StreamingResponse:
        """Return the same as a page to read, without the numbers of face prints."""
        lines = await links.export(token, caller.address)
        return StreamingResponse(own_page(lines, texts()), media_type="text/html; charset=utf-8", headers=_file("my-data.html"))


def _file(name: str) -> dict[str, str]:
    return {"content-disposition": f'attachment; filename="{name}"', "cache-control": "private, no-store"}

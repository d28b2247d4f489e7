"""Routes of consent: what a person agreed to, its withdrawal, and what ends soon."""

from typing import Annotated

from fastapi import FastAPI, Query

from agent.domain.consent import Purpose
from agent.features.consent.schemas import (
    ConsentGiven,
    EndingConsent,
    EndingConsents,
    MissingConsent,
    MissingConsents,
    OnListOut,
    PersonConsentsOut,
    PersonOnList,
    PurposeName,
    ReceiptOut,
    WithdrawRequest,
    on_list,
)
from agent.features.consent.service import Consents
from agent.interfaces.web.access import Scope, needs
from agent.interfaces.web.schemas import Id


def consent_routes(api: FastAPI, consents: Consents) -> None:
    """Add the routes of consent to `api`."""

    @api.get("/api/people/{person_id}/consents", openapi_extra=needs(Scope.CONSENT_READ))
    async def of_person(person_id: Id) -> PersonConsentsOut:
        return PersonConsentsOut.of(await consents.of(person_id), consents.today(), required=consents.required)

    @api.put("/api/people/{person_id}/consents", openapi_extra=needs(Scope.CONSENT_WRITE))
    async def give(person_id: Id, given: ConsentGiven) -> PersonConsentsOut:
        """Enter what they agreed to or refused. An earlier word on the same purpose becomes history."""
        await consents.give(person_id, given.said(consents.today()))
        return await of_person(person_id)

    @api.post("/api/people/{person_id}/consents/{purpose}/withdraw", openapi_extra=needs(Scope.CONSENT_WRITE))
    async def withdraw(person_id: Id, purpose: PurposeName, asked: WithdrawRequest) -> ReceiptOut:
        """Withdraw consent. For recognition, their face prints are deleted when this answers."""
        receipt = await consents.withdraw(person_id, Purpose(purpose), guardian=asked.guardian, document=asked.document)
        return ReceiptOut.of(receipt)

    @api.get("/api/consents", openapi_extra=needs(Scope.CONSENT_READ))
    async def ending(ending_within_days: Annotated[int, Query(ge=0, le=3_650)] = 30) -> EndingConsents:
        """Return valid consents that end within so many days."""
        return EndingConsents(items=tuple(EndingConsent.ending(*each) for each in await consents.ending(ending_within_days)))

    @api.get("/api/consents/missing", openapi_extra=needs(Scope.CONSENT_READ))
    async def missing() -> MissingConsents:
        """Return the people who are not recognised for want of consent."""
        found = await consents.missing()
        return MissingConsents(items=tuple(MissingConsent(person_id=i, person=n, since=s, faces=f) for i, n, s, f in found))

    @api.post("/api/consents/people", openapi_extra=needs(Scope.CONSENT_WRITE))
    async def enter(person: PersonOnList) -> OnListOut:
        """Enter a person of a class list. Entering the same again changes nothing."""
        return on_list(await consents.give(person.name, person.said(consents.today()), birth_date=person.birth_date))

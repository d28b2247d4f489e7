"""Routes of people's own links: made by members, used by anyone who holds one."""

from collections.abc import Callable
from typing import Annotated

from fastapi import FastAPI, Path
from fastapi.responses import StreamingResponse

from agent.accounts.callers import From
from agent.consent.link_schemas import ConsentLinkMade, ConsentLinkOut, ConsentLinkWish, MyConsentsOut
from agent.consent.links import ConsentLinks
from agent.consent.own_page import own_page
from agent.consent.schemas import PurposeName, ReceiptOut
from agent.consent.service import Consents
from agent.core.i18n import Texts
from agent.domain.consent import Purpose
from agent.web.access import Scope, needs
from agent.web.schemas import Id

Secret = Annotated[str, Path(max_length=100)]


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

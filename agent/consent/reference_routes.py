"""Routes of a team server for class lists with reference photos: the list is checked, then people and photos come one by one."""

import asyncio
from collections.abc import Callable
from typing import Annotated, Final

from fastapi import FastAPI, Query, Request

from agent.consent import class_list
from agent.consent.list_schemas import ListRead, ReferenceOut
from agent.consent.references import ReferencePhotos
from agent.consent.service import Consents
from agent.core.i18n import Texts
from agent.core.settings import Settings
from agent.domain.errors import ConsentListTooLarge
from agent.web.access import Scope, needs
from agent.web.received import received
from agent.web.schemas import Id

MOST_OF_LIST: Final = 2_000_000
"""bytes"""
_TABLE: Final = {"requestBody": {"content": {"text/csv": {"schema": {"type": "string", "format": "binary"}}}}}
_PHOTO: Final = {"requestBody": {"content": {"image/*": {"schema": {"type": "string", "format": "binary"}}}}}


def reference_routes(
    api: FastAPI, references: ReferencePhotos, consents: Consents, settings: Callable[[], Settings], texts: Callable[[], Texts]
) -> None:
    """Add them to `api`."""

    @api.post("/api/consents/list", openapi_extra=_TABLE | needs(Scope.CONSENT_WRITE))
    async def check(request: Request) -> ListRead:
        """Return the people of a class list, a CSV file, and what is wrong with its other lines. Nothing is entered."""
        content = b""
        async for part in request.stream():
            content += part
            if len(content) > MOST_OF_LIST:
                raise ConsentListTooLarge(megabytes=MOST_OF_LIST // 1_000_000)
        people, wrong = await asyncio.to_thread(class_list.read, content, consents.today(), lambda _: True)
        return ListRead.of(people, wrong, await consents.names(), references.libraries.names(), texts())

    @api.post("/api/people/{person_id}/references", openapi_extra=_PHOTO | needs(Scope.PEOPLE_WRITE))
    async def add(person_id: Id, request: Request, into: Annotated[str, Query(max_length=200)] = "") -> ReferenceOut:
        """Make the face on a photo a reference of a person who agreed to recognition. The photo itself is not kept.

        It goes `into` a library, by name; if there is one alone, it need not be named. The same photo again changes nothing.
        """
        async with received(request.stream(), settings().engine.max_megabytes) as path:
            return ReferenceOut(added=await references.add(person_id, path, into))

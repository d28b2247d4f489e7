"""Routes of a team server for class lists with reference photos: the list is checked, then people and photos come one by one."""

import asyncio
from collections.abc import Callable
from typing import Annotated, Final

from fastapi import FastAPI, Query, Request

from agent.domain.errors import ConsentListTooLarge
from agent.features.consent import roster
from agent.features.consent.roster_schemas import ListRead, ReferenceOut, ReferencesOut, ResembledPerson
from agent.features.consent.service import Consents
from agent.features.people.schemas import Edited, FaceRef
from agent.infrastructure.core.access_scope import reaching
from agent.infrastructure.core.i18n import Texts
from agent.infrastructure.core.settings import Settings
from agent.interfaces.web.access import Scope, needs
from agent.interfaces.web.schemas import Id, Problem
from agent.interfaces.web.scoped_route import Who
from agent.interfaces.web.upload_spool import received
from agent.server.reference_photos.service import AddedReference, ReferencePhotos

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
        people, wrong = await asyncio.to_thread(roster.read, content, consents.today(), lambda _: True)
        ignored = roster.ignored_columns(content)
        return ListRead.of(people, wrong, await consents.names(), ignored, references.libraries.names(), texts())

    @api.post("/api/people/{person_id}/references", openapi_extra=_PHOTO | needs(Scope.PEOPLE_WRITE))
    async def add(person_id: Id, request: Request, into: Annotated[str, Query(max_length=200)] = "") -> ReferenceOut:
        """Make the face on a photo a reference of a person who agreed to recognition. The photo itself is not kept.

        It goes `into` a library, by name; if there is one alone, it need not be named. The same photo again changes nothing.
        A face that resembles another person more is taken, too: `resembles` is that person.
        """
        async with received(request.stream(), settings().engine.max_megabytes) as path:
            added = await references.add(person_id, path, into)
        return _answer_of(added)

    @api.get("/api/people/{person_id}/references", openapi_extra=needs(Scope.PEOPLE_READ))
    async def held(person_id: Id, who: Who) -> ReferencesOut:
        """Return a person's reference photos. Members who can add one are told to which libraries, or why not."""
        items = tuple(map(FaceRef.of, await references.of(person_id)))
        if Scope.PEOPLE_WRITE not in who.scopes:
            return ReferencesOut(items=items, libraries=(), refusal=None)
        with reaching(who.reach(Scope.PEOPLE_WRITE)):
            libraries, why = references.libraries.names(), await references.check_can_add(person_id)
        return ReferencesOut(items=items, libraries=tuple(libraries), refusal=why and Problem.of(why, texts()))

    @api.delete("/api/people/{person_id}/references/{face_id}", openapi_extra=needs(Scope.PEOPLE_WRITE))
    async def remove(person_id: Id, face_id: Id) -> Edited:
        """Remove a reference photo of a person."""
        step = await references.remove(person_id, face_id)
        return Edited(undo=step.token, count=step.count, person_id=step.person_id)


def _answer_of(added: AddedReference) -> ReferenceOut:
    other = added.resembles
    return ReferenceOut(
        added=added.step.count > 0,
        undo=added.step.token,
        resembles=None if other is None else ResembledPerson(id=other.id, name=other.name),
    )

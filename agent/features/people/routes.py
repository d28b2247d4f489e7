"""Routes of people: known people, doubtful and unnamed faces, and the user's edits."""

import asyncio
from collections.abc import Awaitable, Callable
from datetime import date, datetime
from typing import Annotated

from fastapi import FastAPI, Query, Request
from fastapi.responses import StreamingResponse

from agent.domain.errors import Forbidden, NotFound, PersonUnknown
from agent.features.library.recipes import EMBEDDER
from agent.features.people.cluster_cards import ClusterCards
from agent.features.people.clusters import ClusterUpdater
from agent.features.people.edit_schemas import Draft, Edit, KeepNames, LibraryUndo, NameFace, Undo, VerifyRequest, wish
from agent.features.people.editor import PeopleEditor
from agent.features.people.export import held
from agent.features.people.face_search import FaceSearch
from agent.features.people.name_drafts import Drafts
from agent.features.people.queries.people_queries import PeopleQueries
from agent.features.people.queries.search_filter import FaceSearchFilter
from agent.features.people.review import Review
from agent.features.people.schemas import (
    Doubt,
    Doubts,
    Edited,
    FaceRef,
    Forgotten,
    Group,
    GroupFaces,
    Groups,
    NameConflict,
    PersonDetail,
    PersonFace,
    PersonFaces,
    PersonOut,
    Step,
    Steps,
    Verified,
)
from agent.features.people.search_schemas import FaceSearchOut
from agent.features.people.sidecars.sidecar_names import SidecarNames
from agent.features.people.verify import Verification as Verification
from agent.infrastructure.core.access_scope import everything, reaching
from agent.infrastructure.core.settings import Settings
from agent.interfaces.web.access import Scope, needs
from agent.interfaces.web.schemas import Id
from agent.interfaces.web.scoped_route import Who
from agent.interfaces.web.upload_spool import received

Limit = Annotated[int, Query(ge=1, le=500)]
Offset = Annotated[int, Query(ge=0, lt=2**31)]


PHOTO = {"requestBody": {"content": {"image/*": {"schema": {"type": "string", "format": "binary"}}}}}


def people_routes(
    api: FastAPI, library: PeopleQueries, sidecars: SidecarNames, settings: Callable[[], Settings], clock: Callable[[], datetime]
) -> None:
    """Add the routes of known people to `api`."""

    @api.get("/api/people", openapi_extra=needs(Scope.PEOPLE_READ))
    async def people() -> tuple[PersonOut, ...]:
        days = settings().recognition.person_days
        overdue = await asyncio.to_thread(library.overdue, now=clock(), usual_days=days)
        return tuple(PersonOut.of(known, overdue=known.id in overdue) for known in await asyncio.to_thread(library.people))

    @api.get("/api/people/conflicts", openapi_extra=needs(Scope.PEOPLE_READ))
    async def conflicts() -> tuple[NameConflict, ...]:
        """Return conflicts in photos that the library page shows."""
        found = await sidecars.conflicts()
        faces = {face.id: face for face in await asyncio.to_thread(library.face_refs, {each.face_id for each in found})}
        return tuple(NameConflict.of(each, faces[each.face_id]) for each in found if each.face_id in faces)

    @api.post("/api/people/conflicts", status_code=204, openapi_extra=needs(Scope.PEOPLE_WRITE))
    async def keep(asked: KeepNames) -> None:
        await sidecars.keep(asked.face_ids, kept=asked.kept)

    @api.get("/api/people/{person_id}", openapi_extra=needs(Scope.PEOPLE_READ))
    async def person(person_id: Id, who: Who) -> PersonDetail:
        found = await asyncio.to_thread(library.person, person_id)
        if found is None:
            raise PersonUnknown
        detail = PersonDetail.of(found, settings().recognition.person_days)
        with reaching(who.reach(Scope.PEOPLE_WRITE)):
            knows = Scope.PEOPLE_WRITE in who.scopes and not await asyncio.to_thread(library.elsewhere, [person_id])
        return detail if knows else detail.without_private_facts()

    @api.get("/api/people/{person_id}/faces", openapi_extra=needs(Scope.PEOPLE_READ))
    async def faces(person_id: Id, limit: Limit = 200, offset: Offset = 0) -> PersonFaces:
        items, total = await asyncio.to_thread(library.person_faces, person_id, limit=limit, offset=offset)
        return PersonFaces(items=tuple(map(PersonFace.of, items)), total=total)

    @api.get(
        "/api/people/{person_id}/export",
        response_class=StreamingResponse,
        responses={200: {"content": {"application/x-ndjson": {}}}},
        openapi_extra=needs(Scope.PEOPLE_ERASE),
    )
    async def export(person_id: Id) -> StreamingResponse:
        """Return everything stored about a person, a JSON line for them and one for each face."""
        await asyncio.to_thread(library.check_people, [person_id], whole=True)
        lines = await asyncio.to_thread(held, library, person_id, EMBEDDER)
        await asyncio.to_thread(library.note_export, person_id, now=clock())
        headers = {"content-disposition": f'attachment; filename="person-{person_id}.jsonl"', "cache-control": "private, no-store"}
        return StreamingResponse(lines, media_type="application/x-ndjson", headers=headers)


def waiting_routes(api: FastAPI, cards: ClusterCards, review: Review) -> None:
    """Add the routes of faces that wait for an answer to `api`."""

    @api.get("/api/groups", openapi_extra=needs(Scope.PEOPLE_WRITE))
    async def groups(limit: Limit = 60, offset: Offset = 0) -> Groups:
        items, total = await cards.page(limit=limit, offset=offset)
        return Groups(items=tuple(map(Group.of, items)), total=total)

    @api.get("/api/groups/{group_id}", openapi_extra=needs(Scope.PEOPLE_WRITE))
    async def group(group_id: Id) -> GroupFaces:
        found, doubtful = await cards.faces(group_id)
        if not found:
            raise NotFound
        return GroupFaces(items=tuple(map(FaceRef.of, found)), doubtful=doubtful)

    @api.get("/api/doubts", openapi_extra=needs(Scope.PEOPLE_WRITE))
    async def doubts(limit: Limit = 20, person_id: Id | None = None) -> Doubts:
        items, total = await review.questions(limit=limit, person_id=person_id)
        return Doubts(items=tuple(map(Doubt.of, items)), total=total)


def clustering_routes(api: FastAPI, clusters: ClusterUpdater) -> None:
    """Add the route that has groups formed now to `api`."""

    @api.post("/api/groups/refresh", status_code=204, openapi_extra=needs(Scope.PEOPLE_WRITE))
    async def refresh() -> None:
        """Place the faces that are in no group yet, without waiting for an idle moment."""
        with everything():
            await clusters.bring_up_to_date()


def naming_routes(
    api: FastAPI,
    people: PeopleEditor,
    library: PeopleQueries,
    drafts: Drafts,
    settings: Callable[[], Settings],
    now: Callable[[], datetime],
) -> None:
    """Add the routes of names, entered or drafts, to `api`."""

    @api.post("/api/people", openapi_extra=needs(Scope.PEOPLE_WRITE))
    async def name_face(named: NameFace) -> PersonOut:
        person_id = await people.name_face(named.face_id, named.name)
        await asyncio.to_thread(drafts.drop_drafts, [named.face_id])
        known = await asyncio.to_thread(library.people)
        return next(PersonOut.of(person) for person in known if person.id == person_id)

    @api.get("/api/drafts", openapi_extra=needs(Scope.PEOPLE_WRITE))
    async def begun() -> tuple[Draft, ...]:
        if not settings().recognition.enabled:
            await asyncio.to_thread(drafts.clear_drafts)  # nothing is kept while recognition is off
        return tuple(Draft(face_id=face_id, name=name) for face_id, name in await asyncio.to_thread(drafts.drafts))

    @api.post("/api/drafts", status_code=204, openapi_extra=needs(Scope.PEOPLE_WRITE))
    async def begin(draft: Draft) -> None:
        """Keep what was typed of a name; an empty one is kept no longer."""
        if not draft.name:
            await asyncio.to_thread(drafts.drop_drafts, [draft.face_id])
        elif settings().recognition.enabled:
            await asyncio.to_thread(drafts.put_draft, draft.face_id, draft.name, now())

    @api.post("/api/library/undo", status_code=204, openapi_extra=needs(Scope.PHOTOS_WRITE))
    async def undo(asked: LibraryUndo, who: Who) -> None:
        """Undo any step, including the consequences of one about people: for those who may name people."""
        scope = Scope.PEOPLE_WRITE if await asyncio.to_thread(library.is_of_people, asked.undo) else Scope.PHOTOS_WRITE
        if scope not in who.scopes:
            raise Forbidden(scope=scope)
        with reaching(who.reach(scope)):
            await people.undo(asked.undo)


def editing_routes(api: FastAPI, people: PeopleEditor, library: PeopleQueries, drafts: Drafts) -> None:
    """Add the routes of edits and their undo to `api`."""

    @api.post("/api/people/edits", openapi_extra=needs(Scope.PEOPLE_WRITE))
    async def edit(asked: Edit) -> Edited:
        step = await people.edit(wish(asked))
        await asyncio.to_thread(drafts.drop_drafts, step.faces)
        return Edited(undo=step.token, count=step.count, person_id=step.person_id)

    @api.post("/api/people/{person_id}/forget", openapi_extra=needs(Scope.PEOPLE_ERASE))
    async def forget(person_id: Id) -> Forgotten:
        """Forget a person. This can't be undone."""
        gone = await people.forget(person_id)
        await asyncio.to_thread(drafts.clear_drafts)  # their name may be among the drafts
        return Forgotten.from_record(gone)

    @api.get("/api/steps", openapi_extra=needs(Scope.PEOPLE_WRITE))
    async def steps() -> Steps:
        back, again = await asyncio.to_thread(library.steps)
        return Steps(undo=back and Step.of(back), redo=again and Step.of(again))

    @api.post("/api/undo", openapi_extra=needs(Scope.PEOPLE_WRITE))
    async def undo(asked: Undo) -> Step:
        """Undo the token's step, or the latest one."""
        return Step.of(await people.undo(asked.undo))

    @api.post("/api/redo", openapi_extra=needs(Scope.PEOPLE_WRITE))
    async def redo() -> Step:
        return Step.of(await people.do_again())


def search_routes(
    api: FastAPI, search: FaceSearch, compare: Callable[[str, str], Awaitable[Verification]], settings: Callable[[], Settings]
) -> None:
    """Add the routes that search for a face, or compare two, to `api`."""

    @api.post("/api/search/face", openapi_extra=PHOTO | needs(Scope.PEOPLE_SEARCH))
    async def search_face(
        request: Request,
        person: Id | None = None,
        after: date | None = None,
        before: date | None = None,
    ) -> FaceSearchOut:
        """Return faces similar to those of the sent photo, which is not kept; only a person's, or those on photos of some days."""
        async with received(request.stream(), settings().engine.max_megabytes) as path:
            return FaceSearchOut.of(await search.search(path, FaceSearchFilter(person, after, before)))

    @api.post("/api/faces/{face_id}/search", openapi_extra=needs(Scope.PEOPLE_SEARCH))
    async def search_by_face(face_id: Id, person: Id | None = None, after: date | None = None, before: date | None = None) -> FaceSearchOut:
        """Return faces similar to one of the library; only a person's, or those on photos of some days."""
        return FaceSearchOut.of(await search.search_face(face_id, FaceSearchFilter(person, after, before)))

    @api.post("/api/verify", openapi_extra=needs(Scope.DESKTOP))
    async def verify(asked: VerifyRequest) -> Verified:
        """Compare two photos, for this answer only; nothing is stored."""
        return Verified.from_record(await compare(*asked.paths))

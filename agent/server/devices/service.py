"""The desks room: desktop agents join, are told of people as they change, and send what was named there."""

import asyncio
from collections.abc import Callable
from datetime import datetime
from typing import Final

from agent.domain.edits import EditStep
from agent.domain.errors import Forbidden
from agent.domain.events import PeopleChanged, RecognitionPurged, StoredEvent
from agent.features.people.editor import IN_DOUBT, PeopleEditor
from agent.infrastructure.core.access_scope import everything, reaching
from agent.infrastructure.core.observable import wait_for_any
from agent.interfaces.web.access import Principal, Scope, scopes_of
from agent.interfaces.web.desk_exchange import WAIT_S, DeskOperation, DeskResult, PeoplePage
from agent.server.accounts.service import Accounts
from agent.server.devices.desk_uploads import DeskUploads
from agent.server.devices.join_queries import DeskGrant, PendingJoin
from agent.server.devices.joining import Joining
from agent.server.devices.queries import DeskQueries
from agent.server.devices.renames import KNOWN

_SCOPES: Final = (Scope.PEOPLE_RECOGNISE, Scope.PEOPLE_WRITE, Scope.PHOTOS_UPLOAD)
_LOOK_S: Final = 600.0  # consents that end by date


class Desks:
    def __init__(
        self,
        library: DeskQueries,
        people: PeopleEditor,
        accounts: Accounts,
        joining: Joining,
        uploads: DeskUploads,
        clock: Callable[[], datetime],
        recognises: Callable[[], bool],
    ) -> None:
        self.joining = joining
        self.photos = uploads.photos
        self.uploads = uploads
        self._library = library
        self._people = people
        self._accounts = accounts
        self._clock = clock
        self._recognises = recognises
        self._changed = asyncio.Event()  # replaced with each change, so that all who wait are woken
        self._renewed: asyncio.Event | None = None
        self._renewed_at = 0.0
        self._renewing = asyncio.Lock()

    def happened(self, recorded: StoredEvent) -> None:
        """Take note of an event of the library."""
        if isinstance(recorded.event, PeopleChanged | RecognitionPurged):
            changed, self._changed = self._changed, asyncio.Event()
            changed.set()

    async def decide(self, user_code: str, who: Principal, *, allow: bool) -> None:
        """A member confirms or refuses a desktop. Raises JoinCodeGone, TooManyAttempts, BadRequest."""
        asked = await self.joining.decide(user_code, who.id, allow=allow)
        if not allow:
            return
        try:
            member = await self._accounts.members.get(who.id)
            scopes = scopes_of(member.role, [each.value for each in _SCOPES])
            if Scope.PEOPLE_RECOGNISE not in scopes:
                raise Forbidden(scope=Scope.PEOPLE_RECOGNISE)
            _, token = await self._accounts.tokens.add(member, asked.computer, scopes, days=None)
            await asyncio.to_thread(self._library.joined, scopes, member.id, now=self._clock())
            await self.joining.grant(user_code, DeskGrant(token, member.display_name, Scope.PEOPLE_WRITE in scopes))
        except BaseException:
            await self.joining.grant(user_code, None)
            raise

    async def answer(self, device_code: str) -> PendingJoin | None:
        """Return what became of a desktop's request; None if it has expired."""
        return await self.joining.take(device_code)

    async def leave(self, who: Principal, token_id: str) -> None:
        """End a desktop's token."""
        await self._accounts.tokens.remove(who.id, token_id)
        await asyncio.to_thread(self._library.left, who.id, now=self._clock())

    async def people(self, generation: int, after: int, over: asyncio.Event | None = None, desk_id: str | None = None) -> PeoplePage:
        """Return what changed after that number. If nothing did and `over` is given, wait a while for a change, or until it is over.

        When it is over, who asks may have ended or see other people: nothing is told, and the next question finds out.
        """
        loop = asyncio.get_running_loop()
        until = loop.time() + WAIT_S
        while True:
            changed = self._changed
            await self._renew(changed)
            page = await asyncio.to_thread(self._library.feed, generation, after, desk_id, now=self._clock())
            left = until - loop.time()
            if over is not None and over.is_set():
                return page.model_copy(update={"cursor": after, "reset": False, "more": False, "people": (), "faces": ()})
            if page.people or page.faces or page.reset or over is None or left <= 0:
                return page
            await wait_for_any((changed, over), left)

    async def operate(self, asked: DeskOperation, who: Principal, desk_id: str | None = None) -> DeskResult:
        """Do what was done at a desk, once."""
        done: list[DeskResult] = []

        def write() -> tuple[EditStep, list[StoredEvent]]:
            may_name = Scope.PEOPLE_WRITE in who.scopes
            result, step, events = self._library.operate(
                asked, known, may_name=may_name, recognises=self._recognises(), now=self._clock(), note=IN_DOUBT, desk_id=desk_id
            )
            done.append(result)
            return step, events

        with reaching(who.reach(Scope.PEOPLE_RECOGNISE if asked.kind in ("receipt", KNOWN) else Scope.PEOPLE_WRITE)):
            # The change itself goes beyond reach, because people are of all libraries.
            known = await asyncio.to_thread(self._library.within_reach, asked)
            await self._people.change(write)
        return done[0]

    async def _renew(self, seen: asyncio.Event) -> None:
        now = asyncio.get_running_loop().time()
        async with self._renewing:
            if self._renewed is seen and now - self._renewed_at < _LOOK_S:
                return
            with everything():  # it is everyone's
                await asyncio.to_thread(self._library.renew_feed, now=self._clock())
            self._renewed, self._renewed_at = seen, now

"""People and names between this desktop and its team's server."""

import asyncio
import uuid
from collections.abc import Coroutine
from contextlib import suppress

import structlog

from agent.desktop.team_client.connection import TeamConnection
from agent.desktop.team_client.queries import TeamQueries
from agent.desktop.team_client.records import Left, Link
from agent.desktop.team_client.synced_face_queries import Keep
from agent.domain.consent import Consent, ConsentState, Purpose
from agent.domain.edits import EditStep
from agent.domain.errors import ConsentGuardianNeeded, NoConsent, NotFound, PersonUnknown, TeamEmbedderDiffers
from agent.domain.events import StoredEvent
from agent.features.consent.service import Consents
from agent.features.library.recipes import EMBEDDER, recognises
from agent.features.people.editor import PeopleEditor
from agent.infrastructure.core.observable import ChangeSignal
from agent.infrastructure.core.service_context import Environment
from agent.interfaces.web.desk_exchange import NO_ONE, WAIT_S, DeskOperation, FaceAt, FaceNamed, PeoplePage, Sharing

log = structlog.get_logger()


class TeamNames:
    """Follows the server's people, and sends what is named here. For use in the event loop."""

    def __init__(self, library: TeamQueries, people: PeopleEditor, consents: Consents, environment: Environment) -> None:
        self.changed = ChangeSignal()
        self.began_anew = ChangeSignal()
        """the server told everything again"""
        self._library = library
        self._people = people
        self._consents = consents
        self._environment = environment
        self._to_send = asyncio.Event()
        self._to_follow = asyncio.Event()
        self._sent = asyncio.Event()
        people.said.subscribe(lambda _: self._to_send.set())
        environment.settings.subscribe(lambda _: self._to_follow.set())

    def send_soon(self) -> None:
        """Something waits to be sent."""
        self._to_send.set()

    async def follow(self, server: TeamConnection) -> None:
        """Take what changed at the server, or wait for it. Raises AgentError."""
        self._to_follow.clear()
        link = await asyncio.to_thread(self._library.link)
        if link is None or not recognises(self._environment.settings.value):
            await self._to_follow.wait()
            return
        self._sent.clear()
        page = await self._unless_changed(server.people(link.generation, link.cursor))
        if page is None:
            return
        if page.embedder != EMBEDDER:
            raise TeamEmbedderDiffers
        faces = await asyncio.to_thread(self._library.ready, page.faces)
        if page.people or faces or page.reset or page.cursor != link.cursor:
            await self._take(page.model_copy(update={"faces": faces}), link)
        if faces:  # only now: if this computer ends before, it is told again
            await server.operate([_known(each) for each in faces])
        elif page.faces:
            with suppress(TimeoutError):
                async with asyncio.timeout(WAIT_S):
                    await self._sent.wait()

    async def _unless_changed(self, asking: Coroutine[None, None, PeoplePage]) -> PeoplePage | None:
        """Return the answer; None if the settings change before: what is wanted may be another."""
        asked, changed = asyncio.create_task(asking), asyncio.create_task(self._to_follow.wait())
        try:
            await asyncio.wait((asked, changed), return_when=asyncio.FIRST_COMPLETED)
            return await asked if asked.done() else None
        finally:
            for task in (asked, changed):
                task.cancel()
            await asyncio.gather(asked, changed, return_exceptions=True)

    async def _take(self, page: PeoplePage, link: Link) -> None:
        deleted: dict[str, int] = {}
        gone = [each.uid for each in page.people if each.state is Sharing.WITHDRAWN]
        for uid, (person_id, held) in (await asyncio.to_thread(self._library.people_withdrawn, gone)).items():
            try:
                receipt = await self._consents.withdraw(person_id, Purpose.RECOGNISE, document=link.name)
                deleted[uid] = receipt.deleted.embeddings + held
            except (NoConsent, PersonUnknown):  # withdrawn here, too
                deleted[uid] = 0
        shared = [each.uid for each in page.people if each.state is Sharing.SHARED]
        for person_id in await asyncio.to_thread(self._library.people_returned, shared, link.name):
            given = Consent(purpose=Purpose.RECOGNISE, state=ConsentState.GIVEN, given_on=self._consents.today(), document=link.name)
            try:
                await self._consents.give(person_id, [given])
            except (ConsentGuardianNeeded, PersonUnknown) as error:
                log.warning("team.consent_not_taken", code=error.code)

        def write() -> tuple[EditStep, list[StoredEvent]]:
            return self._library.take(page, deleted, now=self._environment.clock())

        await self._people.change(write)
        self._to_send.set()  # receipts
        if page.reset:
            self.began_anew.notify()
        self.changed.notify()

    async def send(self, server: TeamConnection) -> None:
        """Send what was said here, or wait for it. Raises AgentError."""
        self._to_send.clear()
        waiting = await asyncio.to_thread(self._library.outbox)
        if not waiting:
            await self._to_send.wait()
            return
        results = await server.operate(waiting)
        await asyncio.to_thread(self._library.answered, results.items)
        self._sent.set()
        self.changed.notify()

    async def settle(self, uid: str, keep: Keep) -> None:
        """Settle a conflict of two names. Raises NotFound."""
        found: list[bool] = []

        def write() -> tuple[EditStep, list[StoredEvent]]:
            settled = self._library.settle(uid, keep, now=self._environment.clock())
            found.append(settled is not None)
            return settled or (EditStep("describe", 0), [])

        await self._people.change(write)
        if not found[0]:
            raise NotFound
        self._to_send.set()
        self.changed.notify()

    async def wipe(self, *, ended: bool = False) -> Left | None:
        """Delete all that came from the server; None if none was joined. `ended`: it was the server that ended it."""
        done: list[Left | None] = []

        def write() -> tuple[EditStep, list[StoredEvent]]:
            step, events, left = self._library.leave(ended=ended, now=self._environment.clock())
            done.append(left)
            return step, events

        await self._people.change(write)
        return done[0]


def _known(face: FaceNamed) -> DeskOperation:
    """Return what says that this computer took the team's name of a face."""
    at = FaceAt(**face.model_dump(exclude={"person_uid", "name"}))
    return DeskOperation(uid=uuid.uuid4().hex, kind="known", person_uid=face.person_uid or NO_ONE, base=face.person_uid, face=at)

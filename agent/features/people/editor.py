"""Edits of people and faces and their undo; other faces are identified again afterwards."""

import asyncio
from collections.abc import Callable, Collection, Mapping, Sequence
from contextlib import AbstractAsyncContextManager, AsyncExitStack, suppress
from functools import partial

import structlog

from agent.domain.edits import Edit, EditStep, ForgottenPerson, ImportNamesEdit, NameFacesEdit, NameManyEdit
from agent.domain.errors import AgentError, EngineError, NothingToUndo, RecognitionOff, SettingsError, StoreError
from agent.domain.events import ImageIndexed, StoredEvent
from agent.domain.face import Analysis
from agent.domain.identity_matching import IdentificationResult
from agent.features.library.recipes import recognises
from agent.features.people.erasure_list import ErasureList
from agent.features.people.identification import Identification
from agent.features.people.queries.people_queries import PeopleQueries
from agent.features.people.queries.visibility_queries import check_edit
from agent.infrastructure.core.access_scope import everything
from agent.infrastructure.core.memory_trimmer import MemoryTrimmer
from agent.infrastructure.core.observable import ChangeSignal, Signal
from agent.infrastructure.core.service_context import Environment
from agent.infrastructure.store.flags import BACKUPS_HOLD_PURGED

log = structlog.get_logger()

RETRY_AFTER_S = 30.0
IN_DOUBT = "opinions_in_doubt"  # a key in the library
ERASING = frozenset({"forget", "consent"})  # edits that delete prints of people who may not be recognised


class PeopleEditor:
    """Recognition's use cases."""

    def __init__(
        self,
        library: PeopleQueries,
        identification: Identification,
        forgotten: ErasureList,
        environment: Environment,
        *,
        renamed: Callable[[str, str | None], bool | None],
        trimmer: MemoryTrimmer,
    ) -> None:
        """`renamed` updates a name in the settings: old and new name, None for a forgotten person; it blocks, returns whether
        the name occurred, and raises SettingsError. `trimmer` releases cached data of a forgotten person.
        """
        self.backups_stale = ChangeSignal()
        """something was deleted that backups may still hold"""
        self.said = Signal[EditStep]()
        """a step was written"""
        self.forgetting: list[Callable[[int], AbstractAsyncContextManager[None]]] = []
        """a person is forgotten inside all of these, which take their name from elsewhere"""
        self._library = library
        self._identification = identification
        self._environment = environment
        self._bus, self._clock = environment.bus, environment.clock
        self._forgotten = forgotten
        self._renamed = renamed
        self._trimmer = trimmer
        self._passed_nothing: set[str] = set()  # merges since the start that changed no name in the settings
        self._naming = asyncio.Lock()
        self._doubtful = asyncio.Event()

    async def name_face(self, face_id: int, name: str) -> int:
        """Name a face; other faces are identified again. Returns the person id. Raises RecognitionOff, FaceUnknown."""
        step = await self.edit(NameFacesEdit(face_ids=(face_id,), name=name))
        assert step.person_id is not None
        return step.person_id

    async def edit(self, wish: Edit) -> EditStep:
        """Apply an edit; other faces are identified again. Raises RecognitionOff (only names need it), PeopleError."""
        if isinstance(wish, NameFacesEdit | NameManyEdit | ImportNamesEdit) and not recognises(self._environment.settings.value):
            raise RecognitionOff
        await asyncio.to_thread(check_edit, self._library, wish)
        return await self._step(partial(self._library.edit, wish, now=self._clock(), note=IN_DOUBT))

    async def change(self, write: Callable[[], tuple[EditStep, list[StoredEvent]]]) -> EditStep:
        """Write a step of another room, with all that follows from an edit. `write` blocks and takes the note `IN_DOUBT`."""
        return await self._step(write)

    async def undo(self, token: str | None = None) -> EditStep:
        """Undo the token's step, or the latest one. Raises NothingToUndo, also if the member may not take that step any more."""
        await asyncio.to_thread(self._library.check_step, token)
        return await self._step(partial(self._library.undo, token, now=self._clock(), note=IN_DOUBT))

    async def do_again(self) -> EditStep:
        """Redo the last undone step. Raises NothingToUndo."""
        await asyncio.to_thread(self._library.check_step, None, again=True)
        return await self._step(partial(self._library.do_again, now=self._clock(), note=IN_DOUBT))

    async def forget(self, person_id: int) -> ForgottenPerson:
        """Delete everything stored about a person; this can't be undone.

        Raises PersonUnknown, StoreError; and SettingsError if their name can't be removed from the settings: then nothing is deleted.
        """
        await asyncio.to_thread(self._library.check_people, [person_id], whole=True)
        with everything():
            return await self._forget_whole(person_id)

    async def _forget_whole(self, person_id: int) -> ForgottenPerson:
        async with self._naming:
            uids = await asyncio.to_thread(self._library.uids_of, person_id)
            await self._unset(person_id)
            return await self._forget(person_id, uids)

    async def _unset(self, person_id: int) -> None:
        """Remove their name from the settings, while it can still be looked up."""
        name = (await asyncio.to_thread(self._library.person_names))[person_id]
        await asyncio.to_thread(self._renamed, name, None)

    async def _forget(self, person_id: int, uids: Sequence[str]) -> ForgottenPerson:
        # first, so that they are gone after the next start, or after restoring an old backup, whatever happens
        await asyncio.to_thread(self._forgotten.add, uids)
        async with AsyncExitStack() as stack:
            for exclusion in self.forgetting:
                await stack.enter_async_context(exclusion(person_id))
            gone, events = await asyncio.to_thread(self._library.forget_person, person_id, now=self._clock(), note=BACKUPS_HOLD_PURGED)
        self.backups_stale.notify()
        self._identification.forget()
        self._bus.publish(events)
        await self._trimmer.now()
        return gone

    async def reapply_forgotten(self) -> None:
        """Forget people again who were forgotten but exist: the agent died meanwhile, or an earlier backup was restored."""
        uids = await asyncio.to_thread(self._forgotten.read)
        while uids and (there := await asyncio.to_thread(self._library.people_by_uids, uids)):
            async with self._naming:
                try:
                    await self._unset(there[0])
                except SettingsError as error:  # it must not keep them in the library, nor the agent from starting
                    log.warning("people.left_in_settings", code=error.code)
                await self._forget(there[0], await asyncio.to_thread(self._library.uids_of, there[0]))

    async def run(self) -> None:
        """Identify everything again whenever necessary, until cancelled; first if it was pending when the agent ended."""
        with suppress(StoreError):
            if await asyncio.to_thread(self._library.noted, IN_DOUBT):
                self._doubtful.set()
        while True:
            await self._doubtful.wait()
            self._doubtful.clear()
            try:
                await asyncio.to_thread(self._library.set_flags, {IN_DOUBT: 1})  # it takes a while, and must survive a kill
                await self._identification.form_all(self._naming)
                async with self._naming:
                    if not self._doubtful.is_set():
                        await asyncio.to_thread(self._library.set_flags, {IN_DOUBT: None})
            except AgentError as error:
                log.warning("people.opinions_failed", code=error.code)
                self._doubtful.set()
                await asyncio.sleep(RETRY_AFTER_S)

    def doubt(self) -> None:
        """Request a new identification, because thresholds changed or identifying failed: `run` does it."""
        self._doubtful.set()

    def at_rest(self) -> asyncio.Lock:
        """Return a lock (`async with`) during which no edits or identifications happen, except for photos being analysed."""
        return self._naming

    async def identify(self, analysis: Analysis) -> IdentificationResult:
        """Identify the faces of a new analysis; without a matcher they stay unidentified until later. Raises StoreError."""
        try:
            return await self._identification.of(analysis)
        except EngineError as error:
            log.warning("people.opinions_failed", code=error.code)
            self.doubt()
            return IdentificationResult((None,) * len(analysis.faces))

    async def written(self, events: Sequence[StoredEvent], judged: IdentificationResult) -> None:
        """Handle a stored image; an edit may have happened meanwhile. Raises EngineError, StoreError."""
        for recorded in events:
            if isinstance(recorded.event, ImageIndexed):
                await self._identification.written(recorded.event.image_id, judged)

    async def arrived(self, image_ids: Sequence[int], *, identify: bool = True) -> None:
        """Handle images that other processes stored; of several processes one identifies them. Raises EngineError, StoreError."""
        await self._identification.arrived(image_ids, identify=identify)

    async def changed_elsewhere(self, actions: Collection[str]) -> None:
        """Handle edits that another process did, with what follows from them. Raises StoreError."""
        async with self._naming:
            if ERASING & set(actions):
                self._identification.forget()  # what was deleted leaves the memory of a process with it
            else:
                await self._identification.align()

    async def _follow_names(self, before: Mapping[int, str], step: EditStep) -> None:
        """Update names in the settings. A name whose person was created and then undone stays: it refers to no one until a redo."""
        try:
            after = await asyncio.to_thread(self._library.person_names)
            merged = after.get(step.person_id or 0) if step.action == "merge" else None
            changed = False
            for person_id, name in before.items():
                new = after.get(person_id, merged)
                if new is not None and new != name:
                    changed |= await asyncio.to_thread(self._renamed, name, new) is True
            if merged is None or step.token is None:
                return
            if after.keys() - before.keys():
                # After an undo, the visible name may have belonged to one of those who are separate people again.
                if step.token not in self._passed_nothing:
                    await asyncio.to_thread(self._renamed, merged, None)
            elif changed:
                self._passed_nothing.discard(step.token)
            else:
                self._passed_nothing.add(step.token)
        except (SettingsError, StoreError) as error:
            log.warning("people.left_in_settings", code=error.code)

    async def _step(self, write: Callable[[], tuple[EditStep, list[StoredEvent]] | None]) -> EditStep:
        """Write a step and identify again, in all libraries; if that takes long or fails, `run` does it a little later.

        Until then the library holds a note that identification is pending; it is written with the step, so that it
        survives a kill.
        """
        with everything():
            return await self._step_for_all(write)

    async def _step_for_all(self, write: Callable[[], tuple[EditStep, list[StoredEvent]] | None]) -> EditStep:
        async with self._naming:
            in_doubt = await asyncio.to_thread(self._library.noted, IN_DOUBT)
            before = await asyncio.to_thread(self._library.person_names)
            writing = asyncio.ensure_future(asyncio.to_thread(write))
            try:
                written = await asyncio.shield(writing)
            except asyncio.CancelledError:  # its thread goes on: what it writes must not stay without its consequences
                with suppress(AgentError):
                    if written := await writing:
                        self._announce(*written, followed=False)
                raise
            if written is None:
                raise NothingToUndo
            step, events = written
            followed = False
            try:
                with suppress(StoreError):  # otherwise it happens at the next start
                    if await asyncio.to_thread(self._library.noted, BACKUPS_HOLD_PURGED):
                        self.backups_stale.notify()
                await self._follow_names(before, step)
                followed = await self._identification.follow(step)
            except AgentError as error:  # the step is written: it must not be reported as failed
                log.warning("people.opinions_late", action=step.action, code=error.code)
            finally:
                self._announce(step, events, followed=followed)
            if followed and not in_doubt:
                with suppress(StoreError):
                    await asyncio.to_thread(self._library.set_flags, {IN_DOUBT: None})
        return step

    def _announce(self, step: EditStep, events: list[StoredEvent], *, followed: bool) -> None:
        if not followed:
            self._identification.forget()  # the matcher was updated only in part, if at all
            self.doubt()
        self.said.send(step)
        self._bus.publish(events)

"""What the user says of people and faces, and takes back; the opinions about everybody else follow."""

import asyncio
from collections.abc import Callable, Mapping, Sequence
from contextlib import AbstractAsyncContextManager, AsyncExitStack, suppress
from functools import partial

import structlog

from agent.core.environment import Environment
from agent.core.memory_trimmer import Rest
from agent.core.observable import Notice, Signal
from agent.domain.edits import AdoptNames, Edit, Forgotten, NameFaces, NameMany, Step
from agent.domain.errors import AgentError, EngineError, NothingToUndo, RecognitionOff, SettingsError, StoreError
from agent.domain.events import ImageIndexed, Recorded
from agent.domain.face import Analysis
from agent.domain.people import Judgement
from agent.library.library_port import BACKUPS_HOLD_PURGED, ForgottenList, Library
from agent.library.recipes import recognises
from agent.people.identification import Opinions

log = structlog.get_logger()

RETRY_AFTER_S = 30.0
IN_DOUBT = "opinions_in_doubt"  # a note in the library


class People:
    """Recognition's use cases."""

    def __init__(
        self,
        library: Library,
        opinions: Opinions,
        forgotten: ForgottenList,
        environment: Environment,
        *,
        renamed: Callable[[str, str | None], bool | None],
        trimmer: Rest,
    ) -> None:
        """`renamed` has the settings follow a name: what it was and what it is now, None for a forgotten person; it blocks, says whether
        that name stood there, and raises SettingsError. `trimmer` frees what caches hold of a forgotten person.
        """
        self.backups_stale = Notice()
        """something was deleted that backups may still hold"""
        self.said = Signal[Step]()
        """a step was written"""
        self.forgetting: list[Callable[[int], AbstractAsyncContextManager[None]]] = []
        """a person is forgotten inside all of these, which take their name from elsewhere"""
        self._library = library
        self._opinions = opinions
        self._environment = environment
        self._bus, self._clock = environment.bus, environment.clock
        self._forgotten = forgotten
        self._renamed = renamed
        self._trimmer = trimmer
        self._passed_nothing: set[str] = set()  # merges since the start by which no name in the settings became another
        self._naming = asyncio.Lock()
        self._doubtful = asyncio.Event()

    async def name_face(self, face_id: int, name: str) -> int:
        """The user says who a face is; everybody else's opinions follow. Returns the person id. Raises RecognitionOff, FaceUnknown."""
        step = await self.edit(NameFaces(face_ids=(face_id,), name=name))
        assert step.person_id is not None
        return step.person_id

    async def edit(self, wish: Edit) -> Step:
        """What the user says of people and faces; opinions follow. Raises RecognitionOff (only names need it), PeopleError."""
        if isinstance(wish, NameFaces | NameMany | AdoptNames) and not recognises(self._environment.settings.value):
            raise RecognitionOff
        return await self._step(partial(self._library.edit, wish, now=self._clock(), note=IN_DOUBT))

    async def take_back(self, token: str | None = None) -> Step:
        """What the token stands for, or the latest step. Raises NothingToUndo."""
        return await self._step(partial(self._library.take_back, token, now=self._clock(), note=IN_DOUBT))

    async def do_again(self) -> Step:
        """What was taken back last. Raises NothingToUndo."""
        return await self._step(partial(self._library.do_again, now=self._clock(), note=IN_DOUBT))

    async def forget(self, person_id: int) -> Forgotten:
        """Delete all that a person is known by; it can't be taken back.

        Raises PersonUnknown, StoreError; and SettingsError, while their name can't be taken out of the settings: nothing is deleted then.
        """
        async with self._naming:
            uids = await asyncio.to_thread(self._library.uids_of, person_id)
            await self._unset(person_id)
            return await self._forget(person_id, uids)

    async def _unset(self, person_id: int) -> None:
        """While it can be looked up what they are called."""
        name = (await asyncio.to_thread(self._library.person_names))[person_id]
        await asyncio.to_thread(self._renamed, name, None)

    async def _forget(self, person_id: int, uids: Sequence[str]) -> Forgotten:
        # First, so that whatever happens they are not there after the next start, and not after an old backup is restored.
        await asyncio.to_thread(self._forgotten.add, uids)
        async with AsyncExitStack() as stack:
            for taking in self.forgetting:
                await stack.enter_async_context(taking(person_id))
            gone, events = await asyncio.to_thread(self._library.forget_person, person_id, now=self._clock(), note=BACKUPS_HOLD_PURGED)
        self.backups_stale.notify()
        self._opinions.forget()
        self._bus.publish(events)
        await self._trimmer.now()
        return gone

    async def forget_again(self) -> None:
        """Whoever was forgotten and is there all the same: the agent died meanwhile, or a backup from before was restored."""
        uids = await asyncio.to_thread(self._forgotten.read)
        while uids and (there := await asyncio.to_thread(self._library.people_by_uids, uids)):
            async with self._naming:
                try:
                    await self._unset(there[0])
                except SettingsError as error:  # which must not keep them in the library, nor the agent from starting
                    log.warning("people.left_in_settings", code=error.code)
                await self._forget(there[0], await asyncio.to_thread(self._library.uids_of, there[0]))

    async def run(self) -> None:
        """Form all opinions anew whenever they are in doubt, until cancelled; first if they were when the agent ended."""
        with suppress(StoreError):
            if await asyncio.to_thread(self._library.noted, IN_DOUBT):
                self._doubtful.set()
        while True:
            await self._doubtful.wait()
            self._doubtful.clear()
            try:
                await asyncio.to_thread(self._library.take_notes, {IN_DOUBT: 1})  # it takes a while, and a kill is not its end
                await self._opinions.form_all(self._naming)
                async with self._naming:
                    if not self._doubtful.is_set():
                        await asyncio.to_thread(self._library.take_notes, {IN_DOUBT: None})
            except AgentError as error:
                log.warning("people.opinions_failed", code=error.code)
                self._doubtful.set()
                await asyncio.sleep(RETRY_AFTER_S)

    def doubt(self) -> None:
        """The bounds changed, or opinions could not be formed: `run` forms them anew."""
        self._doubtful.set()

    def at_rest(self) -> asyncio.Lock:
        """Inside (`async with`), nobody is named and no opinions are formed, but for those about photos being analysed."""
        return self._naming

    async def opinions(self, analysis: Analysis) -> Judgement:
        """Who the faces of a fresh analysis are; nobody, if that can't be found out now: it is, later. Raises StoreError."""
        try:
            return await self._opinions.of(analysis)
        except EngineError as error:
            log.warning("people.opinions_failed", code=error.code)
            self.doubt()
            return Judgement((None,) * len(analysis.faces))

    async def written(self, events: Sequence[Recorded], judged: Judgement) -> None:
        """An image was written as judged; somebody may have been named meanwhile. Raises EngineError, StoreError."""
        for recorded in events:
            if isinstance(recorded.event, ImageIndexed):
                await self._opinions.written(recorded.event.image_id, judged)

    async def _follow_names(self, before: Mapping[int, str], step: Step) -> None:
        """In the settings. What a step made and took back again is left there: it means nobody until it is done again."""
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
                # Taken back: whoever was to stay visible was perhaps one of those who are others again, and not this one.
                if step.token not in self._passed_nothing:
                    await asyncio.to_thread(self._renamed, merged, None)
            elif changed:
                self._passed_nothing.discard(step.token)
            else:
                self._passed_nothing.add(step.token)
        except (SettingsError, StoreError) as error:
            log.warning("people.left_in_settings", code=error.code)

    async def _step(self, write: Callable[[], tuple[Step, list[Recorded]] | None]) -> Step:
        """Write a step and have the opinions follow, unless that takes long or fails: then `run` forms them a little later.

        Until the opinions have followed, the library holds the note that they are in doubt; it is written with the step, so that it
        survives a kill.
        """
        async with self._naming:
            in_doubt = await asyncio.to_thread(self._library.noted, IN_DOUBT)
            before = await asyncio.to_thread(self._library.person_names)
            written = await asyncio.to_thread(write)
            if written is None:
                raise NothingToUndo
            step, events = written
            followed = False
            try:
                with suppress(StoreError):  # or it is done at the next start
                    if await asyncio.to_thread(self._library.noted, BACKUPS_HOLD_PURGED):
                        self.backups_stale.notify()
                await self._follow_names(before, step)
                followed = await self._opinions.follow(step)
            except AgentError as error:  # the step is written: it must not be called failed
                log.warning("people.opinions_late", action=step.action, code=error.code)
            finally:
                if not followed:
                    self._opinions.forget()  # the matcher was told only in part, if at all
                    self.doubt()
                self.said.send(step)
                self._bus.publish(events)
            if followed and not in_doubt:
                with suppress(StoreError):
                    await asyncio.to_thread(self._library.take_notes, {IN_DOUBT: None})
        return step

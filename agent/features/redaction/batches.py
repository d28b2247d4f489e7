"""Batches of covered copies on request: planned first, then reported one by one as they end."""

import asyncio
from collections.abc import AsyncGenerator, AsyncIterator, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from functools import partial
from secrets import token_hex

from agent.domain.consent import Purpose
from agent.domain.errors import NotFound, NotRestorable, PassphraseGone, PublishingEnded, RecognitionOff, VideoNotEditable
from agent.domain.names import ids_of, tidy
from agent.domain.redaction import Look, PeopleChoice
from agent.features.library.recipes import redaction_recipe
from agent.features.redaction.copy_files import CopyFileStore
from agent.features.redaction.copy_records import ItemState, PlannedCopy, RedactionItem
from agent.features.redaction.options import Keeping, Mark, RedactionOptions
from agent.features.redaction.passphrases import check_passphrase
from agent.features.redaction.queries.redaction_queries import RedactionQueries
from agent.features.redaction.redaction_worker import Listener, RedactionWorker, UnderWay
from agent.inference.engine.analyser import AnalysisEngine
from agent.infrastructure.core.abandonable_calls import cancellable
from agent.infrastructure.core.access_scope import everything
from agent.infrastructure.core.actor import actor
from agent.infrastructure.core.service_context import Environment

PAGE = 500


@dataclass(frozen=True, slots=True)
class RedactionOrder:
    """Covered copies of the images and videos below `paths`, in `out` (a file or a folder), or in place (None)."""

    paths: Sequence[str]
    out: str | None
    look: Look = field(default_factory=Look)
    keep: Sequence[str] = ()  # names of people who stay visible
    only: Sequence[str] | None = None  # names of people to cover; None: everyone
    strip: bool = False
    overwrite: bool = False
    report: bool = False
    keeping: Keeping = Keeping.NOTHING
    passphrase: str | None = None
    keep_consented: bool = False  # those who agreed to publishing stay visible; all metadata goes

    def wish(self, choice: PeopleChoice) -> RedactionOptions:
        in_place = self.out is None
        locked = self.passphrase is not None and self.keeping is not Keeping.NOTHING
        strip = self.strip or self.keep_consented
        return RedactionOptions(choice, self.look, strip, self.keeping, locked, self.overwrite or in_place, self.report)


@dataclass(frozen=True, slots=True)
class _Plan:
    uid: str  # of the batch
    wish: RedactionOptions
    copies: Sequence[PlannedCopy]


class _Told:
    """What each copy ended as when a listener was told, by its id: a copy may be made again before the others are made."""

    def __init__(self) -> None:
        self.ended: dict[int, tuple[ItemState, datetime]] = {}

    def note(self, item: RedactionItem) -> bool:
        """Return whether it is news: one that ended before the first look is told by that look and by its own message."""
        ended = item.state, item.at
        if self.ended.get(item.id) == ended:
            return False
        self.ended[item.id] = ended
        return True


class RedactionRequests:
    """Plans copies, which `work` then makes. Use it from one event loop."""

    def __init__(
        self,
        library: RedactionQueries,
        work: RedactionWorker,
        copies: CopyFileStore,
        engine: AnalysisEngine,
        environment: Environment,
    ) -> None:
        self._library = library
        self._work = work
        self._copies = copies
        self._engine = engine
        self._environment = environment

    async def redact(self, ask: RedactionOrder) -> AsyncGenerator[int | UnderWay | RedactionItem, None]:
        """Yield the number of copies, then each as it ends, and the progress of videos meanwhile.

        If the caller stops listening before the end, copies that were not begun are stopped.
        Raises SameFile, CopyUnsupported, CopyUnwritable, RecognitionOff, NoSuchName, and errors that stop all work.
        """
        plan = await self._planned(ask)
        with self._work.listening(plan.uid, ask) as listener:
            try:
                listener.wanted = await self._noted(plan, ask.passphrase)
                yield len(listener.wanted)
                told = _Told()
                async for item in self._ended(plan.uid):
                    if item.id in listener.wanted and told.note(item):
                        yield item
                while len(told.ended) < len(listener.wanted) and not listener.stopped:
                    if (next_one := await self._next(listener)) is not None:
                        if not isinstance(next_one, RedactionItem) or told.note(next_one):
                            yield next_one
                    elif self._work.copies.claims.shared:  # another process may have made some
                        async for item in self._ended(plan.uid):
                            if item.id in listener.wanted - told.ended.keys() and told.note(item):
                                yield item
            except (asyncio.CancelledError, GeneratorExit):
                await self._work.on_listener_gone(plan.uid)
                raise

    async def dry_run(self, ask: RedactionOrder) -> Sequence[PlannedCopy]:
        """Return what `redact` would make, without writing anything. Raises as `redact` before its first item."""
        wish = ask.wish(await self.choice(ask))
        return (await self._plan(ask, wish)).copies

    async def begin(self, ask: RedactionOrder) -> str:
        """Plan copies and make them without a listener; return the batch. A passphrase would be lost with a restart.

        Raises what `redact` raises before its first item.
        """
        plan = await self._planned(ask)
        await self._noted(plan, ask.passphrase)
        return plan.uid

    async def edit(self, item_id: int, marks: Sequence[Mark]) -> RedactionItem:
        """Make a copy again with these marks. Raises NotFound; NotRestorable if the original is gone.

        Raises PassphraseGone if the recovery file would need its passphrase again; VideoNotEditable.
        """
        known = await asyncio.to_thread(self._library.redaction, item_id)
        if known is not None and known.facts is not None and not known.facts.marked:
            raise VideoNotEditable
        if known is not None and known.source == known.target:
            raise NotRestorable
        if known is not None and known.wish.locked:
            raise PassphraseGone
        item = await asyncio.to_thread(self._library.copy_edited, item_id, tuple(marks), now=self._environment.clock())
        if item is None:
            raise NotFound
        self._work.wake()
        return item

    async def accept(self, uid: str, item_ids: Sequence[int] | None, seen: datetime | None) -> int:
        """Approve these copies, or all of a batch, as they were at `seen`. Return their number.

        Raises ApprovalAwaited for copies for publishing that the member who acts planned or edited, unless one person may do both;
        ApprovalOutdated if all of them changed since; PublishingEnded, and makes them again, if someone who may be visible on them no
        longer agrees.
        """
        now, second_person = self._environment.clock(), self._environment.settings.value.consent.second_person
        if await asyncio.to_thread(self._library.redaction_batch, uid) is not None:
            with everything():  # a batch may hold photos, and show people, of several libraries
                again = await asyncio.to_thread(self._library.plan_outdated, uid, now=now)
            if again:
                self._work.wake()
                raise PublishingEnded
        return await asyncio.to_thread(self._library.copies_accepted, uid, item_ids, now=now, seen=seen, second_person=second_person)

    def awaits_colleague(self, item: RedactionItem) -> bool:
        """Return whether another member than the one who acts approves this copy."""
        return self._environment.settings.value.consent.second_person and item.awaits_approval and item.is_published_by(actor.get())

    async def retry(self, uid: str) -> int:
        """Retry the failed copies. Return their number."""
        count = await asyncio.to_thread(self._library.retry_copies, uid, now=self._environment.clock())
        self._work.wake()
        return count

    async def choice(self, ask: RedactionOrder) -> PeopleChoice:
        """Return the people with the requested names, or those who agreed to publishing. Raises RecognitionOff, NoSuchName."""
        keep, only = ask.keep, ask.only
        if not keep and only is None and not ask.keep_consented:
            return PeopleChoice()
        if not self._environment.settings.value.recognition.enabled:
            raise RecognitionOff(covering="people")
        if ask.keep_consented:
            agreed = await asyncio.to_thread(self._library.consenting, Purpose.PUBLISH, now=self._environment.clock())
            return PeopleChoice(agreed, consented=True)
        people = await asyncio.to_thread(self._library.person_names)
        return PeopleChoice(ids_of(keep, people), None if only is None else ids_of(only, people))

    async def known(self, keep: Sequence[str]) -> PeopleChoice:
        """Return the known people with these names, none while recognition is off: everyone else is covered."""
        if not keep or not self._environment.settings.value.recognition.enabled:
            return PeopleChoice()
        names = set(map(tidy, keep))
        people = await asyncio.to_thread(self._library.person_names)
        return PeopleChoice(frozenset(person_id for person_id, name in people.items() if name in names))

    async def _planned(self, ask: RedactionOrder) -> "_Plan":
        """Plan the copies and choose their batch: the one of an interrupted request for the same copies, or a new one."""
        choice = await self.choice(ask)
        wish = ask.wish(choice)
        if wish.locked and ask.passphrase is not None:
            check_passphrase(ask.passphrase)
        await self._engine.supply(redaction_recipe(choice.names_people))
        return await self._plan(ask, wish)

    async def _plan(self, ask: RedactionOrder, wish: RedactionOptions) -> "_Plan":
        begun = await asyncio.to_thread(self._library.copies_begun, wish)
        begun = [each for each in begun if all(other == ask for other in self._work.requests(each.batch))]
        copies = await cancellable(partial(self._copies.plan, ask.paths, ask.out, wish, self._library.made_at, begun))
        joined = next((each.batch for each in begun if self._work.requests(each.batch)), None)
        return _Plan(joined or _resumed(begun, copies, wish) or token_hex(16), wish, copies)

    async def _noted(self, plan: "_Plan", passphrase: str | None) -> frozenset[int]:
        """Store the plan and start. Return the ids of its items."""
        if plan.wish.locked and passphrase is not None:
            await self._work.keep_passphrase(plan.uid, passphrase)
        with everything():  # a batch is within reach once it has an item
            ids = await asyncio.to_thread(self._library.plan_copies, plan.uid, plan.wish, plan.copies, now=self._environment.clock())
        self._work.mended()
        return frozenset(ids)

    async def _ended(self, uid: str) -> AsyncIterator[RedactionItem]:
        """Yield copies that exist already, and items that ended before the caller listened."""
        after = 0
        while page := await asyncio.to_thread(self._library.copies_ended, uid, after=after, limit=PAGE):
            for item in page:
                yield item
            after = page[-1].id

    async def _next(self, listener: Listener) -> UnderWay | RedactionItem | None:
        told = await self._work.next_news(listener)
        return await asyncio.to_thread(self._library.redaction, told) if isinstance(told, int) else told


def _resumed(begun: Sequence[RedactionItem], copies: Sequence[PlannedCopy], wish: RedactionOptions) -> str | None:
    """Return the batch to resume: the first one with the same options and no other items left. The items of others move to it."""
    taken = {item_id for copy in copies for item_id in copy.begun}
    left = {item.batch: True for item in begun if item.wish == wish}
    for item in begun:
        if item.batch in left and item.id not in taken:
            left[item.batch] = False
    return next((uid for uid, whole in left.items() if whole), None)

"""Covered copies that somebody asks for: of whom and where is planned first, and each is told of as it ends."""

import asyncio
from collections.abc import AsyncGenerator, AsyncIterator, Awaitable, Callable, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from secrets import token_hex

from agent.app.copy_work import CopyWork, Listener, UnderWay
from agent.app.ports import CopyFiles, Library, RedactionItem
from agent.domain.errors import NotFound, NotRestorable, PassphraseGone, RecognitionOff, VideoNotEditable
from agent.domain.names import ids_of, tidy
from agent.domain.redaction import Choice, Look
from agent.domain.wishes import Keeping, Mark, Wish

PAGE = 500


@dataclass(frozen=True, slots=True)
class RedactionAsk:
    """Covered copies of the images and clips below `paths`, in `out` (a file or a folder), or in their own place (None)."""

    paths: Sequence[str]
    out: str | None
    look: Look = field(default_factory=Look)
    keep: Sequence[str] = ()  # names of people who stay visible
    only: Sequence[str] | None = None  # names of those who are covered; None: everyone
    strip: bool = False
    overwrite: bool = False
    report: bool = False
    keeping: Keeping = Keeping.NOTHING
    passphrase: str | None = None

    def wish(self, choice: Choice) -> Wish:
        in_place = self.out is None
        locked = self.passphrase is not None and self.keeping is not Keeping.NOTHING
        return Wish(choice, self.look, self.strip, self.keeping, locked, self.overwrite or in_place, self.report)


class Redacting:
    """Use it from one event loop. What is planned is made by `work`."""

    def __init__(
        self,
        library: Library,
        work: CopyWork,
        copies: CopyFiles,
        *,
        recognises: Callable[[], bool],
        supply: Callable[[bool], Awaitable[None]],
        clock: Callable[[], datetime],
    ) -> None:
        """`supply` as `CopyWork` has it."""
        self._library = library
        self._work = work
        self._copies = copies
        self._recognises = recognises
        self._supply = supply
        self._clock = clock

    async def redact(self, ask: RedactionAsk) -> AsyncGenerator[int | UnderWay | RedactionItem, None]:
        """First how many there are, then each as it ends, and how far clips are meanwhile.

        Whoever stops listening before the end stops what was not begun.
        Raises SameFile, CopyUnsupported, CopyUnwritable, RecognitionOff, NoSuchName, and what stops all work.
        """
        uid = token_hex(16)
        with self._work.listening(uid) as listener:
            try:
                total = await self._plan(uid, ask)
                yield total
                told: set[int] = set()  # ids: somebody may have one made anew before the others are made
                async for item in self._passed(uid):
                    told.add(item.id)
                    yield item
                while len(told) < total and not listener.stopped:
                    if (next_one := await self._next(listener)) is not None:
                        if isinstance(next_one, RedactionItem):
                            told.add(next_one.id)
                        yield next_one
            except (asyncio.CancelledError, GeneratorExit):
                await self._work.left_alone(uid)
                raise

    async def begin(self, ask: RedactionAsk) -> str:
        """Plan them and go on without anybody who listens; returns the batch. A passphrase would be lost with a restart.

        Raises what `redact` raises before its first word.
        """
        uid = token_hex(16)
        await self._plan(uid, ask)
        return uid

    async def edit(self, item_id: int, marks: Sequence[Mark]) -> RedactionItem:
        """Make a copy anew with these marks. Raises NotFound; NotRestorable if there is no original any more to make it from.

        PassphraseGone if what is kept would have to be locked again; VideoNotEditable.
        """
        known = await asyncio.to_thread(self._library.redaction, item_id)
        if known is not None and known.facts is not None and not known.facts.marked:
            raise VideoNotEditable
        if known is not None and known.source == known.target:
            raise NotRestorable
        if known is not None and known.wish.locked:
            raise PassphraseGone
        item = await asyncio.to_thread(self._library.copy_edited, item_id, tuple(marks), now=self._clock())
        if item is None:
            raise NotFound
        self._work.wake()
        return item

    async def retry(self, uid: str) -> int:
        """Try once more what failed. Returns how many."""
        count = await asyncio.to_thread(self._library.retry_copies, uid, now=self._clock())
        self._work.wake()
        return count

    async def choice(self, keep: Sequence[str], only: Sequence[str] | None) -> Choice:
        """Whom names mean. Raises RecognitionOff, NoSuchName."""
        if not keep and only is None:
            return Choice()
        if not self._recognises():
            raise RecognitionOff
        people = await asyncio.to_thread(self._library.person_names)
        return Choice(ids_of(keep, people), None if only is None else ids_of(only, people))

    async def known(self, keep: Sequence[str]) -> Choice:
        """The same without those whom nobody knows, or while nobody is recognised: everyone else is covered."""
        if not keep or not self._recognises():
            return Choice()
        names = set(map(tidy, keep))
        people = await asyncio.to_thread(self._library.person_names)
        return Choice(frozenset(person_id for person_id, name in people.items() if name in names))

    async def _plan(self, uid: str, ask: RedactionAsk) -> int:
        choice = await self.choice(ask.keep, ask.only)
        wish = ask.wish(choice)
        await self._supply(choice.names_people)
        copies = await asyncio.to_thread(self._copies.plan, ask.paths, ask.out, wish, self._library.made_at)
        if wish.locked and ask.passphrase is not None:
            self._work.passphrases[uid] = ask.passphrase
        await asyncio.to_thread(self._library.plan_copies, uid, wish, copies, now=self._clock())
        self._work.mended()
        return len(copies)

    async def _passed(self, uid: str) -> AsyncIterator[RedactionItem]:
        """Copies that were there already."""
        after = 0
        while page := await asyncio.to_thread(self._library.copies_passed, uid, after=after, limit=PAGE):
            for item in page:
                yield item
            after = page[-1].id

    async def _next(self, listener: Listener) -> UnderWay | RedactionItem | None:
        told = await self._work.next_news(listener)
        return await asyncio.to_thread(self._library.redaction, told) if isinstance(told, int) else told

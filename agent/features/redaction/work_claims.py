"""The planned copies that this process makes: of several processes on one library, each makes others."""

import asyncio
from collections.abc import Collection, Mapping
from contextlib import suppress

from agent.domain.errors import StoreError
from agent.features.redaction.copy_records import ItemState, RedactionItem
from agent.features.redaction.queries.redaction_queries import RedactionQueries
from agent.infrastructure.core.leadership import WorkClaims


class CopyClaims:
    """Use it from one event loop. `passphrases` are those that are here, by batch: no other process can make these copies."""

    def __init__(self, library: RedactionQueries, claims: WorkClaims, passphrases: Mapping[str, str]) -> None:
        self.claims = claims
        self.elsewhere: set[int] = set()
        """the ids of copies that another process made when they were last asked for"""
        self._library = library
        self._passphrases = passphrases
        self._batches: set[str] = set()  # claimed, because their passphrase is here

    async def keep(self, uid: str) -> None:
        """Claim a batch whose passphrase is here. Raises StoreError."""
        if uid not in self._batches and await self.claims.take(_passphrase(uid)):
            self._batches.add(uid)

    async def waiting(self, room: int, running: Collection[int], *, clips: bool) -> list[RedactionItem]:
        """Return the next ones, claimed: those that are not made after all are given back. Raises StoreError."""
        for uid in self._batches - self._passphrases.keys():
            await self.claims.drop(_passphrase(uid))
            self._batches.discard(uid)
        self.elsewhere.clear()
        while True:
            known = (*running, *self.elsewhere)
            found = await asyncio.to_thread(self._library.copies_to_make, room, without=known, clips=clips)
            if not self.claims.shared:
                return found
            mine = [item for item in found if await self._claim(item)]
            if mine or not found:
                return mine

    async def give_back(self, item: RedactionItem) -> None:
        if self.claims.shared:
            with suppress(StoreError):  # the claim ended with its connection
                await self.claims.drop(_copy(item))

    async def _claim(self, item: RedactionItem) -> bool:
        if item.wish.locked and item.batch not in self._passphrases:
            if not await self.claims.take(_passphrase(item.batch)):
                self.elsewhere.add(item.id)
                return False
            await self.claims.drop(_passphrase(item.batch))
        if await self.claims.take(_copy(item)):
            now = await asyncio.to_thread(self._library.redaction, item.id)
            if now is not None and now.state is ItemState.PLANNED:
                return True
            await self.give_back(item)  # it was made meanwhile
        self.elsewhere.add(item.id)
        return False


def _copy(item: RedactionItem) -> str:
    return f"copy {item.id}"


def _passphrase(uid: str) -> str:
    return f"passphrase {uid}"

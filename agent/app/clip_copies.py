"""Makes the covered copy of a clip for a batch: what can't be done with clips yet is refused rather than passed over."""

import asyncio
from collections.abc import Callable
from dataclasses import replace

from agent.app.clips import ClipProgress, ClipRedactor, ClipWish
from agent.app.ports import CopyFacts, CopyFiles, RedactionItem
from agent.domain.clips import CLIP_FORMATS, clip_named_as
from agent.domain.errors import EngineBadAnswer, VideoKeepsNoRegions, VideoMissing, VideoNamesNobody
from agent.domain.wishes import Doubtful, Keeping, Wish

Percent = Callable[[int], None]


class ClipCopies:
    def __init__(self, redactor: ClipRedactor | None, copies: CopyFiles, models: Callable[[], frozenset[str]]) -> None:
        """`models` says what faces are found with. Without a redactor no clip can be covered."""
        self._redactor = redactor
        self._copies = copies
        self._models = models

    async def make(self, item: RedactionItem, aside: str, percent: Percent) -> tuple[CopyFacts, RedactionItem]:
        """Write it to `aside`, a file that is not there yet; returns the item with the name the copy can have.

        Raises RedactionError, ImageError, EngineError, ModelError.
        """
        if self._redactor is None:
            raise VideoMissing
        _check(item.wish)
        wish = ClipWish(item.source, aside, item.wish.look, item.wish.strip, _format(item))
        copy = await self._redactor.redact(wish, _whole(percent))
        digest = await asyncio.to_thread(self._copies.digest, aside)
        if digest is None:
            raise EngineBadAnswer
        clip, models = copy.clip, tuple(sorted(self._models()))
        doubts = _doubts(copy.faces, cut_off=clip.truncated)
        facts = CopyFacts(clip.sha256, digest, (), doubts, clip.width, clip.height, models, copy.removed, ways=copy.faces)
        if (target := clip_named_as(item.target, clip.format)) != item.target:
            # Nobody meant that name, so what has it stays.
            item = replace(item, target=target, wish=replace(item.wish, replace=False))
        return facts, item


def _check(wish: Wish) -> None:
    """Raises RedactionError."""
    if wish.choice.names_people:
        raise VideoNamesNobody
    if wish.keeping is Keeping.REGIONS:
        raise VideoKeepsNoRegions


def _format(item: RedactionItem) -> str | None:
    """What the copy must be, where its name is not ours to choose."""
    if item.source != item.target:
        return item.format
    ending = item.target.rpartition(".")[2].lower()
    return CLIP_FORMATS.get(ending, ending)


def _doubts(faces: int, *, cut_off: bool) -> tuple[Doubtful, ...]:
    found = {Doubtful.NO_FACE: not faces, Doubtful.CUT_OFF: cut_off}
    return tuple(doubt for doubt, there in found.items() if there)


def _whole(percent: Percent) -> Callable[[ClipProgress], None]:
    """Tells of each whole percent once."""
    last = 0

    def tell(progress: ClipProgress) -> None:
        nonlocal last
        if (now := 100 * progress.done // progress.total) > last:
            last = now
            percent(now)

    return tell

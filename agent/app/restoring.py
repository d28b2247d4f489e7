"""Gives back what covers hide: the pixels below them, or the whole original, from what was kept beside a copy."""

import asyncio

from agent.app.ports import KEPT_ENDING, CopyFiles, Keeper, Placing, Renderer
from agent.domain.errors import CopyChanged, ImageMissing


class Restoring:
    def __init__(self, renderer: Renderer, copies: CopyFiles, keeper: Keeper) -> None:
        self._renderer = renderer
        self._copies = copies
        self._keeper = keeper

    async def restore(self, path: str, output: str | None, passphrase: str | None) -> str:
        """`path` is the copy, or what was kept beside it; without `output` it goes beside it. What is there keeps its name.

        Returns where it is. Raises NotRestorable, RestoreKeyWrong, KeptDamaged, CopyChanged, CopyUnwritable, CopyDiskFull, ImageError,
        EngineError.
        """
        copy = path.removesuffix(KEPT_ENDING)
        beside = copy + KEPT_ENDING
        kept = await asyncio.to_thread(self._keeper.opened, beside, passphrase)
        if not kept.whole:
            found = await asyncio.to_thread(self._copies.digest, copy)
            if found is None:
                raise ImageMissing
            if found != kept.copy_sha256:
                raise CopyChanged
        target = output or _beside(copy, kept.name if kept.whole else copy, whole=kept.whole)
        aside = await asyncio.to_thread(self._copies.prepare, target, "restored")
        try:
            if kept.whole:
                await asyncio.to_thread(self._keeper.original, beside, passphrase, aside)
            else:
                await self._renderer.restore(copy, kept.regions, aside)
            return await asyncio.to_thread(self._copies.place, Placing(copy, aside, target, replace=False))
        finally:
            await asyncio.to_thread(self._copies.discard, aside)


def _beside(copy: str, name: str, *, whole: bool) -> str:
    """`a restored.jpg` beside `a.jpg`; pixels come back as PNG."""
    stem = copy.rpartition(".")[0]
    return f"{stem or copy} restored.{name.rpartition('.')[2] if whole else 'png'}"

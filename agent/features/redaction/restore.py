"""Restores covered content, the regions or the whole original, from the recovery file beside a copy."""

import asyncio
import os
from dataclasses import dataclass, field
from pathlib import Path

from agent.domain.errors import CopyChanged, CopyMissing, KeptDamaged, NotRestorable
from agent.features.redaction.copy_files import CopyFileStore, PendingCopy
from agent.features.redaction.copy_names import KEPT_ENDING
from agent.features.redaction.recovery_file import Recovery, RecoveryFileStore
from agent.inference.engine.renderer import Renderer
from agent.infrastructure.core.leadership import LocalWorkClaims, WorkClaims


@dataclass(frozen=True, slots=True)
class RedactionTools:
    """The tools that write copies."""

    renderer: Renderer
    copies: CopyFileStore
    keeper: RecoveryFileStore
    claims: WorkClaims = field(default_factory=LocalWorkClaims)
    """Which of several processes makes a copy"""


class Restorer:
    def __init__(self, renderer: Renderer, copies: CopyFileStore, keeper: RecoveryFileStore) -> None:
        self._renderer = renderer
        self._copies = copies
        self._keeper = keeper

    async def restore(self, path: str, output: str | None, passphrase: str | None) -> str:
        """Restore; `path` is the copy or its recovery file; `output` a file or a folder, None beside the copy. Existing files stay.

        Returns the path. Raises CopyMissing, NotRestorable, RestoreKeyWrong, KeptDamaged, CopyChanged, CopyUnwritable, CopyDiskFull,
        ImageError, EngineError.
        """
        copy = path.removesuffix(KEPT_ENDING)
        beside = copy + KEPT_ENDING
        kept = await asyncio.to_thread(self._opened, path, beside, passphrase)
        if not kept.whole:
            found = await asyncio.to_thread(self._copies.digest, copy)
            if found is None:
                raise CopyMissing
            if found != kept.copy_sha256:
                raise CopyChanged
        ending = Path(kept.name).suffix if kept.whole else ".png"
        target = await asyncio.to_thread(_target, copy, output, ending)
        aside = await asyncio.to_thread(self._copies.prepare, target, "restored")
        try:
            if kept.whole:
                await asyncio.to_thread(self._keeper.original, beside, passphrase, aside)
            else:
                await self._renderer.restore(copy, kept.regions, aside)
            return await asyncio.to_thread(self._copies.place, PendingCopy(copy, aside, target, replace=False))
        finally:
            await asyncio.to_thread(self._copies.discard, aside)

    def _opened(self, path: str, beside: str, passphrase: str | None) -> Recovery:
        try:
            return self._keeper.opened(beside, passphrase)
        except NotRestorable:
            if Path(beside).is_file():
                raise KeptDamaged from None  # no other kind of file has that name: it was emptied or overwritten
            if not Path(path).exists():
                raise CopyMissing from None  # a mistyped name says nothing about the recovery file
            raise


def _target(copy: str, output: str | None, ending: str) -> str:
    """Return `a restored.jpg` for `a.jpg`, beside it or in that folder, unless a file is given."""
    usual = Path(copy).with_name(f"{Path(copy).stem} restored{ending}")
    if not output:
        return str(usual)
    is_folder = output.endswith(("/", os.sep)) or Path(output).is_dir()
    return str(Path(output) / usual.name) if is_folder else output

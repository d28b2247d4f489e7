"""Copies a photo of the library to the clipboard with all its faces covered."""

import asyncio
from dataclasses import dataclass

from agent.domain.errors import ClipboardFailed
from agent.features.redaction.options import EVERYONE, PLAIN, covered, doubts_of, marks_of
from agent.features.redaction.redact_file import redaction_task
from agent.inference.engine.analyser import Analyser
from agent.inference.engine.renderer import Render, Renderer
from agent.inference.engine.screen_port import Clipboard
from agent.infrastructure.core.scratch_folders import scratch_folder
from agent.infrastructure.core.service_context import Environment


@dataclass(frozen=True, slots=True)
class PhotoCopied:
    covered: int  # faces
    doubtful: bool  # it needs a review before it is shared


class ClipboardCopy:
    def __init__(self, analyser: Analyser, renderer: Renderer, clipboard: Clipboard | None, environment: Environment) -> None:
        """Without a clipboard, copying fails."""
        self._analyser = analyser
        self._renderer = renderer
        self._clipboard = clipboard
        self._environment = environment

    async def copy(self, path: str) -> PhotoCopied:
        """Cover everyone in the photo at `path` and copy it to the clipboard, without metadata. Only the covered picture touches the disk.

        Raises ClipboardFailed, ImageError, EngineError, ModelError.
        """
        if self._clipboard is None:
            raise ClipboardFailed
        analysis = await self._analyser.analyse(redaction_task(self._environment.settings.value, path, False))
        marks = marks_of(analysis.faces, [None] * len(analysis.faces), EVERYONE, PLAIN)
        pictures = {}
        with scratch_folder("copy") as folder:
            for format in self._clipboard.formats:
                output = folder / f"copy.{format}"
                await self._renderer.render(Render(path, str(output), covered(marks), format, strip=True))
                pictures[format] = await asyncio.to_thread(output.read_bytes)
        await self._clipboard.put(pictures)
        return PhotoCopied(len(covered(marks)), bool(doubts_of(marks)))

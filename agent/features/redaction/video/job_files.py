"""Finished parts of covered videos, in a folder for each until the copy is complete: they survive a kill at any moment."""

import hashlib
import os
import shutil
import time
from contextlib import suppress
from pathlib import Path
from typing import Final

from pydantic import ConfigDict, TypeAdapter, ValidationError

from agent.domain.video import PartDetections, Piece, Video, VideoPart
from agent.infrastructure.core.files import copy_errors, sync_file, sync_folder, write_private

_SEEN: Final = TypeAdapter(tuple[PartDetections], config=ConfigDict(strict=True, extra="forbid"))
_ENDING: Final = ".part"
# Increase when parts are detected or written differently: jobs of an older program then start again.
_EDITION: Final = 1
# Seconds: older jobs are abandoned.
_KEPT_S: Final = 14 * 86_400.0


class VideoJobFolder:
    """Implements `ClipJobs` in the program's own folder."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    def job(self, clip: Video, wish: str) -> "VideoJobFiles":
        with copy_errors():
            self._expire()
            key = hashlib.sha256(f"{_EDITION} {clip.sha256} {wish}".encode()).hexdigest()[:32]
            folder = self._folder / key
            folder.mkdir(parents=True, exist_ok=True, mode=0o700)
            os.utime(folder)
            return VideoJobFiles(folder)

    def _expire(self) -> None:
        oldest = time.time() - _KEPT_S
        for folder in self._folder.glob("*"):
            with suppress(OSError):
                if folder.stat().st_mtime < oldest:
                    shutil.rmtree(folder, ignore_errors=True)


class VideoJobFiles:
    """Implements `ClipJob`."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    def seen(self, number: int) -> PartDetections | None:
        try:
            return _SEEN.validate_json(self._seen_file(number).read_bytes())[0]
        except (OSError, ValidationError):
            return None

    def keep_seen(self, number: int, seen: PartDetections) -> None:
        with copy_errors():
            write_private(self._seen_file(number), _SEEN.dump_json((seen,)))

    def drawn(self, number: int) -> bool:
        return self._part_file(number).is_file()

    def part_output(self, number: int) -> str:
        with copy_errors():
            aside = self._part_file(number).with_suffix(".tmp")
            aside.unlink(missing_ok=True)
            return str(aside)

    def keep_part(self, number: int) -> None:
        with copy_errors():
            part = self._part_file(number)
            sync_file(part.with_suffix(".tmp"))
            part.with_suffix(".tmp").replace(part)
            sync_folder(self._folder)

    def gather(self, parts: tuple[VideoPart, ...]) -> tuple[Path, tuple[Piece, ...]]:
        made, pieces = self._folder / "made.tmp", []
        with copy_errors(), made.open("wb") as whole:
            for number, part in enumerate(parts):
                file = self._part_file(number)
                if length := file.stat().st_size:
                    pieces.append(Piece(part.start, whole.tell(), length))
                    with file.open("rb") as one:
                        shutil.copyfileobj(one, whole, 1 << 20)
        return made, tuple(pieces)

    def remove(self) -> None:
        shutil.rmtree(self._folder, ignore_errors=True)

    def _seen_file(self, number: int) -> Path:
        return self._folder / f"{number}.seen"

    def _part_file(self, number: int) -> Path:
        return self._folder / f"{number}{_ENDING}"

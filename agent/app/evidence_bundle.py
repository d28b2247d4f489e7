"""What is kept of an incident before anything is changed: a zip whose manifest names each file with its SHA-256."""

import hashlib
import json
import os
import zipfile
from collections.abc import Iterable, Iterator
from contextlib import suppress
from datetime import datetime
from pathlib import Path
from typing import Final, Self

from agent.infrastructure.core.files import replace_file, sync_folder

MANIFEST: Final = "MANIFEST.json"
_PIECE: Final = 1024 * 1024


class EvidenceBundle:
    """Written piece by piece beside its place, and moved there whole at the end. Only its owner can read it. Raises OSError."""

    def __init__(self, target: Path) -> None:
        self._target = target
        self._aside = target.with_name(f".{target.name}.part")
        self._files: dict[str, dict[str, object]] = {}

    def __enter__(self) -> Self:
        self._aside.unlink(missing_ok=True)
        handle = os.open(self._aside, os.O_RDWR | os.O_CREAT | os.O_EXCL | getattr(os, "O_BINARY", 0), 0o600)
        self._file = os.fdopen(handle, "w+b")
        self._zip = zipfile.ZipFile(self._file, "w", zipfile.ZIP_DEFLATED, allowZip64=True)
        return self

    def __exit__(self, kind: type[BaseException] | None, *_: object) -> None:
        with suppress(ValueError, OSError):  # broken off within a file
            self._zip.close()
        self._file.close()
        self._aside.unlink(missing_ok=True)

    def add(self, name: str, pieces: Iterable[bytes]) -> None:
        digest, size = hashlib.sha256(), 0
        with self._zip.open(name, "w", force_zip64=True) as member:
            for piece in pieces:
                member.write(piece)
                digest.update(piece)
                size += len(piece)
        self._files[name] = {"bytes": size, "sha256": digest.hexdigest()}

    def add_json(self, name: str, content: object) -> None:
        self.add(name, [json.dumps(content, indent=2, ensure_ascii=False).encode()])

    def finish(self, about: dict[str, object]) -> str:
        """Add the manifest, put the file in its place, and return its SHA-256 in hexadecimal."""
        self._zip.writestr(MANIFEST, json.dumps({**about, "files": self._files}, indent=2))
        self._zip.close()
        self._file.flush()
        os.fsync(self._file.fileno())
        self._file.seek(0)
        digest = hashlib.file_digest(self._file, "sha256").hexdigest()
        self._file.close()
        replace_file(self._aside, self._target)
        sync_folder(self._target.parent)
        return digest


def pieces_of(path: Path) -> Iterator[bytes]:
    """A file that may be written to meanwhile: as long as it is now."""
    with path.open("rb") as file:
        left = os.fstat(file.fileno()).st_size
        while left > 0 and (piece := file.read(min(_PIECE, left))):
            left -= len(piece)
            yield piece


def logs_since(folder: Path, since: datetime) -> list[Path]:
    """The log files, rotated ones too, that were written to at `since` or later."""
    return [log for log in sorted(folder.glob("*.log*")) if log.stat().st_mtime >= since.timestamp()]

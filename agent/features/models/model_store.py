"""Keeps the model files: lists, fetches, adds and verifies them by the SHA-256 that the manifest pins."""

import hashlib
import os
import shutil
import tempfile
import tomllib
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from difflib import get_close_matches
from enum import StrEnum
from pathlib import Path
from typing import Annotated, Literal, TypeAlias

from pydantic import BaseModel, ConfigDict, Field

from agent.domain.errors import ModelMissing, ModelUnknown, ModelUnreachable, ModelWrongHash
from agent.features.models.download_sources import DownloadFailed, DownloadSource
from agent.infrastructure.core.resources import resource
from agent.infrastructure.core.subprocesses import Stop


class ModelState(StrEnum):
    PRESENT = "present"
    MISSING = "missing"
    DAMAGED = "damaged"


class Entry(BaseModel):
    """A model of the manifest: one or more files, each with its SHA-256, and their sources."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    name: Annotated[str, Field(pattern=r"^[a-z0-9-]+$")]
    role: Literal["detector", "embedder", "samples"]
    recipe: str | None = None
    licence: str
    training_data: str
    files: Annotated[
        dict[Annotated[str, Field(pattern=r"^[\w.-]+$")], Annotated[str, Field(pattern="^[0-9a-f]{64}$")]], Field(min_length=1)
    ]
    bytes: int
    sources: Annotated[tuple[str, ...], Field(min_length=2)]


@dataclass(frozen=True, slots=True)
class ModelInfo:
    """A model's state. Its terms are the text `models.<name>.terms`."""

    name: str
    role: str
    recipe: str | None  # the mark of analyses made with it
    state: ModelState
    path: Path  # of its file, or of the folder if it has several
    sha256: str  # of its first file
    licence: str
    training_data: str
    bytes: int
    sources: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class FetchProgress:
    """`received` and `total` are bytes of all files of the model; a package's own download is not counted, only the extracted files."""

    name: str
    source: str
    received: int
    total: int


Progress: TypeAlias = Callable[[FetchProgress], None]


class ModelStore:
    """The models' folder, plus models shipped with an installed program, which lie beside the manifest in a folder each.

    `fetch`, `add` and `verify` block; call them off the event loop.
    """

    def __init__(self, folder: Path, manifest: Path | None = None) -> None:
        self.folder = folder
        manifest = manifest or resource("models") / "manifest.toml"
        self._bundled = manifest.parent
        text = manifest.read_text(encoding="utf-8")
        entries = [Entry.model_validate(raw) for raw in tomllib.loads(text)["model"]]
        self._entries = {entry.name: entry for entry in entries}
        # Files known to be intact, by size and time, so that reading the state does not hash them again.
        self._hashed: dict[Path, tuple[tuple[int, int], str]] = {}

    def list(self) -> tuple[ModelInfo, ...]:
        """Every model of the manifest, in its order."""
        return tuple(self.info(name) for name in self._entries)

    def info(self, name: str) -> ModelInfo:
        """Raises ModelUnknown."""
        entry = self._entry(name)
        only = next(iter(entry.files)) if len(entry.files) == 1 else ""
        return ModelInfo(
            name=entry.name,
            role=entry.role,
            recipe=entry.recipe,
            state=self._state(entry),
            path=self._place(entry) / only,
            sha256=next(iter(entry.files.values())),
            licence=entry.licence,
            training_data=entry.training_data,
            bytes=entry.bytes,
            sources=entry.sources,
        )

    def path(self, name: str) -> Path:
        """The model's file, or its folder if it has several. Raises ModelUnknown, ModelMissing or ModelWrongHash."""
        info = self.info(name)
        if info.state is ModelState.MISSING:
            raise ModelMissing(model=name)
        if info.state is ModelState.DAMAGED:
            raise ModelWrongHash(model=name)
        return info.path

    def fetch(self, name: str, progress: Progress | None = None, stop: Stop | None = None) -> Path:
        """Fetch a model unless it is present and intact; the first source with the right hashes wins. `stop` ends a running fetch.

        Raises ModelUnknown, ModelWrongHash (every source had other content) or ModelUnreachable.
        """
        entry = self._entry(name)
        if self._state(entry) is not ModelState.PRESENT:
            wrong = 0
            for text in entry.sources:
                try:
                    self._fetch_from(entry, DownloadSource(text), progress, stop or Stop())
                    break
                except ModelWrongHash:
                    wrong += 1
                except DownloadFailed:
                    continue
            else:
                if wrong == len(entry.sources):
                    raise ModelWrongHash(model=name)
                raise ModelUnreachable(model=name, sources=len(entry.sources))
        return self.path(name)

    def add(self, file: Path) -> ModelInfo:
        """Add a local file whose hash is in the manifest, whatever its name. Raises ModelMissing or ModelUnknown."""
        try:
            sha256 = _sha256(file)
        except OSError as error:
            raise ModelMissing(model="file") from error
        for entry in self._entries.values():
            for name, wanted in entry.files.items():
                if wanted == sha256:
                    with self._staging() as staging:
                        shutil.copyfile(file, staging / name)
                        self._keep(entry, name, staging / name)
                    return self.info(entry.name)
        raise ModelUnknown(file=1)

    def verify(self) -> tuple[ModelInfo, ...]:
        """Read every file again, ignoring cached results."""
        self._hashed.clear()
        return self.list()

    # -- inside ------------------------------------------------------------------------------------------------------------------
    def _entry(self, name: str) -> Entry:
        """The entry by its name, or by its name with the version that marks analyses."""
        for entry in self._entries.values():
            if name.lower() in (entry.name, entry.recipe):
                return entry
        raise ModelUnknown(model=name, nearest=next(iter(get_close_matches(name.lower(), self._entries, 1, 0.5)), ""))

    def _state(self, entry: Entry) -> ModelState:
        return self._state_in(self._place(entry), entry)

    def _place(self, entry: Entry) -> Path:
        """The folder of its files: the store's own, unless the program ships them and the store has no intact ones."""
        own, bundled = self.folder / entry.name, self._bundled / entry.name
        return bundled if bundled.is_dir() and self._state_in(own, entry) is not ModelState.PRESENT else own

    def _state_in(self, folder: Path, entry: Entry) -> ModelState:
        states = {self._file_state(folder / name, sha256) for name, sha256 in entry.files.items()}
        return next(state for state in (ModelState.DAMAGED, ModelState.MISSING, ModelState.PRESENT) if state in states)

    def _file_state(self, path: Path, sha256: str) -> ModelState:
        try:
            stamp = (path.stat().st_size, path.stat().st_mtime_ns)
            if path not in self._hashed or self._hashed[path][0] != stamp:
                self._hashed[path] = (stamp, _sha256(path))
        except OSError:
            return ModelState.MISSING
        return ModelState.PRESENT if self._hashed[path][1] == sha256 else ModelState.DAMAGED

    def _fetch_from(self, entry: Entry, source: DownloadSource, progress: Progress | None, stop: Stop) -> None:
        """Fetch all files or none: they are kept when the last one's hash is right. Raises SourceFailed or ModelWrongHash."""
        before = 0

        def report(received: int) -> None:
            if progress is not None:
                progress(FetchProgress(entry.name, source.kind, before + received, entry.bytes))

        report(0)
        with self._staging() as staging, source.opened(stop) as get:
            for name in entry.files:
                get(name, staging / name, report)
                if _sha256(staging / name) != entry.files[name]:
                    raise ModelWrongHash(model=entry.name)
                before += (staging / name).stat().st_size
            for name in entry.files:
                self._keep(entry, name, staging / name)

    @contextmanager
    def _staging(self) -> Iterator[Path]:
        """A folder on the same disk, so that moving into place is one step."""
        self.folder.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryDirectory(dir=self.folder, prefix=".fetch-", ignore_cleanup_errors=True) as folder:
            yield Path(folder)

    def _keep(self, entry: Entry, name: str, fresh: Path) -> None:
        """Move a verified file into place atomically."""
        with fresh.open("r+b") as file:
            os.fsync(file.fileno())
        place = self.folder / entry.name / name
        place.parent.mkdir(parents=True, exist_ok=True)
        fresh.replace(place)
        self._hashed.pop(place, None)


def _sha256(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()

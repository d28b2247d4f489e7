"""The files of uploads: parts that grow in a folder no source looks into, and photos that are moved out of it whole."""

import contextlib
import hashlib
import os
import shutil
import sys
from collections.abc import Callable, Iterator
from datetime import datetime
from pathlib import Path, PurePath
from typing import BinaryIO, Final

from agent.domain.errors import UploadNoRoom, UploadUnwritable
from agent.infrastructure.core.files import disk_full, move_new, numbered, sync_file, sync_folder
from agent.infrastructure.core.settings import root_of
from agent.server.uploads.file_sniffing import HEAD

INCOMING: Final = ".incoming"
_ENDING: Final = ".part"
_LOCK: Final = "lock"
_OF_LIBRARY: Final = "library-"
_FOLDER_MODE: Final = 0o750
_FILE_MODE: Final = 0o640
_CHUNK: Final = 1 << 20


@contextlib.contextmanager
def upload_errors() -> Iterator[None]:
    """Raises UploadNoRoom, UploadUnwritable for errors of the file system."""
    try:
        yield
    except OSError as error:
        raise (UploadNoRoom() if disk_full(error) else UploadUnwritable()) from error


if sys.platform == "win32":

    def locked(descriptor: int, *, wait: bool) -> bool:
        """There is one process."""
        return True

else:
    import fcntl

    def locked(descriptor: int, *, wait: bool) -> bool:
        """Lock an open file among processes that share its folder, until it is closed; False if another one has the lock."""
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | (0 if wait else fcntl.LOCK_NB))
        except BlockingIOError:
            return False
        return True


class UploadFiles:
    """All of it blocks. Raises UploadNoRoom, UploadUnwritable."""

    def __init__(self, folder: Callable[[], Path]) -> None:
        """`folder` may change; parts in another one are lost, and begin anew."""
        self._folder = folder

    def free(self) -> int:
        """Bytes on the disk."""
        with upload_errors():
            self._parts()
            return shutil.disk_usage(self._folder()).free

    def create(self, upload_id: str) -> None:
        with upload_errors():
            self._parts()
            os.close(os.open(self._part(upload_id), os.O_WRONLY | os.O_CREAT | os.O_EXCL, _FILE_MODE))

    def size(self, upload_id: str) -> int | None:
        """How much has arrived; None if there is no such part."""
        try:
            return self._part(upload_id).stat().st_size
        except OSError:
            return None

    def open(self, upload_id: str) -> BinaryIO:
        """For writing and reading."""
        with upload_errors():
            return self._part(upload_id).open("r+b", buffering=0)

    def hold(self, file: BinaryIO) -> bool:
        """Keep other processes from writing to an open part, until it is closed; False if one writes now."""
        with upload_errors():
            return locked(file.fileno(), wait=False)

    def is_held(self, upload_id: str) -> bool:
        """Whether a request writes to a part now."""
        try:
            with self.open(upload_id) as file:
                return not self.hold(file)
        except UploadUnwritable:
            return False

    @contextlib.contextmanager
    def alone(self) -> Iterator[None]:
        """A time in which no other process begins or stores an upload."""
        with upload_errors():
            self._parts()
            descriptor = os.open(self._folder() / INCOMING / _LOCK, os.O_RDWR | os.O_CREAT, _FILE_MODE)
        try:
            with upload_errors():
                locked(descriptor, wait=True)
            yield
        finally:
            os.close(descriptor)

    def head(self, upload_id: str) -> bytes:
        with upload_errors(), self._part(upload_id).open("rb") as file:
            return file.read(HEAD)

    def sha256(self, upload_id: str) -> str:
        """Of all of it, once it is on the disk."""
        with upload_errors():
            sync_file(self._part(upload_id))
            return _digest(self._part(upload_id))

    def drop(self, upload_id: str) -> None:
        with upload_errors():
            self._part(upload_id).unlink(missing_ok=True)

    def left(self) -> Iterator[tuple[str, int]]:
        """The ids of all parts, each with the time of its last change in nanoseconds."""
        with contextlib.suppress(OSError):
            for path in (self._folder() / INCOMING).glob(f"*{_ENDING}"):
                with contextlib.suppress(OSError):
                    yield path.stem, path.stat().st_mtime_ns

    def root(self, library: int | None) -> Path:
        """The folder that is watched for a library."""
        return self._folder() if library is None else self._folder() / f"{_OF_LIBRARY}{library}"

    def library_of(self, root: str) -> int | None:
        """The library for which `root` is that folder; None for any other folder."""
        number = PurePath(root).name.removeprefix(_OF_LIBRARY)
        return int(number) if number.isdecimal() and root == root_of(str(self.root(int(number)))) else None

    def make_root(self, library: int | None) -> Path:
        """Return `root`, which is there from now on: a watched folder that isn't counts as away."""
        root = self.root(library)
        with upload_errors():
            _make_folders(root)
        return root

    def target(self, name: str, library: int | None, now: datetime) -> str:
        """A path that no file has."""
        with upload_errors():
            folder = self.root(library) / now.strftime("%Y-%m")
            _make_folders(folder)
            return next(path for path in numbered(str(folder / name)) if not os.path.lexists(path))

    def is_at(self, upload_id: str, target: str, size: int) -> bool:
        """Whether the part was moved to its target already, also when it is still at both."""
        part, there = self._part(upload_id), Path(target)
        try:
            if part.exists():
                return there.samefile(part)
            return there.stat().st_size == size
        except OSError:
            return False

    def move(self, upload_id: str, target: str, modified_ns: int | None) -> bool:
        """Move the whole file to its target; False if another file took the name."""
        part = self._part(upload_id)
        with upload_errors():
            if modified_ns is not None:
                os.utime(part, ns=(modified_ns, modified_ns))
            try:
                move_new(str(part), target)
            except FileExistsError:
                return False
            sync_folder(Path(target).parent)
        return True

    def has(self, path: str, size: int, sha256: str) -> bool:
        """Whether a photo that was stored earlier is still there: its name may be another one's by now."""
        try:
            return Path(path).stat().st_size == size and _digest(Path(path)) == sha256
        except OSError:
            return False

    def _parts(self) -> None:
        _make_folders(self._folder() / INCOMING)

    def _part(self, upload_id: str) -> Path:
        return self._folder() / INCOMING / f"{upload_id}{_ENDING}"


def _make_folders(folder: Path) -> None:
    """Each that is missing gets the mode: `mkdir` would give it to the last alone."""
    for path in (*reversed(folder.parents), folder):
        if not path.is_dir():
            path.mkdir(mode=_FOLDER_MODE, exist_ok=True)


def _digest(path: Path) -> str:
    digest = hashlib.sha256()
    with path.open("rb", buffering=0) as file:
        while chunk := file.read(_CHUNK):
            digest.update(chunk)
    return digest.hexdigest()

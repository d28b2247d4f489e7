"""Downloads a manifest or a release's file over https: bounded, resumable, and only announced content is accepted."""

import hashlib
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

from agent.domain.errors import UpdateDiskFull, UpdateInsecure, UpdateUnreachable, UpdateUntrusted, UpdateUnwritable, UpdateWrongFile
from agent.features.updates.releases import ReleaseFile
from agent.infrastructure.core.files import disk_full, sync_file, sync_folder

if TYPE_CHECKING:
    import httpx

TRIES = 5  # consecutive failures; a connection that delivered data does not count
SPARE_BYTES = 64 * 1024 * 1024  # disk space left for other programs
_THIS_MACHINE = frozenset(("127.0.0.1", "localhost", "::1"))


def fetch(address: str, *, most: int, loopback: bool) -> bytes:
    """The content of a small file. Raises UpdateInsecure, UpdateUnreachable, UpdateUntrusted (it is larger than `most` bytes)."""
    import httpx

    with _client(loopback) as client, _translated(), client.stream("GET", address) as answer:
        if answer.status_code != httpx.codes.OK:
            raise UpdateUnreachable
        content = b""
        for chunk in answer.iter_raw():
            content += chunk
            if len(content) > most:
                raise UpdateUntrusted
        return content


def download(file: ReleaseFile, folder: Path, *, loopback: bool) -> Path:
    """The complete file in `folder`, with the announced hash; continues an earlier partial download.

    Raises UpdateInsecure, UpdateUnreachable, UpdateWrongFile, UpdateDiskFull, UpdateUnwritable.
    """
    target, part = folder / file.name, folder / f"{file.sha256}.part"
    with _disk_errors():
        folder.mkdir(parents=True, exist_ok=True)
        if is_whole(target, file):
            return target
        with _client(loopback) as client:
            vain = 0
            while (before := _size(part)) < file.size:
                _check_room(folder, file.size - before)
                try:
                    with _translated():
                        _continue(client, file, part)
                except UpdateUnreachable:
                    vain = 0 if _size(part) > before else vain + 1
                    if vain == TRIES:
                        raise
        if not is_whole(part, file):
            part.unlink()
            raise UpdateWrongFile
        sync_file(part)
        part.replace(target)
        sync_folder(folder)
        for other in folder.iterdir():
            if other != target:
                other.unlink()
    return target


def is_whole(path: Path, file: ReleaseFile) -> bool:
    """Whether it has the announced content. Reads all of it; raises OSError."""
    if _size(path) != file.size:
        return False
    with path.open("rb") as content:
        return hashlib.file_digest(content, "sha256").hexdigest() == file.sha256


def _continue(client: "httpx.Client", file: ReleaseFile, part: Path) -> None:
    """Append the missing part, or restart if the server can't resume. Raises httpx.HTTPError, UpdateUnreachable, UpdateWrongFile."""
    have = _size(part)
    with client.stream("GET", file.address, headers={"range": f"bytes={have}-"} if have else {}) as answer:
        if have and answer.status_code == 206 and answer.headers.get("content-range", "").startswith(f"bytes {have}-"):
            mode = "ab"
        elif answer.status_code == 200:
            mode, have = "wb", 0
        else:
            if answer.status_code in (206, 416):
                part.unlink()  # not the rest of this file
            raise UpdateUnreachable
        with part.open(mode) as out:
            for chunk in answer.iter_raw():
                have += len(chunk)
                if have > file.size:
                    out.close()
                    part.unlink()
                    raise UpdateWrongFile
                out.write(chunk)
    if have < file.size:
        raise UpdateUnreachable


def _client(loopback: bool) -> "httpx.Client":
    import httpx

    def check(request: httpx.Request) -> None:
        """Check each request, also after redirects."""
        here = loopback and request.url.host in _THIS_MACHINE
        if request.url.scheme != "https" and not (here and request.url.scheme == "http"):
            raise UpdateInsecure

    return httpx.Client(
        follow_redirects=True,
        timeout=httpx.Timeout(30, connect=15),
        headers={"accept-encoding": "identity", "user-agent": "ai-popup"},  # the user agent does not reveal the version
        event_hooks={"request": [check]},
        trust_env=not loopback,
    )


@contextmanager
def _translated() -> Iterator[None]:
    import httpx

    try:
        yield
    except httpx.HTTPError as error:
        raise UpdateUnreachable from error
    except httpx.InvalidURL as error:
        raise UpdateInsecure from error


@contextmanager
def _disk_errors() -> Iterator[None]:
    try:
        yield
    except OSError as error:
        raise (UpdateDiskFull if disk_full(error) else UpdateUnwritable) from error


def _check_room(folder: Path, wanted: int) -> None:
    if shutil.disk_usage(folder).free < wanted + SPARE_BYTES:
        raise UpdateDiskFull


def _size(path: Path) -> int:
    return path.stat().st_size if path.is_file() else 0

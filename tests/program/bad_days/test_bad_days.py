"""Bad days of the real program: lost keys, damaged files, folders that vanish. It names what is wrong, and loses nothing."""

import json
import os
import re
import shutil
import time
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from PIL import Image

from agent.app.library_home import home_of_key
from agent.domain.errors import StoreDamaged
from agent.infrastructure.store.open_library import DATABASE_FILE, open_library

if TYPE_CHECKING:
    from agent.features.library.schemas import ImageOut
    from tests.support.real_program import RealProgram

Photo = Callable[[int], Image.Image]


def drop(program: "RealProgram", photo: Photo, numbers: range) -> None:
    for number in numbers:
        photo(number).save(program.watched / f"{number}.jpg")


def identities(images: "dict[str, ImageOut]") -> set[tuple[int, tuple[int, ...]]]:
    """The images' ids with their faces'."""
    return {(image.id, tuple(face.id for face in image.faces)) for image in images.values()}


def damaged(program: "RealProgram", whole: bytes, page: int) -> bool:
    """Damage this page of the library alone; returns whether the library still opens, so that it doesn't hold the tables' names."""
    file = program.paths.library / DATABASE_FILE
    for beside in ("-wal", "-shm"):  # of the file that is replaced: they fit no other
        file.with_name(file.name + beside).unlink(missing_ok=True)
    file.write_bytes(whole[: page + 100] + os.urandom(50) + whole[page + 150 :])
    try:
        open_library(program.paths.library, home_of_key(program.file.load(), program.paths)).close()
    except StoreDamaged:
        return False
    return True


# -- keys and the database -------------------------------------------------------------------------------------------------------


def test_a_wiped_keyring_is_named_and_the_recovery_code_opens_the_library(
    run_with_keyring: Callable[[str], str], models_folder: Path, photo: Photo, tmp_path: Path
) -> None:
    photo(0).save(tmp_path / "0.jpg")
    output = run_with_keyring(
        f"""
        import json, subprocess, sys

        os.environ["AI_POPUP_HOME"] = {str(tmp_path / "agent")!r}
        models = Path(os.environ["AI_POPUP_HOME"], "data", "models")
        models.parent.mkdir(parents=True)
        models.symlink_to({str(models_folder)!r})

        def run(*words, input=None):
            command = [sys.executable, "-m", "agent", *words]
            return subprocess.run(command, capture_output=True, text=True, input=input, timeout=100)

        scan = ["scan", "--json", {str(tmp_path / "0.jpg")!r}]
        print(run(*scan).returncode)
        code = run("recovery-code").stdout.strip()
        [item] = collection.search_items({{"service": "AI Popup"}})
        item.delete()
        refused = run(*scan)
        print(refused.returncode, "[store.key_missing]" in refused.stderr)
        print(run("recover", input="AAAA-AAAA\\n").returncode)
        print(run("recover", input=code + "\\n").returncode)
        again = run(*scan)
        print(again.returncode, len(json.loads(again.stdout)["faces"]))
        """
    )
    assert output.splitlines() == ["0", "1 True", "1", "0", "0 1"]


def test_a_damaged_database_is_refused_and_a_backup_brings_it_back(program: "RealProgram", photo: Photo) -> None:
    drop(program, photo, range(4))
    program.start()
    program.settled(4)
    before = identities(program.images())
    assert program.run("backup", "create").returncode == 0
    program.quit()

    database = program.paths.library / DATABASE_FILE
    with database.open("r+b") as file:
        file.seek(512)
        file.write(os.urandom(20_000))
    refused = program.run("run", "--no-tray")
    assert refused.returncode == 1
    assert "[store.damaged]" in refused.stderr
    assert "ai-popup backup restore" in refused.stderr

    assert program.run("backup", "restore").returncode == 0
    program.start()
    program.settled(4)
    assert identities(program.images()) == before


@pytest.mark.timeout(600)
def test_a_damaged_page_in_the_middle_of_the_library_is_told_by_every_command_and_by_the_agent(
    program: "RealProgram", photo: Photo
) -> None:
    drop(program, photo, range(4))
    assert program.run("scan", str(program.watched)).returncode == 0
    assert program.run("backup", "create").returncode == 0
    database = program.paths.library / DATABASE_FILE
    whole = database.read_bytes()
    for part, commands in ((0.4, [["doctor"], ["find", "--unnamed"]]), (0.8, [["scan", str(program.watched)]])):
        pages = range(int(len(whole) * part) // 4096 * 4096, len(whole), 4096)
        assert any(damaged(program, whole, page) for page in pages)
        for words in commands:
            said = program.run(*words)
            told = said.stdout if words == ["doctor"] else said.stderr
            assert "[store.damaged]" in told and "ai-popup backup restore" in told, (part, words, said)

    program.start()
    status = program.until(lambda status: status.problem is not None)
    assert status.problem is not None
    assert (status.state, status.problem.code) == ("attention", "store.damaged")
    assert "ai-popup backup restore" in status.problem.remedy
    assert "[store.damaged]" in program.run("scan", str(program.watched)).stderr
    program.quit()

    assert program.run("backup", "restore").returncode == 0
    said = program.run("scan", str(program.watched))
    assert (said.returncode, "[store.damaged]" in said.stderr) == (0, False)
    assert "[store.damaged]" not in program.run("doctor").stdout


# -- settings --------------------------------------------------------------------------------------------------------------------


def test_invalid_settings_are_said_while_the_old_ones_hold(program: "RealProgram", photo: Photo) -> None:
    program.start()
    good = program.paths.settings.read_text()

    program.paths.settings.write_text(good + "\n[recognition]\nenabeld = true\n")
    status = program.until(lambda status: status.problem is not None)
    assert status.problem is not None
    assert status.problem.code == "settings.unknown_key"
    assert not status.recognition
    drop(program, photo, range(2))
    program.settled(2)

    program.paths.settings.write_text("this is no TOML")
    program.until(lambda status: status.problem is not None and status.problem.code == "settings.unreadable")

    program.paths.settings.unlink()
    gone = program.until(lambda status: status.problem is not None and status.problem.code == "settings.gone")
    assert gone.folders and gone.images == 2

    program.paths.settings.write_text(good + '\n[general]\nlanguage = "tlh"\n')
    program.until(lambda status: status.problem is not None and status.problem.code == "settings.invalid")

    program.paths.settings.write_text(good + '\n[general]\nlanguage = "zh-CN"\n')
    assert program.until(lambda status: status.problem is None).language == "zh-CN"


# -- folders and files -----------------------------------------------------------------------------------------------------------


def test_a_watched_folder_vanishes_and_returns(program: "RealProgram", photo: Photo) -> None:
    drop(program, photo, range(3))
    program.start()
    program.settled(3)
    before = identities(program.images())

    away = program.watched.with_name("away")
    program.watched.rename(away)
    status = program.until(lambda status: any(folder.problem for folder in status.folders))
    assert [folder.problem.code for folder in status.folders if folder.problem] == ["source.unreachable"]
    assert status.images == 3

    away.rename(program.watched)
    drop(program, photo, range(3, 4))
    program.until(lambda status: not any(folder.problem for folder in status.folders))
    program.settled(4)
    assert identities(program.images()) >= before


def test_photos_that_were_away_when_their_turn_came_are_read_once_they_are_back(program: "RealProgram", photo: Photo) -> None:
    program.start()
    program.post("/api/pause")
    drop(program, photo, range(6))
    program.until(lambda status: status.queued == 6)
    away = program.watched.with_name("away")
    program.watched.rename(away)
    program.post("/api/resume")
    program.until(lambda status: status.failed == 6 and status.folders[0].problem is not None)
    with program.client() as client:
        assert set(re.findall(r'"(image\.[a-z_]+)"', json.dumps(client.get_json("/api/problems")))) == {"image.missing"}

    away.rename(program.watched)
    assert program.settled(6).problem is None


def test_a_file_replaced_while_it_is_read_ends_as_what_it_is_now(program: "RealProgram", photo: Photo, tmp_path: Path) -> None:
    program.start()
    target = program.watched / "photo.jpg"
    for number in range(24):
        part = tmp_path / "part.jpg"
        photo(number).save(part, quality=95)
        part.replace(target)
        if number % 5 == 0:
            time.sleep(0.12)  # just long enough to be taken up
    photo(101).save(target)

    program.until(lambda status: status.images > 0 and not status.queued)
    wanted = (450 * 2, 460)

    def now() -> bool:
        found = program.images().get("photo.jpg")
        return found is not None and (found.width, found.height) == wanted and found.places == 1

    program.until(lambda status: not status.queued and now())
    program.quit()
    scanned = program.run("scan", "--json", str(target))
    assert (json.loads(scanned.stdout)["error"], len(json.loads(scanned.stdout)["faces"])) == (None, 2)


def test_five_hundred_files_at_once(program: "RealProgram", tmp_path: Path) -> None:
    program.start()
    crowd = tmp_path / "crowd"
    crowd.mkdir()
    for number in range(500):
        Image.new("RGB", (64, 64), (number % 256, number // 256 * 100, 77)).save(crowd / f"{number}.png")
    crowd.rename(program.watched / "crowd")
    for number in range(20):
        shutil.copy(program.watched / "crowd" / f"{number}.png", program.watched / f"copy-{number}.png")

    program.settled(500)
    with program.client() as client:
        assert client.status().problem is None
    program.quit()
    with program.library() as library:
        assert sum(len(image.places) for image in library.images(limit=1000)) == 520


@pytest.mark.parametrize("running", [True, False], ids=["while it runs", "while it does not run"])
def test_moved_and_renamed_files_keep_their_faces(program: "RealProgram", photo: Photo, running: bool) -> None:
    (program.watched / "old").mkdir()
    drop(program, photo, range(4))
    (program.watched / "3.jpg").rename(program.watched / "old" / "3.jpg")
    program.start()
    program.settled(4)
    before = identities(program.images())
    if not running:
        program.quit()

    (program.watched / "0.jpg").rename(program.watched / "renamed.jpg")
    (program.watched / "inner").mkdir()
    (program.watched / "1.jpg").rename(program.watched / "inner" / "1.jpg")
    (program.watched / "old").rename(program.watched / "new")
    if not running:
        program.start()

    expected = {"renamed.jpg", "inner/1.jpg", "2.jpg", "new/3.jpg"}

    def moved() -> bool:
        return {Path(image.path).relative_to(program.watched).as_posix() for image in program.images().values()} == expected

    program.until(lambda status: not status.queued and moved())
    assert identities(program.images()) == before
    assert program.status().images == 4

"""Recognition is off until it is switched on, and switched off it leaves no face print behind: looked for in every decrypted page."""

import shutil
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from PIL import Image

from tests.support.disk_forensics import events, left, prints, rows

if TYPE_CHECKING:
    from tests.support.real_program import RealProgram

NAME = "Somebody Remarkable"


@pytest.fixture
def bare_program(program: "RealProgram", models_folder: Path) -> "RealProgram":
    """The program with no model but the detector."""
    shutil.copytree(models_folder / "centerface", program.without_models() / "centerface")
    return program


def test_off_nothing_is_computed_and_switched_off_nothing_is_left(
    bare_program: "RealProgram", models_folder: Path, photo: Callable[[int], Image.Image]
) -> None:
    program = bare_program
    for number in range(4):
        photo(number).save(program.watched / f"{number}.jpg")

    # Off, as it is at first: faces, but nothing to recognise them by, and no model that could.
    program.start()
    assert program.settled(4).faces == 6
    assert rows(program) == {"embedding": 0, "chip": 0, "identity": 0}
    assert {path.name for path in (program.paths.data / "models").iterdir() if path.is_dir()} == {"centerface", "prepared"}

    # On, by the settings file.
    shutil.copytree(models_folder / "mobilefacenet", program.paths.data / "models" / "mobilefacenet")
    program.file.set("recognition.enabled", "true")
    program.until(lambda status: status.recognition and not status.queued)
    assert rows(program) == {"embedding": 6, "chip": 6, "identity": 0}
    face = program.images()["2.jpg"].faces[0]
    with program.client() as client:
        client.post_json("/api/people", {"face_id": face.id, "name": NAME})
    assert rows(program)["identity"] > 1, "others of the same person are recognised"
    assert program.run("backup", "create").returncode == 0
    found = prints(program)
    assert all(left(program, [each]) for each in found), "what is looked for below can be found"

    # Off again.
    program.file.set("recognition.enabled", "false")
    program.until(lambda status: not status.recognition and not left(program, found))
    assert rows(program) == {"embedding": 0, "chip": 0, "identity": 1}
    assert {word.event.__class__.__name__ for word in events(program)} >= {"RecognitionPurged"}
    assert {image.faces[0].certainty for image in program.images().values()} <= {None, "confirmed"}, "opinions went, the user's word stays"
    program.quit()
    assert not left(program, found)
    assert rows(program) == {"embedding": 0, "chip": 0, "identity": 1}


def test_settings_lost_between_two_runs_delete_nothing(program: "RealProgram", photo: Callable[[int], Image.Image]) -> None:
    for number in range(4):
        photo(number).save(program.watched / f"{number}.jpg")
    program.file.set("recognition.enabled", "true")
    program.start()
    program.settled(4)
    with program.client() as client:
        client.post_json("/api/people", {"face_id": program.images()["2.jpg"].faces[0].id, "name": NAME})
    program.quit()
    before, held = program.paths.settings.read_text(), rows(program)
    assert held["embedding"] == 6

    program.paths.settings.unlink()
    program.start()
    gone = program.until(lambda status: status.problem is not None)
    assert gone.problem is not None and gone.problem.code == "settings.gone"
    assert (gone.recognition, gone.images, [folder.path for folder in gone.folders]) == (True, 4, [str(program.watched)])
    assert rows(program) == held
    assert program.run("config", "set", "popup.seconds", "60").returncode == 0
    program.until(lambda status: status.problem is None)
    assert program.paths.settings.read_text().startswith(before)
    program.quit()
    assert rows(program) == held

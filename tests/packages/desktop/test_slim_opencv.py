"""What must be true of an OpenCV before a package may bring it along; building one takes longer than tests may."""

import re
import shutil
import subprocess
from pathlib import Path

import cv2
import pytest

from installers import slim_opencv
from installers.slim_opencv import LOCK, OPTIONS, PACKAGE, check, kept, names

ROOT = Path(__file__).parents[3]
INSTALLED = Path(cv2.__file__).parents[1]


def test_what_the_agent_calls_is_read_from_its_sources() -> None:
    assert {"imdecode", "resize", "warpAffine", "IMWRITE_WEBP_QUALITY"} <= names(ROOT / "agent")


def test_an_opencv_with_all_of_it_passes() -> None:
    check(INSTALLED, names(ROOT / "agent"))


def test_its_folder_may_be_named_from_where_it_is_built(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(INSTALLED.parent)  # as in the Dockerfile
    check(Path(INSTALLED.name), ["resize"])


def test_one_that_lacks_a_name_does_not(capfd: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(subprocess.SubprocessError):
        check(INSTALLED, ["resize", "resizeWell"])
    assert capfd.readouterr().err == "cv2.resizeWell is not there\n"


def test_another_opencv_than_the_one_in_the_folder_does_not_stand_in_for_it(tmp_path: Path) -> None:
    with pytest.raises(subprocess.SubprocessError):
        check(tmp_path, ["resize"])


def test_it_is_kept_until_what_it_is_built_from_changes(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / LOCK).parent.mkdir(parents=True)
    shutil.copy(ROOT / LOCK, tmp_path / LOCK)
    assert kept(tmp_path) is None
    monkeypatch.setattr(slim_opencv, "_build", lambda _checkout, work: (work / "whole").mkdir(parents=True))
    monkeypatch.setattr(slim_opencv, "check", lambda _folder, _wanted: None)
    built = slim_opencv.slim_opencv(tmp_path)
    assert kept(tmp_path) == built == slim_opencv.slim_opencv(tmp_path)
    monkeypatch.setitem(OPTIONS, "WITH_TIFF", "OFF")
    assert kept(tmp_path) is None
    monkeypatch.undo()
    assert kept(tmp_path) == built
    (tmp_path / LOCK).write_text(f"{PACKAGE}==6\n", encoding="utf-8")
    assert kept(tmp_path) is None


def test_it_is_of_the_version_that_everybody_else_runs() -> None:
    pins = [
        re.search(rf"^{PACKAGE}==(\S+)", (ROOT / lock).read_text(encoding="utf-8"), re.MULTILINE)
        for lock in (LOCK, "installers/locks/requirements.lock")
    ]
    assert len({pin[1] for pin in pins if pin}) == 1 and all(pins)

"""A folder has one name where the case of letters is ignored, and as many as it's typed where it isn't."""

import os
from pathlib import Path

import pytest

from agent.features.library.watched_folders import resolve_root
from agent.infrastructure.core import user_paths
from agent.infrastructure.core.settings import Folder, folder_of
from agent.infrastructure.core.user_paths import comparable, known_path, meant, typed_path, with_known_prefix
from agent.infrastructure.sources.folder.folder_scan import walk_images


@pytest.fixture
def album(tmp_path: Path) -> Path:
    """A folder with a photo."""
    folder = tmp_path / "Étés" / "Photos"
    folder.mkdir(parents=True)
    (folder / "IMG 1.JPG").touch()
    return folder


@pytest.fixture
def ignored(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(user_paths, "IGNORES_CASE", True)


def other(path: Path) -> str:
    return str(path).swapcase()


@pytest.mark.usefixtures("ignored")
def test_a_path_has_the_case_of_the_disk_however_it_is_typed(album: Path) -> None:
    photo = album / "IMG 1.JPG"
    assert typed_path(other(photo)) == str(photo)
    assert typed_path(str(photo)) == str(photo)
    # A Mac's disk may return letters and accents apart from each other.
    assert typed_path(str(album).replace("É", "E\u0301").replace("é", "e\u0301")) == str(album)


@pytest.mark.usefixtures("ignored")
def test_what_is_not_there_stays_as_typed(album: Path) -> None:
    assert typed_path(other(album) + os.sep + "New" + os.sep + "one.jpg") == str(album / "New" / "one.jpg")
    assert typed_path(str(album / "New" / ".." / "x.jpg")) == str(album / "x.jpg")


@pytest.mark.usefixtures("ignored")
def test_a_name_that_is_there_as_typed_comes_before_another(album: Path) -> None:
    twin = album.with_name("PHOTOS")
    try:
        twin.mkdir()
    except FileExistsError:
        pytest.skip("this disk ignores case")
    assert (typed_path(str(twin)), typed_path(str(album))) == (str(twin), str(album))


@pytest.mark.usefixtures("ignored")
def test_a_watched_folder_is_recognised_without_reading_any(album: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    watched = [Folder(path=str(album))]
    with monkeypatch.context() as patched:
        patched.setattr(os, "scandir", lambda _: pytest.fail("a folder was read in the event loop"))
        found = [resolve_root(other(album), watched), resolve_root(str(album / "below"), watched)]
    assert found == [str(album), str(album / "below")]


@pytest.mark.usefixtures("ignored")
def test_a_known_folder_is_meant_by_any_case_also_when_it_is_gone(album: Path, tmp_path: Path) -> None:
    gone = str(tmp_path / "Gone")
    assert meant(other(Path(gone)), [str(album), gone]) == gone
    assert meant(other(album), [gone]) == str(album)
    assert known_path(other(album), [gone]) is None


@pytest.mark.usefixtures("ignored")
def test_a_photo_of_a_folder_typed_in_another_case_has_one_name(album: Path) -> None:
    # As its watch names it: a settings file may have any case.
    root, photo = other(album), str(album / "IMG 1.JPG")
    seen = [file.path for file in walk_images([photo, str(album), str(album.parent)], roots=[str(album.parent.parent / "ÉTÉS"), root])]
    assert seen == [os.path.join(root, "IMG 1.JPG")]  # noqa: PTH118
    assert with_known_prefix(photo, [str(album) + " 2"]) == photo


@pytest.mark.usefixtures("ignored")
def test_the_rules_of_a_folder_hold_for_its_files_in_any_case() -> None:
    folder = Folder(path=os.path.abspath("/Photos/Private"), recognition=False)  # noqa: PTH100
    assert folder_of(os.path.abspath("/photos/PRIVATE/a.jpg"), [folder]) is folder  # noqa: PTH100
    assert folder_of(os.path.abspath("/photos/private 2/a.jpg"), [folder]) is None  # noqa: PTH100


def test_where_case_counts_nothing_is_read_or_changed(album: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(user_paths, "IGNORES_CASE", False)
    monkeypatch.setattr(os, "scandir", lambda _: pytest.fail("a folder was read"))
    assert typed_path(other(album)) == other(album)
    assert meant(other(album), [str(album)]) == other(album)
    assert with_known_prefix(str(album), [other(album)]) == str(album)
    assert comparable("Ä") == "Ä"

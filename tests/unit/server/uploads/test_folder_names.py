"""A folder of uploads is called so in the reader's language, and is found by what it is called in any."""

from pathlib import Path

import pytest

from agent.infrastructure.core.access_scope import AccessScope
from agent.infrastructure.core.i18n import Texts
from agent.server.libraries.library_choice import roots_of
from agent.server.libraries.records import Library
from agent.server.uploads.folder_names import UploadFolderNames
from agent.server.uploads.upload_files import UploadFiles


def names(folder: Path, language: str = "en") -> UploadFolderNames:
    return UploadFolderNames(UploadFiles(lambda: folder).library_of, lambda: [(1, "School")], lambda: Texts(language))


@pytest.mark.parametrize("other", ["library-1/2026-11", "library-x", "library-", ".", "../library-1"])
def test_only_the_folder_of_a_librarys_uploads_has_another_name(tmp_path: Path, other: str) -> None:
    assert names(tmp_path).whole(str(tmp_path / other)) is None and names(tmp_path).inside(str(tmp_path / other)) == ()


def test_it_says_to_which_library_unless_that_is_said_already(tmp_path: Path) -> None:
    root = str(tmp_path / "library-1")
    assert names(tmp_path).whole(root) == "Uploads to School" and names(tmp_path, "zh-CN").whole(root) == "上传到“School”的照片"
    assert names(tmp_path).inside(root) == ("Uploads", "上传的照片")
    assert names(tmp_path).whole(str(tmp_path / "library-2")) == "Uploads", "its library was deleted"


def test_a_members_path_is_shown_in_their_language_and_read_in_any(tmp_path: Path) -> None:
    root = str(tmp_path / "library-1")
    library = Library(1, "School", for_all=True, sources=("/srv/photos", root))
    reach = AccessScope(frozenset({1}), roots=roots_of(library, (), (), names(tmp_path, "zh-CN").inside))
    assert reach.shown(f"{root}/2026-11/a.jpg") == "School/上传的照片/2026-11/a.jpg"
    assert reach.meant("School/上传的照片/2026-11") == reach.meant("School/Uploads/2026-11") == f"{root}/2026-11"

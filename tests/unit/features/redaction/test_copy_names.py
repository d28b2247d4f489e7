"""Members name folders below the server's one for copies, and reach no other."""

from pathlib import Path

import pytest

from agent.domain.errors import Forbidden
from agent.features.redaction.copy_names import place_below


@pytest.mark.parametrize("out", ["party", "2026/party", "party/", ".", "a/../party", "…", "party name"])
def test_a_name_is_a_folder_below(tmp_path: Path, out: str) -> None:
    found = Path(place_below(tmp_path, out))
    assert found == tmp_path or tmp_path in found.parents
    assert place_below(tmp_path, str(found)) == str(found), "its full path is as good"


@pytest.mark.parametrize("out", ["..", "../copies2", "a/../../b", "/", "/etc", "/tmp", "//"])
def test_other_folders_are_refused(tmp_path: Path, out: str) -> None:
    with pytest.raises(Forbidden):
        place_below(tmp_path / "copies", out)


def test_a_folder_whose_name_begins_the_same_is_another(tmp_path: Path) -> None:
    with pytest.raises(Forbidden):
        place_below(tmp_path / "copies", str(tmp_path / "copies-of-others"))

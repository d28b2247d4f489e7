"""Folders of the server are found where a worker has them mounted."""

from pathlib import Path

import pytest

from agent.domain.errors import AgentError, ImageMissing, WorkerFolderAway
from agent.infrastructure.core.photo_files import open_photo
from agent.server.workers.path_mapping import Roots


@pytest.mark.parametrize(
    ("words", "path", "local"),
    [
        ([], "/srv/photos/a.jpg", "/srv/photos/a.jpg"),
        (["/srv/photos=/mnt/nas"], "/srv/photos/2024/a.jpg", "/mnt/nas/2024/a.jpg"),
        (["/srv/photos=/mnt/nas"], "/srv/photos-old/a.jpg", "/srv/photos-old/a.jpg"),
        (["/srv/photos/=/mnt/nas/"], "/srv/photos", "/mnt/nas"),
        (["/srv=/mnt/a", "/srv/photos=/mnt/b"], "/srv/photos/a.jpg", "/mnt/b/a.jpg"),
        (["/srv=/mnt/a", "/srv/photos=/mnt/b"], "/srv/music/a.jpg", "/mnt/a/music/a.jpg"),
        (["/=/mnt/server"], "/srv/a.jpg", "/mnt/server/srv/a.jpg"),
        (["/srv/photos=/"], "/srv/photos/a.jpg", "/a.jpg"),
        (["/srv/photos=N:\\photos"], "/srv/photos/2024/a.jpg", "N:\\photos\\2024\\a.jpg"),
        (["D:\\photos=/mnt/nas"], "D:\\photos\\2024\\a.jpg", "/mnt/nas/2024/a.jpg"),
    ],
)
def test_a_path_of_the_server_is_one_of_this_machine(words: list[str], path: str, local: str) -> None:
    assert Roots.parse(words).local(path) == local


@pytest.mark.parametrize("word", ["/srv/photos", "srv=/mnt", "/srv=mnt", "=", "/srv=", "/srv/a=b=/mnt"])
def test_both_sides_are_absolute(word: str) -> None:
    with pytest.raises(ValueError, match=word):
        Roots.parse([word])


def test_a_photo_is_opened_where_it_is_mounted() -> None:
    opened: list[str] = []

    def open_item(path: str) -> int:
        opened.append(path)
        raise ImageMissing

    with pytest.raises(ImageMissing):
        Roots.parse(["/srv=/mnt"]).opener(open_item)("/srv/a.jpg")
    assert opened == ["/mnt/a.jpg"]


@pytest.mark.parametrize(("mounted", "error"), [("photos", ImageMissing), ("empty", WorkerFolderAway), ("nowhere", WorkerFolderAway)])
def test_a_photo_is_not_to_blame_for_a_root_that_is_not_mounted(tmp_path: Path, mounted: str, error: type[AgentError]) -> None:
    (tmp_path / "photos").mkdir()
    (tmp_path / "photos" / "other.jpg").touch()
    (tmp_path / "empty").mkdir()
    opened = Roots.parse([f"/srv/photos={tmp_path / mounted}"]).opener(open_photo)
    with pytest.raises(error):
        opened("/srv/photos/a.jpg")


@pytest.mark.parametrize(
    ("words", "error"),
    [([], WorkerFolderAway), (["{there}/photos={here}"], ImageMissing), (["{there}={here}"], WorkerFolderAway)],
    ids=["not named", "named", "named above"],
)
def test_a_photo_is_not_to_blame_for_a_watched_folder_that_is_not_there(tmp_path: Path, words: list[str], error: type[AgentError]) -> None:
    (there, here) = (tmp_path / "there", tmp_path / "here")
    (here / "other").mkdir(parents=True)
    roots = Roots.parse(word.format(there=there, here=here) for word in words)
    roots.watched([f"{there}/photos/", f"{there}/more"])
    opened = roots.opener(open_photo)
    with pytest.raises(error):
        opened(f"{there}/photos/a.jpg")
    with pytest.raises(ImageMissing):
        opened(f"{there}/asked/a.jpg")


def test_a_watched_folder_that_was_deleted_keeps_no_others_waiting(tmp_path: Path) -> None:
    (tmp_path / "more").mkdir()
    roots = Roots()
    roots.watched([f"{tmp_path}/photos", f"{tmp_path}/more"])
    with pytest.raises(ImageMissing):
        roots.opener(open_photo)(f"{tmp_path}/photos/a.jpg")

"""A cluster's folder is made, whether or not the repositories of its log can be."""

from pathlib import Path

from structlog.testing import capture_logs

from agent.infrastructure.store.data_directory import Archive, ClusterFolder


def cluster(folder: Path, *repositories: Path) -> ClusterFolder:
    folders = {f"repo{number}-path": path for number, path in enumerate(repositories, 1)}
    return ClusterFolder(folder / "cluster", None, Archive("pgbackrest", "[global]\n", folders, {}, 60))


def test_a_repository_that_cannot_be_made_keeps_nothing_else_from_being_made(tmp_path: Path) -> None:
    (tmp_path / "no folder").touch()
    made = cluster(tmp_path, tmp_path / "no folder" / "database", tmp_path / "far" / "database")
    with capture_logs() as logged:
        made.make()
    assert (made.path / "pgbackrest.conf").read_text() == "[global]\n"
    assert (tmp_path / "far" / "database").is_dir()
    assert [(line["event"], line["code"]) for line in logged] == [("backup.no_folder", "backup.unwritable")]
    with made.reached() as reached:
        assert reached.environment["PGBACKREST_REPO1_PATH"] == str(tmp_path / "no folder" / "database")


def test_a_disk_that_is_back_is_used_without_a_new_start(tmp_path: Path) -> None:
    (tmp_path / "no folder").touch()
    made = cluster(tmp_path, tmp_path / "no folder" / "database")
    assert list(made.make_repositories()) == ["repo1-path"]
    (tmp_path / "no folder").unlink()
    assert made.make_repositories() == {}
    assert (tmp_path / "no folder" / "database").is_dir()

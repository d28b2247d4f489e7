"""Looking through folders."""

import contextlib
import errno
import os
import stat
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from agent.domain.image import is_image
from agent.infrastructure.core.extended_paths import verbatim
from agent.infrastructure.core.settings import Folder
from agent.infrastructure.sources.folder.folder_rules import Matcher
from agent.infrastructure.sources.folder.folder_scan import (
    Comparison,
    Walk,
    ancestors,
    file_facts,
    folder_root,
    missing,
    topmost,
    walk_images,
)
from tests.support.native_paths import native


def fill(root: Path, *names: str) -> None:
    for name in names:
        path = root / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(name.encode())


def found(root: Path, **rules: object) -> set[str]:
    folder = Folder.model_validate({"path": str(root), **rules})
    return {Path(path).relative_to(root).as_posix() for path, _ in Walk(str(root), Matcher(str(root), folder))}


@pytest.mark.parametrize("name", ["a.jpg", "B.JPEG", "c.Webp", "d.heic", "e.avif", "f.tif", "g.jfif", "h.HIF", "k.MPO", "i.CR3", "j.dng"])
def test_image_endings_are_known_in_any_case(name: str) -> None:
    assert is_image(name)


@pytest.mark.parametrize("name", ["a.txt", "jpg", "a.jpg.part", "a.mov", "a."])
def test_other_files_are_not_images(name: str) -> None:
    assert not is_image(name)


def test_folders_inside_are_looked_through_only_if_wished(tmp_path: Path) -> None:
    fill(tmp_path, "a.jpg", "b.txt", "in/c.png", "in/deep/d.gif")
    assert found(tmp_path) == {"a.jpg", "in/c.png", "in/deep/d.gif"}
    assert found(tmp_path, recursive=False) == {"a.jpg"}


def test_patterns_are_for_names_and_for_paths(tmp_path: Path) -> None:
    fill(tmp_path, "a.jpg", "b.png", "trip/c.jpg", "trip/x/d.jpg", ".hidden/e.jpg", ".f.jpg")
    assert found(tmp_path) == {"a.jpg", "b.png", "trip/c.jpg", "trip/x/d.jpg"}
    assert found(tmp_path, include=["*.JPG"]) == {"a.jpg", "trip/c.jpg", "trip/x/d.jpg"}
    assert found(tmp_path, include=["trip/*"]) == {"trip/c.jpg", "trip/x/d.jpg"}
    assert found(tmp_path, exclude=["x", "a.*", ".*"]) == {"b.png", "trip/c.jpg"}
    assert found(tmp_path, exclude=["trip"]) == {"a.jpg", "b.png", ".hidden/e.jpg", ".f.jpg"}


def test_a_file_or_folder_that_is_named_is_found_however_long_its_path_is(tmp_path: Path) -> None:
    folder = str(tmp_path / ("d" * 150))
    file = f"{folder}{os.sep}{'f' * 150}.jpg"
    Path(verbatim(folder)).mkdir()
    Path(verbatim(file)).write_bytes(b"123")
    for named in (file, folder):
        assert [(each.path, each.size) for each in walk_images([named])] == [(file, 3)]


CLOSED = ("Photos.photoslibrary/originals/a.jpg", "Cat Previews.lrdata/0/b.jpg", "$RECYCLE.BIN/S-1/c.jpg", ".Trash-1000/files/d.jpg")


def test_other_programs_packages_and_trash_folders_are_never_entered(tmp_path: Path) -> None:
    fill(tmp_path, "e.jpg", "my.app.photos/f.jpg", *CLOSED)
    assert found(tmp_path, exclude=[]) == {"e.jpg", "my.app.photos/f.jpg"}
    matcher = Matcher(str(tmp_path), Folder(path=str(tmp_path), exclude=()))
    assert not any(matcher.takes(str(tmp_path / path)) for path in CLOSED)
    assert not any(matcher.enters(str((tmp_path / path).parent)) for path in CLOSED)


def test_a_package_that_is_watched_by_itself_is_looked_through(tmp_path: Path) -> None:
    top = tmp_path / "Photos.photoslibrary"
    fill(top, "originals/a.jpg")
    assert found(top) == {"originals/a.jpg"}


def test_an_event_s_path_is_judged_as_the_walk_judges_it(tmp_path: Path) -> None:
    root = str(tmp_path)
    matcher = Matcher(root, Folder(path=root, include=("*.jpg",), exclude=("x", ".*")))
    assert matcher.takes(f"{root}/a/b.jpg")
    assert not matcher.takes(f"{root}/x/b.jpg")
    assert not matcher.takes(f"{root}/a/.b/c.jpg")
    assert not matcher.takes(f"{root}/a/b.png")
    assert matcher.enters(f"{root}/a/b")
    assert not matcher.enters(f"{root}/a/x/b")
    flat = Matcher(root, Folder(path=root, recursive=False))
    assert flat.takes(f"{root}/a.jpg")
    assert not flat.takes(f"{root}/a/b.jpg")
    assert not flat.enters(f"{root}/a")


@pytest.mark.skipif(os.name != "posix", reason="links and pipes are POSIX's")
def test_links_and_pipes_are_passed_over(tmp_path: Path) -> None:
    fill(tmp_path, "a/b.jpg")
    (tmp_path / "a" / "loop").symlink_to(tmp_path)
    (tmp_path / "a" / "link.jpg").symlink_to(tmp_path / "a" / "b.jpg")
    os.mkfifo(tmp_path / "a" / "pipe.jpg")
    (tmp_path / "folder.jpg").mkdir()
    assert found(tmp_path) == {"a/b.jpg"}
    assert file_facts(str(tmp_path / "a" / "pipe.jpg")) is None
    assert file_facts(str(tmp_path / "a" / "link.jpg")) is None
    assert file_facts(str(tmp_path / "a" / "none.jpg")) is None


@pytest.mark.parametrize("told", [-11_644_473_600 * 10**9, 9_999_999_999 * 10**9])
def test_times_of_other_centuries_are_held_as_far_as_the_library_can(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, told: int) -> None:
    """Windows has files of 1601, and any archive may bring one of 2300: neither ends the scan of its folder."""

    class Entry:
        def __init__(self, entry: "os.DirEntry[str]") -> None:
            self.name, self.is_dir, self.is_file = entry.name, entry.is_dir, entry.is_file

        def stat(self, *, follow_symlinks: bool) -> SimpleNamespace:
            return SimpleNamespace(st_size=1, st_mtime_ns=told, st_mode=stat.S_IFREG, st_reparse_tag=0)

    fill(tmp_path, "a.jpg")
    scandir = os.scandir
    monkeypatch.setattr(os, "scandir", lambda path: contextlib.nullcontext([Entry(each) for each in scandir(path)]))
    monkeypatch.setattr(os, "lstat", lambda _: SimpleNamespace(st_size=1, st_mtime_ns=told, st_mode=stat.S_IFREG))
    ((path, facts),) = list(Walk(str(tmp_path), Matcher(str(tmp_path), Folder(path="x"))))
    assert facts == file_facts(path) and -(2**63) <= facts[1] < 2**63


def test_windows_links_to_folders_are_passed_over_with_every_python(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    fill(tmp_path, "a/b.jpg")
    monkeypatch.setattr(stat, "IO_REPARSE_TAG_MOUNT_POINT", 0xA0000003, raising=False)

    class Entry:
        def __init__(self, entry: "os.DirEntry[str]") -> None:
            self.name, self.is_dir, self.is_file = entry.name, entry.is_dir, entry.is_file

        def stat(self, *, follow_symlinks: bool) -> SimpleNamespace:
            return SimpleNamespace(st_size=1, st_mtime_ns=1, st_reparse_tag=0xA0000003 if self.name == "a" else 0)

    scandir = os.scandir
    monkeypatch.setattr(os, "scandir", lambda path: contextlib.nullcontext([Entry(each) for each in scandir(path)]))
    assert found(tmp_path) == set()


@pytest.mark.skipif(os.name != "posix", reason="names of any bytes are POSIX's")
def test_names_that_are_not_unicode_work(tmp_path: Path) -> None:
    (tmp_path / os.fsdecode(b"caf\xe9.jpg")).write_bytes(b"12")
    ((seen, facts),) = list(Walk(str(tmp_path), Matcher(str(tmp_path), Folder(path="x"))))
    assert os.fsencode(seen).endswith(b"/caf\xe9.jpg")
    assert facts[0] == 2
    assert file_facts(seen) == facts


def test_a_folder_that_is_watched_for_itself_is_left_to_that(tmp_path: Path) -> None:
    fill(tmp_path, "a.jpg", "own/b.jpg", "own/c/d.jpg")
    walk = Walk(str(tmp_path), Matcher(str(tmp_path), Folder(path="x")), inner=frozenset({str(tmp_path / "own")}))
    assert [path for path, _ in walk] == [str(tmp_path / "a.jpg")]


def test_an_unreadable_subfolder_is_noted_and_passed_over(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    fill(tmp_path, "a.jpg", "shut/b.jpg")
    scandir = os.scandir

    def refusing(path: str) -> object:
        if path.endswith("shut"):
            raise PermissionError
        return scandir(path)

    monkeypatch.setattr(os, "scandir", refusing)
    walk = Walk(str(tmp_path), Matcher(str(tmp_path), Folder(path="x")))
    assert [path for path, _ in walk] == [str(tmp_path / "a.jpg")]
    assert walk.unreadable == [str(tmp_path / "shut")]


class Refusing:
    """Entries of which those named in `refused` can be listed and not be asked."""

    def __init__(self, folder: str, refused: dict[str, OSError]) -> None:
        self.entries = SCANDIR(folder)
        self.refused = refused

    def __enter__(self) -> list[Any]:
        def entry(real: "os.DirEntry[str]") -> Any:
            def stat(*, follow_symlinks: bool) -> os.stat_result:
                if real.name in self.refused:
                    raise self.refused[real.name]
                return real.stat(follow_symlinks=follow_symlinks)

            return SimpleNamespace(name=real.name, path=real.path, is_dir=real.is_dir, is_file=real.is_file, stat=stat)

        return [entry(real) for real in self.entries]

    def __exit__(self, *_: object) -> None:
        self.entries.close()


SCANDIR = os.scandir


def refusing(monkeypatch: pytest.MonkeyPatch, refused: dict[str, OSError]) -> None:
    monkeypatch.setattr(os, "scandir", lambda folder: Refusing(folder, refused))


def test_a_subfolder_that_may_be_listed_and_not_entered_is_noted_and_ends_nothing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    fill(tmp_path, "a.jpg", "listed/b.jpg", "listed/c.jpg", "z.jpg")
    refusing(monkeypatch, {"b.jpg": PermissionError(), "c.jpg": PermissionError()})
    walk = Walk(str(tmp_path), Matcher(str(tmp_path), Folder(path="x")))
    assert [Path(path).name for path, _ in walk] == ["a.jpg", "z.jpg"]
    assert walk.unreadable == [str(tmp_path / "listed")]


def test_a_top_that_may_be_listed_and_not_entered_is_an_error(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    fill(tmp_path, "a.jpg")
    refusing(monkeypatch, {"a.jpg": PermissionError()})
    for top in (str(tmp_path), str(tmp_path) + os.sep):
        with pytest.raises(PermissionError):
            list(Walk(top, Matcher(top, Folder(path="x"))))


def test_a_file_on_a_damaged_place_ends_nothing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    fill(tmp_path, "a.jpg", "b.jpg", "c.jpg")
    refusing(monkeypatch, {"b.jpg": OSError(errno.EIO, "Input/output error")})
    walk = Walk(str(tmp_path), Matcher(str(tmp_path), Folder(path="x")))
    assert [Path(path).name for path, _ in walk] == ["a.jpg", "c.jpg"]
    assert walk.unreadable == []


def test_an_unreadable_top_is_an_error_and_an_empty_one_is_noted(tmp_path: Path) -> None:
    matcher = Matcher(str(tmp_path), Folder(path="x"))
    with pytest.raises(FileNotFoundError):
        list(Walk(str(tmp_path / "none"), matcher))
    walk = Walk(str(tmp_path), matcher)
    assert list(walk) == []
    assert walk.empty
    fill(tmp_path, "note.txt")
    walk = Walk(str(tmp_path), matcher)
    assert list(walk) == []
    assert not walk.empty


def test_files_come_in_the_order_of_their_paths(tmp_path: Path) -> None:
    names = [
        "a/z.jpg",
        "a-b.jpg",
        "a.jpg",
        "a/b/c.jpg",
        "a0.jpg",
        "a b/d.jpg",
        "ä.jpg",
        "Z.jpg",
        "a/b.jpg",
        "b/é.jpg",
        "b/e.jpg",
        "b-/f.jpg",
    ]
    fill(tmp_path, *names)
    seen = [path for path, _ in Walk(str(tmp_path), Matcher(str(tmp_path), Folder(path="x")))]
    assert seen == sorted(str(tmp_path / name) for name in names)


@pytest.mark.parametrize("step", [1, 2, 100])
def test_a_comparison_tells_new_and_changed_files_and_leaves_what_it_did_not_meet(tmp_path: Path, step: int) -> None:
    fill(tmp_path, *(f"{number}.jpg" for number in range(5)))
    walk = Walk(str(tmp_path), Matcher(str(tmp_path), Folder(path="x")))
    known = {path: facts for path, facts in walk if not path.endswith("0.jpg")}
    known[str(tmp_path / "1.jpg")] = (99, 99)
    gone = [str(tmp_path / name) for name in (".jpg", "22.jpg", "gone.jpg", "gone/a.jpg")]
    comparison = Comparison(walk, sorted((known | dict.fromkeys(gone, (1, 1))).items()))
    changed: set[str] = set()
    while not comparison.finished:
        changed |= {Path(path).name for path, _ in comparison.step(step)}
    assert changed == {"0.jpg", "1.jpg"}
    assert comparison.lost == gone
    assert not comparison.none_known


def test_what_is_gone_is_told_from_what_is_there(tmp_path: Path) -> None:
    fill(tmp_path, "2.jpg")
    gone = [str(tmp_path / "gone.jpg"), str(tmp_path / "2.jpg" / "below")]
    assert missing([*gone, str(tmp_path / "2.jpg")]) == gone


def test_a_comparison_with_nothing_says_so(tmp_path: Path) -> None:
    fill(tmp_path, "a.jpg")
    comparison = Comparison(Walk(str(tmp_path), Matcher(str(tmp_path), Folder(path="x"))))
    assert len(comparison.step()) == 1
    assert comparison.finished
    assert comparison.none_known


def test_a_comparison_of_a_folder_that_went_ends(tmp_path: Path) -> None:
    comparison = Comparison(Walk(str(tmp_path / "none"), Matcher(str(tmp_path), Folder(path="x"))))
    assert comparison.step_or_end() == []
    assert comparison.finished


def test_only_the_topmost_paths_are_kept() -> None:
    paths = map(native, ("/a/b", "/a/b/c", "/a/bc", "/d/e/f", "/a/b/c/d"))
    assert topmost(list(paths)) == tuple(map(native, ("/a/b", "/a/bc", "/d/e/f")))
    assert list(ancestors(native("/a/b/c"))) == [native("/a/b"), native("/a")]


def test_a_folder_s_root_is_absolute_and_plain(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.setenv("USERPROFILE", str(tmp_path))
    assert folder_root(Folder(path="~/a/../b/")) == str(tmp_path / "b")


def test_a_scan_by_hand_takes_files_as_named_and_folders_by_the_rules(tmp_path: Path) -> None:
    fill(tmp_path, "a.jpg", "b.dat", "in/c.png", "in/.d.jpg")
    paths = [str(tmp_path / "b.dat"), str(tmp_path), str(tmp_path / "in"), str(tmp_path / "none.jpg")]
    seen = list(walk_images(paths))
    assert sorted(Path(file.path).name for file in seen) == ["a.jpg", "b.dat", "c.png", "none.jpg"]
    assert [file.size for file in seen if file.path.endswith("none.jpg")] == [0]
    assert {file.folder for file in seen} == {None}
    assert [Path(file.path).name for file in walk_images([str(tmp_path)], Folder(path="x", recursive=False))] == ["a.jpg"]


def test_a_folder_below_that_can_not_be_read_is_told_of_by_a_scan(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    fill(tmp_path, "a.jpg", "listed/b.jpg")
    refusing(monkeypatch, {"b.jpg": PermissionError()})
    told = {Path(file.path).name: file.size for file in walk_images([str(tmp_path)])}
    assert told.keys() == {"a.jpg", "listed"} and told["listed"] == 0

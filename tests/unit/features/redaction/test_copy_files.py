"""Where covered copies go, and that each gets there whole or not at all."""

import errno
import json
import os
import sys
from collections.abc import Callable
from hashlib import sha256
from pathlib import Path

import pytest

from agent.domain.errors import AlreadyKept, CopyDiskFull, CopyNotAFile, CopyUnsupported, CopyUnwritable, SameFile
from agent.domain.image import with_extension
from agent.features.redaction import copy_files
from agent.features.redaction.copy_files import CopyFileStore, PendingCopy
from agent.features.redaction.copy_names import writable
from agent.features.redaction.copy_records import Made
from agent.features.redaction.options import Keeping, RedactionOptions
from agent.infrastructure.core.files import move_new, numbered
from agent.infrastructure.core.i18n import LANGUAGES, Texts

LINKS = pytest.mark.skipif(sys.platform == "win32", reason="links need rights there")
COPIES = CopyFileStore()
ODD = "图 שלום ☃.jpg"


@pytest.fixture
def photos(tmp_path: Path) -> Path:
    folder = tmp_path / "photos"
    (folder / "trip").mkdir(parents=True)
    for name in ("a.jpg", "trip/a.jpg", "trip/b.HEIC", f"trip/{ODD}", "notes.txt"):
        (folder / name).write_bytes(name.encode())
    return folder


def nothing_made(_: str) -> None:
    return None


def plan(
    out: Path | str | None, *paths: Path, wish: RedactionOptions | None = None, made: Callable[[str], Made | None] = nothing_made
) -> dict[str, str]:
    """Source -> target, both by what follows the folder they lie in."""
    found = COPIES.plan([str(path) for path in paths], None if out is None else str(out), wish or RedactionOptions(), made)
    return {each.source: each.target for each in found}


# -- names ---------------------------------------------------------------------------------------------------------------------------


def test_copies_of_a_folder_keep_their_places_below_it(photos: Path, tmp_path: Path) -> None:
    safe = tmp_path / "safe"

    assert plan(safe, photos) == {
        str(photos / "a.jpg"): str(safe / "a.jpg"),
        str(photos / "trip/a.jpg"): str(safe / "trip/a.jpg"),
        str(photos / "trip/b.HEIC"): str(safe / "trip/b.jpg"),
        str(photos / f"trip/{ODD}"): str(safe / f"trip/{ODD}"),
    }


@pytest.mark.parametrize("name", ["poster.PSD", "scan.jp2", "tape.rm"])
def test_pictures_that_can_not_be_read_are_planned_too_so_that_their_failing_is_told(photos: Path, tmp_path: Path, name: str) -> None:
    (photos / name).write_bytes(b"8BPS")
    assert plan(tmp_path / "safe", photos)[str(photos / name)] == str(tmp_path / "safe" / name)
    assert str(photos / name) in plan(None, photos)


def test_what_cannot_be_written_becomes_a_jpeg(photos: Path, tmp_path: Path) -> None:
    [heic] = COPIES.plan([str(photos / "trip/b.HEIC")], str(tmp_path / "safe"), RedactionOptions(), nothing_made)

    assert heic.format == "jpeg"
    assert not writable("/x/y.nef") and writable("/x/y.PNG") and writable("/x/y")


def test_two_files_of_one_name_get_two_names_also_where_letter_case_does_not_count(photos: Path, tmp_path: Path) -> None:
    (photos / "other").mkdir()
    (photos / "other/A.JPG").write_bytes(b"other")

    targets = plan(tmp_path / "safe", photos / "a.jpg", photos / "trip/a.jpg", photos / "other/A.JPG")

    assert [Path(each).name for each in targets.values()] == ["a.jpg", "a (2).jpg", "A (3).JPG"]


@LINKS
def test_a_file_that_is_there_keeps_its_name(photos: Path, tmp_path: Path) -> None:
    (tmp_path / "a.jpg").write_bytes(b"somebody's")
    (tmp_path / "a (2).jpg").symlink_to("nowhere")

    assert plan(tmp_path, photos / "a.jpg") == {str(photos / "a.jpg"): str(tmp_path / "a (3).jpg")}
    assert plan(tmp_path, photos / "a.jpg", wish=RedactionOptions(replace=True)) == {str(photos / "a.jpg"): str(tmp_path / "a.jpg")}


@pytest.mark.skipif(sys.platform == "win32", reason="Windows has no pipes in folders")
def test_a_pipe_a_device_or_a_folder_is_never_replaced(photos: Path, tmp_path: Path) -> None:
    replacing = RedactionOptions(replace=True)
    os.mkfifo(tmp_path / "pipe.jpg")
    (tmp_path / "null.jpg").symlink_to("/dev/null")
    for name in ("pipe.jpg", "null.jpg"):
        with pytest.raises(CopyNotAFile):
            plan(tmp_path / name, photos / "a.jpg", wish=replacing)
    (tmp_path / "a.jpg").mkdir()
    assert plan(tmp_path, photos / "a.jpg", wish=replacing) == {str(photos / "a.jpg"): str(tmp_path / "a (2).jpg")}

    aside = COPIES.prepare(str(tmp_path / "pipe.jpg"), "batch 1")
    Path(aside).write_bytes(b"covered")
    with pytest.raises(CopyNotAFile):
        COPIES.place(PendingCopy(str(photos / "a.jpg"), aside, str(tmp_path / "pipe.jpg"), replace=True))
    os.mkfifo(tmp_path / "b.jpg.redaction.json")
    with pytest.raises(CopyNotAFile):
        COPIES.report(str(tmp_path / "b.jpg"), {})
    assert (tmp_path / "pipe.jpg").is_fifo() and (tmp_path / "b.jpg.redaction.json").is_fifo()
    assert [str(each) for each in tmp_path.glob(".ai-popup-*.tmp")] == [aside], "no report was left behind"


def test_so_does_what_was_kept_of_an_earlier_copy(photos: Path, tmp_path: Path) -> None:
    (tmp_path / "a.jpg.aipopup").write_bytes(b"kept")

    keeping = RedactionOptions(keeping=Keeping.REGIONS)
    assert plan(tmp_path, photos / "a.jpg", wish=keeping) == {str(photos / "a.jpg"): str(tmp_path / "a (2).jpg")}
    assert plan(tmp_path, photos / "a.jpg") == {str(photos / "a.jpg"): str(tmp_path / "a.jpg")}


def test_a_copy_that_was_made_of_the_same_content_by_the_same_wish_is_passed_over(photos: Path, tmp_path: Path) -> None:
    copy, source = tmp_path / "a.jpg", photos / "a.jpg"
    copy.write_bytes(b"covered")
    made = Made(sha256(b"a.jpg").hexdigest(), sha256(b"covered").hexdigest(), RedactionOptions(strip=True))
    wish = RedactionOptions(strip=True, replace=True, report=True)

    def there(target: str) -> Made | None:
        return made if target == str(copy) else None

    [passed] = COPIES.plan([str(source)], str(tmp_path), wish, there)
    assert (passed.target, passed.there) == (str(copy), made)
    [otherwise] = COPIES.plan([str(source)], str(tmp_path), RedactionOptions(), there)
    assert (otherwise.target, otherwise.there) == (str(tmp_path / "a (2).jpg"), None)
    source.write_bytes(b"changed")
    [changed] = COPIES.plan([str(source)], str(tmp_path), wish, there)
    assert (changed.target, changed.there) == (str(copy), None)
    source.write_bytes(b"a.jpg")
    copy.write_bytes(b"somebody drew on it")
    [drawn] = COPIES.plan([str(source)], str(tmp_path), RedactionOptions(strip=True), there)
    assert (drawn.target, drawn.there) == (str(tmp_path / "a (2).jpg"), None)


def test_the_copy_itself_may_be_named_and_its_ending_says_the_format(photos: Path, tmp_path: Path) -> None:
    [png] = COPIES.plan([str(photos / "a.jpg")], str(tmp_path / "new/b.png"), RedactionOptions(), nothing_made)
    [same] = COPIES.plan([str(photos / "a.jpg")], str(tmp_path / "b.JPEG"), RedactionOptions(), nothing_made)

    assert (png.target, png.format) == (str(tmp_path / "new/b.png"), "png")
    assert same.format is None
    with pytest.raises(CopyUnsupported) as refused:
        plan(tmp_path / "b.xyz", photos / "a.jpg")
    assert refused.value.params == {"format": "xyz", "choices": "jpeg, png, tiff, bmp, webp, gif, avif"}
    assert plan(str(tmp_path / "b.d") + os.sep, photos / "a.jpg") == {str(photos / "a.jpg"): str(tmp_path / "b.d/a.jpg")}


@pytest.mark.parametrize("ending", ["ts", "vob", "mxf", "dv", "avi", "jpg"])
def test_a_clip_is_refused_a_name_of_what_it_can_not_become_in_words_about_videos(tmp_path: Path, ending: str) -> None:
    (tmp_path / "a.avi").write_bytes(b"clip")
    with pytest.raises(CopyUnsupported) as refused:
        plan(tmp_path / f"b.{ending}", tmp_path / "a.avi")
    assert refused.value.params == {"format": ending, "clip": "avi"}
    assert "MP4, MOV, MKV" in Texts("en").remedy(refused.value) and "JPEG" not in Texts("en").remedy(refused.value)


def test_what_lies_in_the_folder_for_copies_is_not_copied(photos: Path) -> None:
    (photos / "safe").mkdir()
    (photos / "safe/a.jpg").write_bytes(b"a copy")

    sources = plan(photos / "safe", photos)

    assert str(photos / "safe/a.jpg") not in sources
    assert len(sources) == 4


@pytest.mark.parametrize("link", ["itself", pytest.param("symbolic", marks=LINKS), "hard"])
def test_a_copy_never_takes_its_originals_place_unasked(photos: Path, tmp_path: Path, link: str) -> None:
    out = photos / "a.jpg" if link == "itself" else tmp_path / "link.jpg"
    if link == "symbolic":
        out.symlink_to(photos / "a.jpg")
    elif link == "hard":
        out.hardlink_to(photos / "a.jpg")

    for wish in (RedactionOptions(), RedactionOptions(replace=True)):
        with pytest.raises(SameFile):
            plan(out, photos / "a.jpg", wish=wish)


def test_nor_that_of_another_one(photos: Path) -> None:
    with pytest.raises(SameFile):
        plan(photos, photos / "trip/a.jpg", photos / "a.jpg", wish=RedactionOptions(replace=True))
    with pytest.raises(SameFile):
        plan(photos, photos)


@LINKS
def test_in_place_a_link_leads_to_what_is_covered_and_no_file_is_covered_twice(photos: Path, tmp_path: Path) -> None:
    link = tmp_path / "link.jpg"
    link.symlink_to(photos / "a.jpg")

    assert plan(None, link, photos / "a.jpg", wish=RedactionOptions(replace=True)) == {str(photos / "a.jpg"): str(photos / "a.jpg")}


def test_the_copies_of_a_folders_rule_never_take_an_originals_place(photos: Path, tmp_path: Path) -> None:
    found = COPIES.plan_below(str(photos), [str(photos / "trip/a.jpg")], str(tmp_path / "safe"), RedactionOptions(), nothing_made)
    assert [each.target for each in found] == [str(tmp_path / "safe/trip/a.jpg")]

    assert COPIES.plan_below(str(photos), [str(photos / "a.jpg")], str(photos), RedactionOptions(), nothing_made) == []


def test_numbers_go_before_the_ending() -> None:
    names = numbered(os.path.join("x.y", "a"))  # noqa: PTH118
    assert [next(names), next(names)] == [os.path.join("x.y", "a"), os.path.join("x.y", "a (2)")]  # noqa: PTH118


# -- moving into place ---------------------------------------------------------------------------------------------------------------


def ready(target: Path, source: Path, *, content: bytes = b"covered", kept: bytes | None = None, replace: bool = False) -> PendingCopy:
    aside = Path(COPIES.prepare(str(target), "token"))
    aside.write_bytes(content)
    beside = aside.with_suffix(".kept") if kept is not None else None
    if beside is not None and kept is not None:
        beside.write_bytes(kept)
    return PendingCopy(str(source), str(aside), str(target), replace, str(beside) if beside else None)


def names_in(folder: Path) -> set[str]:
    return {path.name for path in folder.iterdir()}


def test_a_copy_is_moved_into_place_and_nothing_else_stays(photos: Path, tmp_path: Path) -> None:
    target = tmp_path / "safe" / "deep" / ODD

    placed = COPIES.place(ready(target, photos / "a.jpg"))

    assert placed == str(target)
    assert target.read_bytes() == b"covered"
    assert names_in(target.parent) == {ODD}


def test_what_a_killed_program_left_is_removed(tmp_path: Path) -> None:
    aside = Path(COPIES.prepare(str(tmp_path / "a.jpg"), "token"))
    aside.write_bytes(b"half")

    assert COPIES.prepare(str(tmp_path / "a.jpg"), "token") == str(aside)
    assert not aside.exists()
    assert COPIES.prepare(str(tmp_path / "a.jpg"), "another agent's") != str(aside)


def test_what_came_there_meanwhile_stays(photos: Path, tmp_path: Path) -> None:
    placing = ready(tmp_path / "a.jpg", photos / "a.jpg", kept=b"secret")
    (tmp_path / "a.jpg").write_bytes(b"somebody's")

    assert COPIES.place(placing) == str(tmp_path / "a (2).jpg")
    assert (tmp_path / "a.jpg").read_bytes() == b"somebody's"
    assert (tmp_path / "a (2).jpg.aipopup").read_bytes() == b"secret"
    assert names_in(tmp_path) == {"photos", "a.jpg", "a (2).jpg", "a (2).jpg.aipopup"}


def test_another_agents_very_same_copy_is_enough(photos: Path, tmp_path: Path) -> None:
    placing = ready(tmp_path / "a.jpg", photos / "a.jpg")
    (tmp_path / "a.jpg").write_bytes(b"covered")

    assert COPIES.place(placing) == str(tmp_path / "a.jpg")
    assert names_in(tmp_path) == {"photos", "a.jpg"}


def test_so_is_one_that_comes_while_this_one_is_moved(photos: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    placing = ready(tmp_path / "a.jpg", photos / "a.jpg")

    def just_before(aside: str, target: str) -> None:
        (tmp_path / "a.jpg").write_bytes(b"covered")
        move_new(aside, target)

    monkeypatch.setattr("agent.features.redaction.copy_files.move_new", just_before)
    assert COPIES.place(placing) == str(tmp_path / "a.jpg")
    assert names_in(tmp_path) == {"photos", "a.jpg"}


def test_an_original_gives_way_only_once_it_is_kept(photos: Path) -> None:
    source = photos / "a.jpg"

    COPIES.place(ready(source, source, kept=b"the first", replace=True))
    assert (source.read_bytes(), (photos / "a.jpg.aipopup").read_bytes()) == (b"covered", b"the first")

    with pytest.raises(AlreadyKept):
        COPIES.place(ready(source, source, content=b"covered more", kept=b"a covered one", replace=True))
    assert (source.read_bytes(), (photos / "a.jpg.aipopup").read_bytes()) == (b"covered", b"the first")


@pytest.mark.parametrize("why", ["held", "protected"])
def test_an_original_that_can_not_be_replaced_stays_and_nothing_is_kept_of_it(
    photos: Path, why: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(*_: object) -> None:
        raise PermissionError(errno.EACCES, "Access is denied")

    source = photos / "a.jpg"
    placing = ready(source, source, kept=b"the first", replace=True)
    monkeypatch.setattr(copy_files, "replace_file", refuse)
    monkeypatch.setattr(copy_files, "replace_blocked_by", lambda _: why)
    with pytest.raises(CopyUnwritable) as refused:
        COPIES.place(placing)
    assert refused.value.params == {why: str(source)}
    assert source.read_bytes() == b"a.jpg" and not (photos / "a.jpg.aipopup").exists()
    for language in LANGUAGES:
        words = Texts(language)
        assert str(source) in words.cause(refused.value) and words.remedy(refused.value) != words.remedy(CopyUnwritable())


@LINKS
def test_the_last_look_is_just_before_the_move(photos: Path, tmp_path: Path) -> None:
    placing = ready(tmp_path / "a.jpg", photos / "a.jpg", replace=True)
    (tmp_path / "a.jpg").symlink_to(photos / "a.jpg")

    with pytest.raises(SameFile):
        COPIES.place(placing)


def test_a_file_system_without_links_gets_its_copies_too(photos: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def no_links(*_: object) -> None:
        raise OSError(errno.EPERM, "no")

    monkeypatch.setattr(os, "link", no_links)
    (tmp_path / "b.jpg").write_bytes(b"somebody's")

    assert COPIES.place(ready(tmp_path / "a.jpg", photos / "a.jpg")) == str(tmp_path / "a.jpg")
    assert COPIES.place(ready(tmp_path / "b.jpg", photos / "a.jpg")) == str(tmp_path / "b (2).jpg")


@pytest.mark.skipif(os.name != "posix", reason="modes are POSIX's")
def test_whoever_may_read_the_original_may_read_the_copy(photos: Path, tmp_path: Path) -> None:
    (photos / "a.jpg").chmod(0o644)
    placing = ready(tmp_path / "a.jpg", photos / "a.jpg")
    Path(placing.aside).chmod(0o600)

    COPIES.place(placing)

    assert (tmp_path / "a.jpg").stat().st_mode & 0o777 == 0o644


def test_what_is_wrong_with_the_place_gets_its_name(photos: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "file").write_bytes(b"")
    with pytest.raises(CopyUnwritable):
        COPIES.prepare(str(tmp_path / "file" / "a.jpg"), "token")
    with pytest.raises(CopyUnwritable):
        COPIES.prepare(str(tmp_path / "a\0b" / "c.jpg"), "token")

    def full(*_: object) -> None:
        raise OSError(errno.ENOSPC, "full")

    placing = ready(tmp_path / "a.jpg", photos / "a.jpg")
    monkeypatch.setattr("agent.features.redaction.copy_files.sync_file", full)
    with pytest.raises(CopyDiskFull):
        COPIES.place(placing)
    COPIES.discard(placing.aside)
    assert names_in(tmp_path) == {"photos", "file"}


def test_a_report_lies_beside_the_copy(tmp_path: Path) -> None:
    COPIES.report(str(tmp_path / ODD), {"found": 0})
    COPIES.report(str(tmp_path / ODD), {"found": 2})

    assert names_in(tmp_path) == {f"{ODD}.redaction.json"}
    assert json.loads((tmp_path / f"{ODD}.redaction.json").read_text(encoding="utf-8")) == {"found": 2}


def test_a_file_that_is_not_there_has_no_digest(tmp_path: Path) -> None:
    assert COPIES.digest(str(tmp_path / "none")) is None
    assert COPIES.digest("a\0b") is None


def test_an_ending_fits_its_format() -> None:
    assert with_extension("/x.y/a.TIF", "tiff") == "/x.y/a.TIF"
    assert with_extension("/x.y/a.tif", "png") == "/x.y/a.png"
    assert with_extension("/x.y/a.heic", "jpeg") == "/x.y/a.jpg"
    assert with_extension("/x.y/a.mpo", "jpeg") == "/x.y/a.mpo"
    assert with_extension("a", "png") == "a"


@LINKS
def test_a_link_in_the_place_of_what_was_made_leads_to_no_other_file(photos: Path, tmp_path: Path) -> None:
    secret = tmp_path / "secret"
    secret.write_bytes(b"secret")
    secret.chmod(0o600)
    (photos / "a.jpg").chmod(0o666)
    placing = ready(tmp_path / "a.jpg", photos / "a.jpg")
    Path(placing.aside).unlink()
    Path(placing.aside).symlink_to(secret)
    with pytest.raises(CopyUnwritable):
        COPIES.place(placing)
    assert secret.stat().st_mode & 0o777 == 0o600 and not (tmp_path / "a.jpg").exists()


@LINKS
def test_a_report_is_never_written_through_a_link(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    secret = tmp_path / "secret"
    prepare = CopyFileStore.prepare

    def then_a_link(self: CopyFileStore, target: str, token: str) -> str:
        aside = prepare(self, target, token)
        Path(aside).symlink_to(secret)
        return aside

    monkeypatch.setattr(CopyFileStore, "prepare", then_a_link)
    with pytest.raises(CopyUnwritable):
        COPIES.report(str(tmp_path / "a.jpg"), {"found": 0})
    assert not secret.exists()


@LINKS
def test_a_pipe_in_the_place_of_a_copy_is_not_waited_for(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "a.jpg")
    assert COPIES.digest(str(tmp_path / "a.jpg")) is None

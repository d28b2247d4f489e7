"""SidecarsNow as files: whose they are, which counts, and that nothing another program wrote is lost."""

import errno
import hashlib
import os
import sys
from collections.abc import Callable
from pathlib import Path

import PIL.Image
import pytest

from agent.domain.errors import XmpChanging, XmpDiskFull, XmpLinked, XmpMalformed, XmpOtherImage, XmpTooLarge, XmpUnreadable, XmpUnwritable
from agent.domain.face import Box
from agent.domain.regions import Agreed, Conflict, NamedBox, Origin, Reading, Regions
from agent.features.people.sidecars import sidecar_files
from agent.infrastructure.core.files import replace_file
from tests.support.inline_sidecars import SidecarsNow
from tests.support.xmp_packets import DIGIKAM, MICROSOFT, region, regions, with_properties

SIZE = (400, 300)
LEFT, RIGHT, TOP = Box(60, 120, 80, 60), Box(260, 120, 80, 60), Box(190, 10, 40, 40)
ANNA = with_properties(regions(region("Anna")))


@pytest.fixture
def photo(tmp_path: Path) -> Path:
    path = tmp_path / "IMG.jpg"
    PIL.Image.new("RGB", SIZE).save(path)
    return path


@pytest.fixture
def sidecars() -> SidecarsNow:
    return SidecarsNow()


def names(sidecars: SidecarsNow, photo: Path) -> list[str]:
    return [each.name for each in sidecars.read(photo).regions.items]


def beside(photo: Path, text: str, name: str = "IMG.jpg.xmp", at: int = 1_000) -> Path:
    path = photo.with_name(name)
    path.write_text(text, encoding="utf-8", newline="")
    os.utime(path, (at, at))
    return path


def test_names_are_written_beside_the_photo_and_the_photo_stays_as_it_is(sidecars: SidecarsNow, photo: Path) -> None:
    before = photo.read_bytes()
    written = sidecars.write(photo, SIZE, 1, [NamedBox("Mei", LEFT), NamedBox("", RIGHT)])
    assert (written.changes, [type(each) for each in written.comparison]) == (1, [Agreed])
    assert names(sidecars, photo) == ["Mei"]
    assert sorted(each.name for each in photo.parent.iterdir()) == ["IMG.jpg", "IMG.jpg.xmp"]
    assert photo.read_bytes() == before


def test_writing_the_same_again_touches_nothing(sidecars: SidecarsNow, photo: Path) -> None:
    sidecars.write(photo, SIZE, 1, [NamedBox("Mei", LEFT)])
    os.utime(sidecar_files.long_name(photo), (1_000, 1_000))
    assert sidecars.write(photo, SIZE, 1, [NamedBox("Mei", LEFT)]).changes == 0
    assert sidecar_files.long_name(photo).stat().st_mtime == 1_000


def test_without_names_no_sidecar_is_made(sidecars: SidecarsNow, photo: Path) -> None:
    assert sidecars.write(photo, SIZE, 1, [NamedBox("", LEFT)]).changes == 0
    assert not sidecar_files.long_name(photo).exists()


@pytest.mark.parametrize("orientation", range(1, 9))
def test_a_turned_photos_regions_are_those_of_the_stored_image(orientation: int, sidecars: SidecarsNow, photo: Path) -> None:
    sidecars.write(photo, SIZE, orientation, [NamedBox("Mei", LEFT)])
    size = sidecars.read(photo).regions.applied_to
    assert size and (size.w, size.h) == (SIZE if orientation < 5 else (300, 400))
    assert sidecars.write(photo, SIZE, orientation, [NamedBox("Mei", LEFT)]).changes == 0


def test_what_others_wrote_stays_and_a_conflict_is_told(sidecars: SidecarsNow, photo: Path) -> None:
    path = beside(photo, DIGIKAM)
    written = sidecars.write(photo, SIZE, 1, [NamedBox("Mei", LEFT), NamedBox("Bo", RIGHT), NamedBox("Li", TOP)])
    assert [type(each) for each in written.comparison] == [Conflict, Agreed, Agreed]
    assert names(sidecars, photo) == ["Anna", "Bo", "Rex", "Li"]
    assert all(line in path.read_text(encoding="utf-8") for line in DIGIKAM.splitlines() if 'Name=""' not in line)
    sidecars.write(photo, SIZE, 1, [])
    assert path.read_text(encoding="utf-8") == DIGIKAM.replace(' mwg-rs:Name=""', "")


def test_what_we_know_better_now_is_corrected(sidecars: SidecarsNow, photo: Path) -> None:
    sidecars.write(photo, SIZE, 1, [NamedBox("Mei", LEFT), NamedBox("Bo", RIGHT)])
    sidecars.write(photo, SIZE, 1, [NamedBox("Mei Lin", LEFT)])
    assert names(sidecars, photo) == ["Mei Lin"]


def test_the_newest_sidecar_counts_and_the_others_are_told(sidecars: SidecarsNow, photo: Path) -> None:
    beside(photo, ANNA, at=1_000)
    beside(photo, ANNA.replace("Anna", "Bert"), "IMG.xmp", at=2_000)
    reading = sidecars.read(photo)
    assert (reading.origin, reading.passed_over, [each.name for each in reading.regions.items]) == (Origin.SHORT, (Origin.LONG,), ["Bert"])
    sidecars.write(photo, SIZE, 1, [NamedBox("Mei", RIGHT)])
    assert names(sidecars, photo) == ["Bert", "Mei"]
    assert "Mei" not in photo.with_name("IMG.jpg.xmp").read_text(encoding="utf-8")


def test_a_sidecar_that_says_nothing_of_regions_hides_none(sidecars: SidecarsNow, photo: Path) -> None:
    beside(photo, ANNA, at=1_000)
    beside(photo, with_properties(""), "IMG.xmp", at=2_000)
    assert sidecars.read(photo).origin is Origin.LONG


def test_a_sidecar_of_another_photo_of_that_name_is_left_alone(sidecars: SidecarsNow, photo: Path) -> None:
    raw = beside(photo, ANNA, "IMG.xmp")
    photo.with_name("IMG.CR2").write_bytes(b"")
    assert sidecars.read(photo).origin is None
    sidecars.write(photo, SIZE, 1, [NamedBox("Mei", LEFT)])
    assert raw.read_text(encoding="utf-8") == ANNA
    assert names(sidecars, photo) == ["Mei"]


@pytest.mark.parametrize(("ending", "origin"), [("JPG", Origin.SHORT), ("CR2", None)])
def test_a_sidecar_that_names_its_photo_is_believed(ending: str, origin: Origin | None, sidecars: SidecarsNow, photo: Path) -> None:
    named = f'xmlns:photoshop="http://ns.adobe.com/photoshop/1.0/" photoshop:SidecarForExtension="{ending}"'
    beside(photo, with_properties(regions(region("Anna")), named), "IMG.xmp")
    assert sidecars.read(photo).origin is origin


def test_what_the_photo_itself_says_goes_into_a_new_sidecar(sidecars: SidecarsNow, photo: Path) -> None:
    PIL.Image.new("RGB", SIZE).save(photo, xmp=DIGIKAM.encode())
    assert sidecars.read(photo).origin is Origin.EMBEDDED
    sidecars.write(photo, SIZE, 1, [NamedBox("Bo", RIGHT)])
    reading = sidecars.read(photo)
    assert (reading.origin, reading.passed_over) == (Origin.LONG, (Origin.EMBEDDED,))
    assert names(sidecars, photo) == ["Anna", "Bo", "Rex"]


def test_an_unreadable_packet_in_the_photo_stops_reading_it_only(sidecars: SidecarsNow, photo: Path) -> None:
    PIL.Image.new("RGB", SIZE).save(photo, xmp=b"<broken")
    with pytest.raises(XmpMalformed):
        sidecars.read(photo)
    sidecars.write(photo, SIZE, 1, [NamedBox("Mei", LEFT)])
    assert names(sidecars, photo) == ["Mei"]


def test_regions_of_a_cropped_photo_are_not_mixed_with_ours(sidecars: SidecarsNow, photo: Path) -> None:
    path = beside(photo, DIGIKAM)
    with pytest.raises(XmpOtherImage):
        sidecars.write(photo, (300, 300), 1, [NamedBox("Mei", TOP)])
    assert path.read_text(encoding="utf-8") == DIGIKAM


def test_a_person_is_forgotten_in_every_sidecar(sidecars: SidecarsNow, photo: Path) -> None:
    beside(photo, DIGIKAM, at=1_000)
    sidecars.write(photo, SIZE, 1, [NamedBox("Mei", RIGHT), NamedBox("Bo", TOP)])
    beside(photo, sidecar_files.long_name(photo).read_text(encoding="utf-8"), "IMG.xmp", at=9_000)
    forgotten = sidecars.forget(photo, ["mei", "Anna"])
    assert (forgotten.changes, forgotten.left) == (2, 2)
    assert [b"Mei" in path.read_bytes() for path in (sidecar_files.long_name(photo), sidecar_files.short_name(photo))] == [False, False]
    assert names(sidecars, photo) == ["Anna", "", "Rex", "Bo"]
    assert sidecars.forget(photo, ["Anna"], by_others=True) == type(forgotten)(2, 0)
    assert names(sidecars, photo) == ["", "", "Rex", "Bo"]


def killed_while_writing(sidecars: SidecarsNow, photo: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Return what it left."""
    with monkeypatch.context() as killed:
        killed.setattr(sidecar_files, "move_new", lambda *_, **__: kill())
        killed.setattr(Path, "unlink", lambda *_, **__: None)
        with pytest.raises(KeyboardInterrupt):
            sidecars.write(photo, SIZE, 1, [NamedBox("Mei", LEFT)])
    [left] = photo.parent.glob(".*.tmp")
    return left


def test_what_a_killed_program_left_half_written_goes_when_its_names_are_forgotten(
    sidecars: SidecarsNow, photo: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    killed_while_writing(sidecars, photo, monkeypatch)
    sidecars.forget(photo, ["Mei"])
    assert [each.name for each in photo.parent.iterdir()] == ["IMG.jpg"]


def test_what_a_killed_program_left_goes_with_a_later_write_and_nothing_else_does(photo: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    left = killed_while_writing(SidecarsNow(), photo, monkeypatch)
    copy = left.with_name(".ai-popup-0123456789abcdef.tmp")  # a covered copy under way
    for path in (left, copy):
        path.touch()
        os.utime(path, (1_000, 1_000))
    SidecarsNow().write(photo, SIZE, 1, [NamedBox("Mei", LEFT)])
    assert sorted(each.name for each in photo.parent.iterdir()) == [copy.name, "IMG.jpg", "IMG.jpg.xmp"]


def test_two_computers_that_write_one_sidecar_at_once_tear_nothing(photo: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The second one begins, and does not end, while the first is about to replace the sidecar."""
    beside(photo, ANNA)
    replaces = replace_file

    def meanwhile(aside: Path, target: Path) -> None:
        with monkeypatch.context() as other:
            other.setattr(sidecar_files, "replace_file", lambda *_: kill())
            with pytest.raises(KeyboardInterrupt):
                sidecar_files.replace(target, b"<half", hashlib.sha256(target.read_bytes()).hexdigest(), photo, None)
        replaces(aside, target)

    monkeypatch.setattr(sidecar_files, "replace_file", meanwhile)
    sidecars = SidecarsNow()
    assert sidecars.write(photo, SIZE, 1, [NamedBox("Mei", RIGHT)]).changes == 1
    assert names(sidecars, photo) == ["Anna", "Mei"]


def test_one_whose_unfinished_sidecar_was_removed_by_another_computer_writes_it_again(
    sidecars: SidecarsNow, photo: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    intrude(monkeypatch, lambda time: sidecar_files.clear(sidecar_files.long_name(photo)) if time == 0 else None)
    assert sidecars.write(photo, SIZE, 1, [NamedBox("Mei", RIGHT)]).changes == 1
    assert names(sidecars, photo) == ["Mei"]


def kill() -> None:
    raise KeyboardInterrupt


def test_a_long_name_in_any_script_has_a_sidecar(sidecars: SidecarsNow, tmp_path: Path) -> None:
    photo = tmp_path / f"{'照' * 78}.jpg"
    PIL.Image.new("RGB", SIZE).save(photo)
    sidecars.write(photo, SIZE, 1, [NamedBox("Mei", LEFT)])
    assert names(sidecars, photo) == ["Mei"]
    with pytest.raises(XmpUnwritable):
        sidecars.write(photo.rename(tmp_path / f"{'照' * 83}.jpg"), SIZE, 1, [NamedBox("Mei", LEFT)])


def test_forgetting_makes_no_sidecar(sidecars: SidecarsNow, photo: Path) -> None:
    sidecars.forget(photo, ["Mei"])
    assert not sidecar_files.long_name(photo).exists()


def test_a_name_in_microsofts_way_is_a_conflict_as_well(sidecars: SidecarsNow, photo: Path) -> None:
    beside(photo, MICROSOFT)
    written = sidecars.write(photo, SIZE, 1, [NamedBox("Mei", Box(40, 60, 120, 120))])
    assert (written.changes, [type(each) for each in written.comparison]) == (0, [Conflict])


def test_names_in_microsofts_way_are_counted_when_they_stay(sidecars: SidecarsNow, photo: Path) -> None:
    beside(photo, MICROSOFT)
    assert sidecars.forget(photo, ["Carl"]).left == 1


@pytest.mark.parametrize("encoding", ["utf-8-sig", "utf-16", "utf-16-be"])
def test_another_encoding_is_kept(encoding: str, sidecars: SidecarsNow, photo: Path) -> None:
    sidecar_files.long_name(photo).write_bytes(DIGIKAM.encode(encoding))
    sidecars.write(photo, SIZE, 1, [NamedBox("梅", TOP)])
    assert "梅" in sidecar_files.long_name(photo).read_bytes().decode(encoding)
    assert names(sidecars, photo) == ["Anna", "", "Rex", "梅"]


# -- bad days ---------------------------------------------------------------------------------------------------------------------------


def intrude(monkeypatch: pytest.MonkeyPatch, write: Callable[[int], None]) -> None:
    """Another program writes each time we are about to."""
    dress, times = sidecar_files._dress, iter(range(10))

    def meanwhile(handle: int, old: Path | None, photo: Path) -> None:
        dress(handle, old, photo)
        write(next(times))

    monkeypatch.setattr(sidecar_files, "_dress", meanwhile)


def test_what_another_program_writes_at_the_same_moment_is_kept(
    sidecars: SidecarsNow, photo: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    intrude(monkeypatch, lambda time: void(beside(photo, ANNA)) if time == 0 else None)
    assert sidecars.write(photo, SIZE, 1, [NamedBox("Mei", RIGHT)]).changes == 1
    assert names(sidecars, photo) == ["Anna", "Mei"]


def test_a_sidecar_that_never_rests_is_given_up(sidecars: SidecarsNow, photo: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    intrude(monkeypatch, lambda time: void(beside(photo, ANNA.replace("Anna", f"Anna {time}"))))
    with pytest.raises(XmpChanging):
        sidecars.write(photo, SIZE, 1, [NamedBox("Mei", RIGHT)])
    assert names(sidecars, photo) == ["Anna 2"]
    assert not list(photo.parent.glob(".*"))


def void(_: object) -> None:
    return None


def test_a_malformed_sidecar_is_neither_read_nor_written(sidecars: SidecarsNow, photo: Path) -> None:
    path = beside(photo, "<x:xmpmeta")
    with pytest.raises(XmpMalformed):
        sidecars.read(photo)
    with pytest.raises(XmpMalformed):
        sidecars.write(photo, SIZE, 1, [NamedBox("Mei", LEFT)])
    with pytest.raises(XmpMalformed):
        sidecars.forget(photo, ["Mei"])
    assert path.read_text(encoding="utf-8") == "<x:xmpmeta"


def test_a_read_only_sidecar_stays(sidecars: SidecarsNow, photo: Path) -> None:
    path = beside(photo, ANNA)
    path.chmod(0o444)
    with pytest.raises(XmpUnwritable):
        sidecars.write(photo, SIZE, 1, [NamedBox("Mei", RIGHT)])
    path.chmod(0o644)
    assert path.read_text(encoding="utf-8") == ANNA
    assert not list(photo.parent.glob(".*"))


@pytest.mark.parametrize(("code", "error"), [(errno.ENOSPC, XmpDiskFull), (errno.EROFS, XmpUnwritable), (errno.EIO, XmpUnwritable)])
def test_a_disk_that_takes_nothing_leaves_the_old_sidecar(
    code: int, error: type[Exception], sidecars: SidecarsNow, photo: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = beside(photo, ANNA)

    def fail(_: int) -> None:
        raise OSError(code, "no")

    monkeypatch.setattr("os.fsync", fail)
    with pytest.raises(error):
        sidecars.write(photo, SIZE, 1, [NamedBox("Mei", RIGHT)])
    assert path.read_text(encoding="utf-8") == ANNA
    assert not list(photo.parent.glob(".*"))


def test_a_sidecar_beyond_all_measure_is_not_read(sidecars: SidecarsNow, photo: Path) -> None:
    with sidecar_files.long_name(photo).open("wb") as file:
        file.truncate((4 << 20) + 1)
    with pytest.raises(XmpTooLarge):
        sidecars.read(photo)


def test_a_photo_that_is_gone_is_unreadable(sidecars: SidecarsNow, photo: Path) -> None:
    with pytest.raises(XmpUnreadable):
        sidecars.read(photo.with_name("gone.jpg"))


def test_a_photo_in_a_cloud_is_not_fetched(sidecars: SidecarsNow, photo: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    PIL.Image.new("RGB", SIZE).save(photo, xmp=DIGIKAM.encode())
    monkeypatch.setattr(sidecar_files, "is_online_only", lambda path: path.endswith(".jpg"))
    assert sidecars.read(photo) == Reading(Regions(), None)


@pytest.mark.skipif(sys.platform == "win32", reason="no such files there")
def test_what_is_no_file_is_not_waited_for(sidecars: SidecarsNow, photo: Path) -> None:
    os.mkfifo(sidecar_files.long_name(photo))
    with pytest.raises(XmpUnreadable):
        sidecars.read(photo)


@pytest.mark.skipif(sys.platform == "win32", reason="rights are others there")
def test_rights_and_links_are_kept(sidecars: SidecarsNow, photo: Path) -> None:
    photo.chmod(0o640)
    sidecars.write(photo, SIZE, 1, [NamedBox("Mei", LEFT)])
    path = sidecar_files.long_name(photo)
    assert path.stat().st_mode & 0o777 == 0o640
    path.chmod(0o664)
    elsewhere = path.rename(photo.with_name("elsewhere.xmp"))
    path.symlink_to(elsewhere)
    sidecars.write(photo, SIZE, 1, [NamedBox("Li", LEFT)])
    assert path.is_symlink()
    assert elsewhere.stat().st_mode & 0o777 == 0o664
    assert names(sidecars, photo) == ["Li"]


# -- links that somebody put into a folder of photos ---------------------------------------------------------------------------------------

LINKS = pytest.mark.skipif(sys.platform == "win32", reason="links need rights there")
# A line that a file of another kind would heed, where a photo's own regions say it.
FOREIGN = "\nssh-ed25519 AAAA attacker\n"


def folders(photo: Path) -> tuple[Path, Path]:
    """The photo in a watched folder, which holds regions with a line of their own, and a folder beside it."""
    watched, home = photo.parent / "watched", photo.parent / "home"
    watched.mkdir()
    home.mkdir()
    named = with_properties(regions(region("Anna").replace("</rdf:li>", f"<mwg-rs:Description>{FOREIGN}</mwg-rs:Description></rdf:li>")))
    PIL.Image.new("RGB", SIZE).save(watched / "IMG.jpg", xmp=named.encode())
    return watched / "IMG.jpg", home


@LINKS
@pytest.mark.parametrize("name", ["authorized_keys", "new.xmp"])
def test_no_file_is_made_through_a_link(name: str, sidecars: SidecarsNow, photo: Path) -> None:
    photo, home = folders(photo)
    sidecar_files.long_name(photo).symlink_to(home / name)
    with pytest.raises(XmpLinked):
        sidecars.write(photo, SIZE, 1, [NamedBox("Mei", RIGHT)])
    assert not list(home.iterdir()) and sidecar_files.long_name(photo).is_symlink()


@LINKS
@pytest.mark.parametrize(("name", "inside"), [("authorized_keys", False), ("other.xmp", False), ("notes.txt", True)])
def test_no_file_is_changed_through_a_link_but_a_sidecar_in_the_same_folder(
    name: str, inside: bool, sidecars: SidecarsNow, photo: Path
) -> None:
    photo, home = folders(photo)
    target = (photo.parent if inside else home) / name
    target.write_text(ANNA, encoding="utf-8")
    sidecar_files.long_name(photo).symlink_to(target)
    with pytest.raises(XmpLinked):
        sidecars.write(photo, SIZE, 1, [NamedBox("Mei", RIGHT)])
    assert target.read_text(encoding="utf-8") == ANNA


@LINKS
def test_a_link_to_a_sidecar_elsewhere_in_the_watched_folder_is_followed(sidecars: SidecarsNow, photo: Path) -> None:
    photo, _ = folders(photo)
    target = photo.parent / "names" / "IMG.XMP"
    target.parent.mkdir()
    target.write_text(ANNA, encoding="utf-8")
    sidecar_files.long_name(photo).symlink_to(target)
    with pytest.raises(XmpLinked):
        sidecars.write(photo.rename(photo.parent / "names" / "IMG.jpg"), SIZE, 1, [NamedBox("Mei", RIGHT)], root=photo.parent / "no")
    (photo.parent / "names" / "IMG.jpg").rename(photo)
    sidecars.write(photo, SIZE, 1, [NamedBox("Mei", RIGHT)], root=photo.parent)
    assert sidecar_files.long_name(photo).is_symlink() and "Mei" in target.read_text(encoding="utf-8")


@LINKS
def test_a_folder_that_is_a_link_leads_nowhere_else(sidecars: SidecarsNow, photo: Path) -> None:
    photo, home = folders(photo)
    (home / "IMG.jpg").write_bytes(photo.read_bytes())
    (photo.parent / "sub").symlink_to(home)
    with pytest.raises(XmpLinked):
        sidecars.write(photo.parent / "sub" / "IMG.jpg", SIZE, 1, [NamedBox("Mei", RIGHT)], root=photo.parent)
    assert [each.name for each in home.iterdir()] == ["IMG.jpg"]


@LINKS
def test_names_that_we_wrote_go_from_wherever_a_link_leads(sidecars: SidecarsNow, photo: Path) -> None:
    photo, home = folders(photo)
    sidecars.write(photo, SIZE, 1, [NamedBox("Mei", RIGHT)])
    elsewhere = sidecar_files.long_name(photo).rename(home / "IMG.xmp")
    sidecar_files.long_name(photo).symlink_to(elsewhere)
    assert sidecars.forget(photo, ["Mei"]).changes == 1
    assert "Mei" not in elsewhere.read_text(encoding="utf-8")


def test_no_byte_of_a_photos_own_regions_is_copied(sidecars: SidecarsNow, photo: Path) -> None:
    photo, _ = folders(photo)
    sidecars.write(photo, SIZE, 1, [NamedBox("Mei", RIGHT)])
    text = sidecar_files.long_name(photo).read_text(encoding="utf-8")
    assert names(sidecars, photo) == ["Anna", "Mei"] and "ssh-ed25519 AAAA attacker" in text
    assert FOREIGN.strip() not in text.splitlines()
    with_comment = with_properties(regions(region("Anna")).replace("<rdf:Bag>", "<rdf:Bag><!-- SECRET --><?SECRET?>"))
    sidecar_files.long_name(photo).unlink()
    PIL.Image.new("RGB", SIZE).save(photo, xmp=with_comment.encode())
    sidecars.write(photo, SIZE, 1, [NamedBox("Mei", RIGHT)])
    assert "SECRET" not in sidecar_files.long_name(photo).read_text(encoding="utf-8")


def test_what_comes_into_the_place_at_the_same_moment_is_kept(sidecars: SidecarsNow, photo: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    still = sidecar_files._still

    def then_another(path: Path, old: str | None) -> bool:
        seen = still(path, old)
        if not path.exists():
            beside(photo, ANNA)
        return seen

    monkeypatch.setattr(sidecar_files, "_still", then_another)
    sidecars.write(photo, SIZE, 1, [NamedBox("Mei", RIGHT)])
    assert names(sidecars, photo) == ["Anna", "Mei"]

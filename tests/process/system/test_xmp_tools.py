"""Names exchanged with real programs that read and write the same regions: exiftool, and exiv2, by which digiKam does it."""

import json
import shutil
import subprocess
from pathlib import Path
from typing import Any

import PIL.Image
import pytest

from agent.domain.face import Box
from agent.domain.regions import Agreed, Conflict, NamedBox, Origin
from tests.support.inline_sidecars import SidecarsNow
from tests.support.xmp_packets import DIGIKAM

SIZE = (400, 300)
LEFT, RIGHT, TOP = Box(60, 120, 80, 60), Box(260, 120, 80, 60), Box(190, 10, 40, 40)
REGION = "{Area={X=%s,Y=0.5,W=0.2,H=0.2,Unit=normalized},Name=%s,Type=%s,Description=theirs}"
INFO = "-XMP-mwg-rs:RegionInfo={AppliedToDimensions={W=400,H=300,Unit=pixel},RegionList=[%s]}"

pytestmark = pytest.mark.skipif(
    shutil.which("exiftool") is None or shutil.which("exiv2") is None, reason="needs libimage-exiftool-perl and exiv2"
)


def run(*words: str | Path) -> str:
    return subprocess.run([*map(str, words)], check=True, capture_output=True, timeout=60, encoding="utf-8").stdout


def tags(path: Path) -> dict[str, Any]:
    """All that exiftool reads."""
    told: list[dict[str, Any]] = json.loads(run("exiftool", "-struct", "-j", "-G1", "-a", "-XMP:all", "-charset", "filename=utf8", path))
    return told[0]


def seen_by_exiftool(path: Path) -> list[tuple[str, str]]:
    return [(each.get("Name", ""), each["Type"]) for each in tags(path)["XMP-mwg-rs:RegionInfo"]["RegionList"]]


def seen_by_exiv2(path: Path) -> list[str]:
    return [" ".join(line.split(None, 3)[3:]) for line in run("exiv2", "-px", path).splitlines() if "/mwg-rs:Name " in line]


@pytest.fixture
def photo(tmp_path: Path) -> Path:
    path = tmp_path / "IMG 照片.jpg"
    PIL.Image.new("RGB", SIZE, "gray").save(path)
    return path


@pytest.fixture
def sidecar(photo: Path) -> Path:
    return photo.with_name(photo.name + ".xmp")


@pytest.fixture
def sidecars() -> SidecarsNow:
    return SidecarsNow()


def test_names_written_here_are_read_there(photo: Path, sidecar: Path, sidecars: SidecarsNow) -> None:
    names = ["梅 Müller", 'O\'Neil & "Söhne" <x>', "ناصر 👩‍👧"]
    sidecars.write(photo, SIZE, 1, [NamedBox(name, box) for name, box in zip(names, (LEFT, RIGHT, TOP), strict=True)])
    assert seen_by_exiftool(sidecar) == [(name, "Face") for name in names]
    assert seen_by_exiv2(sidecar) == names
    info = tags(sidecar)["XMP-mwg-rs:RegionInfo"]
    assert info["AppliedToDimensions"] == {"W": 400, "H": 300, "Unit": "pixel"}
    assert info["RegionList"][0]["Area"] == {"X": 0.25, "Y": 0.5, "W": 0.2, "H": 0.2, "Unit": "normalized"}
    assert "OK" in run("exiftool", "-validate", "-warning", sidecar)


def test_names_that_exiftool_wrote_are_read_and_stay_when_ours_come(photo: Path, sidecar: Path, sidecars: SidecarsNow) -> None:
    regions = ",".join(REGION % each for each in (("0.25", "Anna", "Face"), ("0.75", "", "Face"), ("0.5", "Rex", "Pet")))
    more = ["-XMP:Rating=4", "-XMP-dc:Subject=holiday", "-XMP-dc:Subject=海", "-XMP-dc:Title-de=Urlaub"]
    run("exiftool", "-q", INFO % regions, *more, "-o", sidecar, photo)
    before = tags(sidecar)
    reading = sidecars.read(photo)
    assert (reading.origin, [each.name for each in reading.regions.items]) == (Origin.LONG, ["Anna", "", "Rex"])
    written = sidecars.write(photo, SIZE, 1, [NamedBox("Mei", LEFT), NamedBox("Bo", RIGHT), NamedBox("Li", TOP)])
    assert [type(each) for each in written.comparison] == [Conflict, Agreed, Agreed]
    after = tags(sidecar)
    assert seen_by_exiftool(sidecar) == [("Anna", "Face"), ("Bo", "Face"), ("Rex", "Pet"), ("Li", "Face")]
    assert seen_by_exiv2(sidecar) == ["Anna", "Bo", "Rex", "Li"]
    theirs = before.pop("XMP-mwg-rs:RegionInfo")
    now = after.pop("XMP-mwg-rs:RegionInfo")
    assert after == before
    assert now["AppliedToDimensions"] == theirs["AppliedToDimensions"]
    assert (now["RegionList"][0], now["RegionList"][2]) == (theirs["RegionList"][0], theirs["RegionList"][2])
    sidecars.write(photo, SIZE, 1, [])
    gone = tags(sidecar)["XMP-mwg-rs:RegionInfo"]["RegionList"]
    assert [each.get("Name", "") for each in gone] == ["Anna", "", "Rex"]


def test_names_that_exiv2_wrote_are_read_and_stay_when_ours_come(photo: Path, sidecar: Path, sidecars: SidecarsNow) -> None:
    sidecar.write_text(DIGIKAM, encoding="utf-8")
    run("exiv2", "-M", "set Xmp.xmp.Rating XmpText 2", sidecar)  # written anew, by the library that digiKam uses
    before = set(run("exiv2", "-px", sidecar).splitlines())
    assert [each.name for each in sidecars.read(photo).regions.items] == ["Anna", "", "Rex"]
    sidecars.write(photo, SIZE, 1, [NamedBox("Anna", LEFT), NamedBox("Li", TOP)])
    after = set(run("exiv2", "-px", sidecar).splitlines())
    assert before <= after
    assert seen_by_exiv2(sidecar)[-1] == "Li"


@pytest.mark.parametrize("tool", ["exiftool", "exiv2"])
def test_our_marks_outlive_another_programs_edit(tool: str, photo: Path, sidecar: Path, sidecars: SidecarsNow) -> None:
    sidecars.write(photo, SIZE, 1, [NamedBox("Mei", LEFT), NamedBox("Bo", RIGHT)])
    if tool == "exiftool":
        run("exiftool", "-q", "-overwrite_original", "-XMP:Rating=5", sidecar)
    else:
        run("exiv2", "-M", "set Xmp.xmp.Rating XmpText 5", sidecar)
    forgotten = sidecars.forget(photo, ["Mei"])
    assert (forgotten.changes, forgotten.left) == (1, 0)
    assert seen_by_exiftool(sidecar) == [("Bo", "Face")]
    assert "Mei" not in sidecar.read_text(encoding="utf-8")
    assert tags(sidecar)["XMP-xmp:Rating"] == 5


@pytest.mark.parametrize("ending", ["jpg", "png", "webp", "tif", "heic"])
def test_regions_and_orientation_that_exiftool_wrote_into_a_photo_are_read(ending: str, tmp_path: Path, sidecars: SidecarsNow) -> None:
    photo = tmp_path / f"a.{ending}"
    picture = PIL.Image.new("RGB", SIZE, "gray")
    if ending == "heic":
        import pillow_heif

        pillow_heif.from_pillow(picture).save(photo, quality=50)
    else:
        picture.save(photo)
    run("exiftool", "-q", "-overwrite_original", INFO % (REGION % ("0.25", "Anna", "Face")), "-EXIF:Orientation#=6", photo)
    before = photo.read_bytes()
    reading = sidecars.read(photo)
    assert (reading.origin, reading.orientation) == (Origin.EMBEDDED, 6)
    assert [each.name for each in reading.regions.items] == ["Anna"]
    sidecars.write(photo, (300, 400), 6, [NamedBox("Mei", Box(10, 320, 60, 60))])
    assert photo.read_bytes() == before
    assert [each.name for each in sidecars.read(photo).regions.items] == ["Anna", "Mei"]


def test_microsofts_regions_by_exiftool_are_read(photo: Path, sidecar: Path, sidecars: SidecarsNow) -> None:
    info = "-XMP-MP:RegionInfoMP={Regions=[{PersonDisplayName=Carl,Rectangle=0.15|, 0.4|, 0.2|, 0.2}]}"
    run("exiftool", "-q", info, "-o", sidecar, photo)
    [carl] = sidecars.read(photo).regions.items
    assert carl.name == "Carl"
    assert (carl.area.x, carl.area.y) == pytest.approx((0.25, 0.5))
    sidecars.write(photo, SIZE, 1, [NamedBox("Mei", TOP)])
    assert "XMP-MP:RegionInfoMP" in tags(sidecar)


def test_an_extended_packet_by_exiftool_is_read(photo: Path, sidecars: SidecarsNow) -> None:
    long = photo.with_name("long.txt")
    long.write_text("x" * 90_000, encoding="utf-8")
    run("exiftool", "-q", "-overwrite_original", INFO % (REGION % ("0.25", "Anna", "Face")), f"-XMP-dc:Description<={long}", photo)
    assert [each.name for each in sidecars.read(photo).regions.items] == ["Anna"]

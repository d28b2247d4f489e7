"""Regions: where they lie in the stored image, and what both sides say of names."""

import io

import PIL.Image
import PIL.ImageOps
import pytest

from agent.domain.face import Box
from agent.domain.regions import (
    Agreed,
    Conflict,
    Dimensions,
    FaceRegion,
    LocalOnly,
    NamedArea,
    RegionArea,
    Regions,
    RegionSchema,
    RemoteOnly,
    area_of,
    compare,
    same_name,
    stored,
    tidy,
    upright,
)
from agent.inference.vision.xmp.region_changes import (
    AddRegion,
    ReleaseOwnership,
    RemoveRegion,
    SetName,
    changes_to_forget,
    changes_to_write,
)

LEFT, RIGHT, FAR = RegionArea(0.25, 0.5, 0.2, 0.2), RegionArea(0.75, 0.5, 0.2, 0.2), RegionArea(0.5, 0.1, 0.1, 0.1)
NEAR_LEFT = RegionArea(0.26, 0.5, 0.2, 0.2)


def face(name: str, area: RegionArea = LEFT, *, by_us: str | None = None, added: bool = False, kind: str = "Face") -> FaceRegion:
    return FaceRegion(name, kind, area, written=by_us, added=added)


@pytest.mark.parametrize("orientation", range(1, 9))
def test_a_box_of_the_upright_image_is_found_again_in_the_stored_one(orientation: int) -> None:
    flat = PIL.Image.new("L", (80, 40))
    exif = PIL.Image.Exif()
    exif[0x112] = orientation
    file = io.BytesIO()
    flat.save(file, "PNG", exif=exif)
    shown = PIL.ImageOps.exif_transpose(PIL.Image.open(file))
    area = area_of(Box(4, 6, 8, 10), shown.width, shown.height, orientation)
    left, top = round(area.box.x * 80), round(area.box.y * 40)
    flat.paste(255, (left, top, left + round(area.w * 80), top + round(area.h * 40)))
    file = io.BytesIO()
    flat.save(file, "PNG", exif=exif)
    assert PIL.ImageOps.exif_transpose(PIL.Image.open(file)).getbbox() == (4, 6, 12, 16)


@pytest.mark.parametrize("orientation", range(1, 9))
def test_turning_there_and_back_changes_nothing(orientation: int) -> None:
    back = stored(upright(RegionArea(0.3, 0.1, 0.2, 0.05), orientation), orientation)
    assert (back.x, back.y, back.w, back.h) == pytest.approx((0.3, 0.1, 0.2, 0.05))


def test_names_are_the_same_however_they_are_typed() -> None:
    assert same_name("Zoë  Mei", " zoe\u0308 mei ")
    assert not same_name("Mei", "Mai")
    assert tidy("a\x00b\ud800\n c") == "ab c"


@pytest.mark.parametrize(
    ("width", "height", "fit"), [(400, 300, True), (800, 600, True), (300, 400, True), (397, 300, True), (400, 400, False), (0, 0, True)]
)
def test_regions_fit_an_image_of_their_proportions(width: int, height: int, fit: bool) -> None:
    assert Regions((), Dimensions(400, 300)).fit(width, height) is fit


def test_both_sides_are_compared_face_by_face() -> None:
    ours = [NamedArea("Mei", LEFT), NamedArea("Anna", RIGHT), NamedArea("", FAR)]
    theirs = [
        face("mei", NEAR_LEFT),
        face("Bert", RIGHT),
        face("Carl", FAR),
        face("Dora", RegionArea(0.9, 0.9, 0.1, 0.1)),
        face("", RegionArea(0, 0, 0.1, 0.1)),
    ]
    assert compare(ours, theirs) == [
        Agreed(ours[0], theirs[0]),
        Conflict(ours[1], theirs[1]),
        RemoteOnly(theirs[2], ours[2]),
        RemoteOnly(theirs[3]),
    ]


def test_a_region_without_a_name_or_of_another_kind_says_nothing() -> None:
    ours = [NamedArea("Mei", LEFT)]
    assert compare(ours, [face("")]) == [LocalOnly(ours[0], face(""))]
    assert compare(ours, [face("Rex", kind="Pet")]) == [LocalOnly(ours[0])]


def test_each_region_is_matched_once_with_what_is_most_alike() -> None:
    ours = [NamedArea("Mei", NEAR_LEFT), NamedArea("Anna", LEFT)]
    assert compare(ours, [face("Anna")]) == [LocalOnly(ours[0]), Agreed(ours[1], face("Anna"))]


@pytest.mark.parametrize(
    "area",
    [
        RegionArea(0, 0, 0, 0),
        RegionArea(float("nan"), 0, 1, 1),
        RegionArea(0.5, 0.5, -1, 1),
        RegionArea(1e9, 0, 1, 1),
        RegionArea(0, 0, float("inf"), 1),
    ],
)
def test_an_area_that_is_none_matches_nothing(area: RegionArea) -> None:
    assert compare([NamedArea("Mei", area)], [face("Mei", area)]) == [LocalOnly(NamedArea("Mei", area))]
    assert changes_to_write([NamedArea("Mei", area)], []) == []


MEI = [NamedArea("Mei", LEFT)]


def test_a_face_nobody_has_is_added_and_one_without_a_name_gets_it() -> None:
    assert changes_to_write(MEI, []) == [AddRegion("Mei", LEFT)]
    assert changes_to_write(MEI, [face("")]) == [SetName(0, "Mei")]


@pytest.mark.parametrize("theirs", [face("Mei"), face("Anna"), face("Anna", by_us="Mei", added=True)])
def test_a_name_by_somebody_else_stays(theirs: FaceRegion) -> None:
    assert changes_to_write(MEI, [theirs]) == []
    assert changes_to_write([], [theirs]) == []


def test_a_name_in_a_way_we_do_not_write_in_stays_a_conflict_to_show() -> None:
    carl, nobody = (FaceRegion(name, "Face", LEFT, RegionSchema.MICROSOFT) for name in ("Carl", ""))
    assert changes_to_write(MEI, [carl]) == []
    assert changes_to_write(MEI, [nobody]) == [AddRegion("Mei", LEFT)]
    assert changes_to_forget(["Carl"], [carl], by_others=True) == []


def test_what_we_wrote_follows_what_we_know() -> None:
    assert changes_to_write(MEI, [face("Mai", by_us="Mai", added=True)]) == [SetName(0, "Mei")]
    assert changes_to_write([], [face("Mai", by_us="Mai", added=True), face("Mo", RIGHT, by_us="Mo")]) == [RemoveRegion(0), SetName(1, "")]
    assert changes_to_write([NamedArea("", LEFT)], [face("Mai", by_us="Mai", added=True)]) == [RemoveRegion(0)]
    assert changes_to_write(MEI, [face("Mei", by_us="Mei")]) == []


def test_an_unnamed_face_of_ours_is_never_written() -> None:
    assert changes_to_write([NamedArea("", LEFT)], []) == []
    assert changes_to_write([NamedArea(" \x00", LEFT)], [face("")]) == []


def test_forgetting_takes_our_names_and_leaves_those_of_others() -> None:
    regions = [face("Mei", by_us="Mei", added=True), face("Mei", RIGHT, by_us="Mei"), face("Mei", FAR), face("Anna", by_us="Anna")]
    assert changes_to_forget(["mei"], regions) == [RemoveRegion(0), SetName(1, "")]
    assert changes_to_forget(["mei"], regions, by_others=True) == [RemoveRegion(0), SetName(1, ""), SetName(2, "")]


def test_forgetting_takes_the_mark_that_tells_a_name_another_program_changed() -> None:
    assert changes_to_forget(["Mei"], [face("Anna", by_us="Mei", added=True)]) == [ReleaseOwnership(0)]

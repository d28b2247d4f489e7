"""Which faces of ours the regions of another program name."""

from dataclasses import replace

import pytest
import structlog

from agent.domain.errors import StoreBusy, XmpMalformed, XmpOtherImage
from agent.domain.face import Box, Face, Quality, StageTimes
from agent.domain.identity_matching import Certainty, Identity
from agent.domain.image import Recipe
from agent.domain.regions import Dimensions, FaceRegion, Origin, Reading, RegionArea, Regions, area_of
from agent.features.library.records import StoredFace, StoredImage
from agent.features.people.sidecars.sidecar_conflicts import LONGEST_NAME, named
from agent.features.people.sidecars.sidecar_names import _told_of
from tests.support.in_process_agent import LANDMARKS, NOW

SIZE = (100, 80)
LEFT, RIGHT = Box(5, 5, 30, 30), Box(60, 10, 30, 40)
MEI = Identity(1, Certainty.CONFIRMED, 0, 0, 0)


def stored(face_id: int, box: Box, identity: Identity | None = None) -> StoredFace:
    return StoredFace(face_id, Face(box, 0.9, LANDMARKS, Quality(40, 100, 0, 0)), identity, "Mei" if identity else None)


def image(*faces: StoredFace) -> StoredImage:
    recipe = Recipe("centerface-2", "mobilefacenet-2")
    return StoredImage(1, "a", *SIZE, 9, "jpeg", recipe, "f32", StageTimes(), NOW, NOW, False, False, (), faces)


def reading(*regions: tuple[str, RegionArea], orientation: int = 1, size: Dimensions | None = None) -> Reading:
    return Reading(Regions(tuple(FaceRegion(name, "Face", area) for name, area in regions), size), Origin.LONG, (), orientation)


def names(faces: StoredImage, found: Reading) -> dict[int, str]:
    return {face.id: name for face, name in named(faces, found)}


@pytest.mark.parametrize("orientation", range(1, 9))
def test_a_region_names_the_face_it_lies_on_however_the_photo_is_turned(orientation: int) -> None:
    areas = [area_of(box, *SIZE, orientation) for box in (RIGHT, LEFT)]
    found = reading(("Xu", areas[0]), (" Mei\n", areas[1]), orientation=orientation)
    assert names(image(stored(1, LEFT), stored(2, RIGHT)), found) == {1: "Mei", 2: "Xu"}


def test_regions_elsewhere_without_a_name_or_with_an_endless_one_name_nobody() -> None:
    on, off = area_of(LEFT, *SIZE, 1), area_of(RIGHT, *SIZE, 1)
    for name, area in (("Mei", off), ("", on), ("x" * (LONGEST_NAME + 1), on)):
        assert names(image(stored(1, LEFT)), reading((name, area))) == {}


def test_what_we_wrote_names_a_face_that_has_no_name_and_is_no_other_opinion_of_one_that_has() -> None:
    area = area_of(LEFT, *SIZE, 1)
    ours = Reading(Regions((replace(FaceRegion("Anna", "Face", area), added=True, written="Anna"),)), Origin.LONG)
    assert names(image(stored(1, LEFT)), ours) == {1: "Anna"}
    assert names(image(stored(1, LEFT, MEI)), ours) == {}
    assert names(image(stored(1, LEFT, MEI)), reading(("Anna", area))) == {1: "Anna"}


def test_regions_of_an_image_of_other_proportions_are_refused() -> None:
    with pytest.raises(XmpOtherImage):
        names(image(stored(1, LEFT)), reading(("Mei", area_of(LEFT, *SIZE, 1)), size=Dimensions(400, 100)))


def test_what_is_wrong_with_a_sidecar_is_told_by_its_code_and_the_library_s_trouble_is_not_swallowed() -> None:
    with structlog.testing.capture_logs() as lines:
        with _told_of(7):
            raise XmpMalformed
        with _told_of(7):
            raise RuntimeError("Mei")
    assert [(line["image"], line.get("code") or line.get("kind")) for line in lines] == [(7, "xmp.malformed"), (7, "RuntimeError")]
    assert "Mei" not in str(lines)
    with pytest.raises(StoreBusy), _told_of(7):
        raise StoreBusy

"""Finds the faces of a photo that a sidecar names."""

from collections.abc import Iterator

from agent.domain.errors import XmpOtherImage
from agent.domain.people import Certainty
from agent.domain.regions import NamedArea, Reading, area_of, match, tidy
from agent.library.records import StoredFace, StoredImage

LONGEST_NAME = 200


def confirmed(face: StoredFace) -> str:
    """Return the name that the user confirmed; empty if none."""
    return face.person or "" if face.identity is not None and face.identity.certainty is Certainty.CONFIRMED else ""


def named(image: StoredImage, reading: Reading) -> Iterator[tuple[StoredFace, str]]:
    """Yield faces with their names there. A name that we wrote does not contradict a named face. Raises XmpOtherImage."""
    size, orientation = (image.width, image.height), reading.orientation
    regions = reading.regions
    if not regions.fit(*(size if orientation < 5 else reversed(size))):
        raise XmpOtherImage
    areas = [NamedArea("", area_of(face.face.box, *size, orientation)) for face in image.faces]
    for one, at in match(areas, regions.items).items():
        face, region = image.faces[one], regions.items[at]
        name = tidy(region.name)
        if 0 < len(name) <= LONGEST_NAME and not (region.name_is_ours and confirmed(face)):
            yield face, name

"""Which faces of a photo a sidecar names."""

from collections.abc import Iterator

from agent.domain.errors import XmpOtherImage
from agent.domain.people import Certainty
from agent.library.records import StoredFace, StoredImage
from agent.people.sidecars.regions import NamedArea, area_of, match, tidy
from agent.people.sidecars.sidecar_port import Reading

LONGEST_NAME = 200


def confirmed(face: StoredFace) -> str:
    """The name by the user's word; empty if nothing was said."""
    return face.person or "" if face.identity is not None and face.identity.certainty is Certainty.CONFIRMED else ""


def named(image: StoredImage, reading: Reading) -> Iterator[tuple[StoredFace, str]]:
    """Faces with the names they have there. What we wrote ourselves is no other opinion of a face that has a name. Raises XmpOtherImage."""
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

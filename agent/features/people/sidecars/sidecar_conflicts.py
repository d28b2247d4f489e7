"""Faces of a photo that a sidecar names, and those whose name differs there: remembered until the user decides."""

from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass

import structlog

from agent.domain.errors import XmpOtherImage
from agent.domain.identity_matching import Certainty
from agent.domain.regions import NamedArea, Reading, area_of, match, same_name, tidy
from agent.features.library.records import StoredFace, StoredImage
from agent.features.people.queries.people_queries import PeopleQueries

log = structlog.get_logger()

MOST_CONFLICTS = 1_000  # remembered: the latest
KEPT = "name_kept.{face}"  # noted with the person: as numbers, so that forgetting leaves no name
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
        if 0 < len(name) <= LONGEST_NAME and not (region.is_name_unmodified and confirmed(face)):
            yield face, name


@dataclass(frozen=True, slots=True)
class FoundConflict:
    """A face whose name differs in another program."""

    image_id: int
    face_id: int
    ours: str
    theirs: str
    person_id: int = 0  # the person of `ours`


class NameConflicts:
    """Conflicts detected since the start. Methods that raise StoreError block."""

    def __init__(self, library: PeopleQueries) -> None:
        self._library = library
        self.theirs: dict[tuple[int, int], str] = {}  # (image, face) -> another program's name, if it differed from ours

    def listed(self) -> list[FoundConflict]:
        """Return those that still exist and were not kept. Raises StoreError."""
        theirs = self.theirs
        images = self._library.images_by_id(list(dict.fromkeys(image_id for image_id, _ in theirs)))
        told = [(image.id, face, theirs.get((image.id, face.id))) for image in images for face in image.faces]
        found = [
            FoundConflict(image_id, face.id, ours, theirs, face.identity.person_id)
            for image_id, face, theirs in told
            if theirs and face.identity and (ours := confirmed(face)) and not same_name(ours, theirs)
        ]
        return [each for each in found if self._library.note(KEPT.format(face=each.face_id)) != each.person_id]

    def keep(self, faces: Collection[int], *, kept: bool = True) -> None:
        """Keep the user's names of these faces: no longer report conflicts, until another name appears there.

        `kept=False` reverts that. Raises StoreError.
        """
        stored = self._library.images_by_id(list(self._library.images_of_faces(sorted(faces))))
        named = [face for image in stored for face in image.faces if face.id in faces and face.identity]
        self._library.set_flags({KEPT.format(face=face.id): face.identity.person_id if kept and face.identity else None for face in named})

    def remember(self, image_id: int, theirs: Mapping[int, str]) -> None:
        """Replace what is remembered of an image: face -> another program's name."""
        if theirs:
            log.info("sidecars.conflicts", image=image_id, count=len(theirs))
        kept = {key: name for key, name in self.theirs.items() if key[0] != image_id}
        fresh = {(image_id, face_id): name for face_id, name in theirs.items()}
        self.theirs = dict([*kept.items(), *fresh.items()][-MOST_CONFLICTS:])

    def drop(self, name: str) -> None:
        """Discard conflicts with that name."""
        self.theirs = {key: theirs for key, theirs in self.theirs.items() if not same_name(theirs, name)}

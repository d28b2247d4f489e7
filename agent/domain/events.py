"""Events: one union of frozen facts with references, never pixels, paths or names."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Final, TypeAlias


@dataclass(frozen=True, slots=True, kw_only=True)
class ImageIndexed:
    """An image was analysed. Written in the same transaction as its faces."""

    image_id: int
    place_id: int
    faces: int


@dataclass(frozen=True, slots=True, kw_only=True)
class LocationAdded:
    """A known image was found at one more location: nothing was analysed."""

    image_id: int
    place_id: int


@dataclass(frozen=True, slots=True, kw_only=True)
class LocationMoved:
    place_id: int


@dataclass(frozen=True, slots=True, kw_only=True)
class LocationLost:
    """The file is gone; its faces stay for the grace time."""

    place_id: int


@dataclass(frozen=True, slots=True, kw_only=True)
class ImageFailed:
    """The file could not be analysed, or was set aside (`quarantined`)."""

    place_id: int
    code: str
    quarantined: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class ImagesHidden:
    """The user hid this many images, or showed them again."""

    count: int
    hidden: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class FavouritesChanged:
    """The user marked this many images as favourites, or unmarked them."""

    count: int
    favourite: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class AlbumsChanged:
    """An album was made, changed or removed. Which one it was is not said: not everyone may see it."""


@dataclass(frozen=True, slots=True, kw_only=True)
class PersonNamed:
    """A face was given a name. Libraries contain it from before `PeopleChanged` existed."""

    person_id: int
    face_id: int


@dataclass(frozen=True, slots=True, kw_only=True)
class PeopleChanged:
    """An edit of people or faces was done or undone, or a person was forgotten; faces were identified again."""

    action: str


@dataclass(frozen=True, slots=True, kw_only=True)
class RecognitionPurged:
    """Recognition was switched off: the deleted data."""

    embeddings: int
    chips: int


Event: TypeAlias = (
    ImageIndexed
    | LocationAdded
    | LocationMoved
    | LocationLost
    | ImageFailed
    | ImagesHidden
    | FavouritesChanged
    | AlbumsChanged
    | PersonNamed
    | PeopleChanged
    | RecognitionPurged
)
EVENT_NAMES: Final[Mapping[type[Event], str]] = {
    ImageIndexed: "image_indexed",
    LocationAdded: "place_added",
    LocationMoved: "place_moved",
    LocationLost: "place_lost",
    ImageFailed: "image_failed",
    ImagesHidden: "images_hidden",
    FavouritesChanged: "favourites_changed",
    AlbumsChanged: "albums_changed",
    PersonNamed: "person_named",
    PeopleChanged: "people_changed",
    RecognitionPurged: "recognition_purged",
}
"""in the library and in the API"""


@dataclass(frozen=True, slots=True)
class StoredEvent:
    """An event as stored; `id` grows, so a reader can resume where it stopped."""

    id: int
    at: datetime
    event: Event

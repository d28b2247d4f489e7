"""What crosses the API: references only, and paths that JSON can hold."""

import sys
from datetime import UTC, datetime
from urllib.parse import unquote_to_bytes

import pytest

from agent.app.streams import EventOut
from agent.domain import events
from agent.domain.path_text import printable, uri_of_odd

NOW = datetime(2026, 1, 1, tzinfo=UTC)


@pytest.mark.parametrize(
    ("event", "told"),
    [
        (events.ImageIndexed(image_id=1, place_id=2, faces=3), {"kind": "image_indexed", "image_id": 1, "place_id": 2, "faces": 3}),
        (events.LocationAdded(image_id=1, place_id=2), {"kind": "place_added", "image_id": 1, "place_id": 2}),
        (events.LocationMoved(place_id=2), {"kind": "place_moved", "place_id": 2}),
        (events.LocationLost(place_id=2), {"kind": "place_lost", "place_id": 2}),
        (events.ImageFailed(place_id=2, code="image.corrupt"), {"kind": "image_failed", "place_id": 2, "code": "image.corrupt"}),
        (events.ImagesHidden(count=6, hidden=True), {"kind": "images_hidden"}),
        (events.AlbumsChanged(), {"kind": "albums_changed"}),
        (events.PersonNamed(person_id=4, face_id=5), {"kind": "person_named", "person_id": 4}),
        (events.PeopleChanged(action="merge"), {"kind": "people_changed"}),
        (events.RecognitionPurged(embeddings=6, chips=7), {"kind": "recognition_purged", "embeddings": 6, "chips": 7}),
    ],
)
def test_each_event_is_told_by_its_references(event: events.Event, told: dict[str, object]) -> None:
    out = EventOut.of(events.StoredEvent(9, NOW, event)).model_dump(exclude_none=True)
    assert out == {"id": 9, "at": NOW, **told}


def test_a_path_that_is_no_text_can_be_told() -> None:
    assert printable("/photos/caf\udce9.jpg") == "/photos/caf\ufffd.jpg"
    assert printable("/photos/half \ud83d.jpg") == "/photos/half \ufffd.jpg"
    assert printable("/照片/a.jpg") == "/照片/a.jpg"


@pytest.mark.skipif(sys.platform == "win32", reason="names there hold no bytes")
def test_a_path_that_is_no_text_has_an_address_to_open_it_by() -> None:
    uri = uri_of_odd("/photos/caf\udce9 图.jpg")
    assert uri is not None and unquote_to_bytes(uri.removeprefix("file://")) == "/photos/caf\udce9 图.jpg".encode(errors="surrogateescape")
    assert uri_of_odd("/照片/a b.jpg") is None
    assert uri_of_odd("/photos/half \ud83d.jpg") is None

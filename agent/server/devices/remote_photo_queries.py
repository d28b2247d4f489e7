"""Photos that stay on members' computers: the server keeps what was found in them, and at which computer they are."""

from collections.abc import Collection, Mapping, Sequence
from datetime import datetime
from typing import Any, Final

from sqlalchemy import Connection, delete, insert, select

from agent.domain import desk_path
from agent.domain.edits import EditStep
from agent.domain.events import ImageIndexed, LocationAdded, StoredEvent
from agent.infrastructure.core.access_scope import everything
from agent.infrastructure.store import audit_libraries, audit_log, event_rows
from agent.infrastructure.store.database import Queries
from agent.infrastructure.store.facts import chunks
from agent.infrastructure.store.flags import add
from agent.infrastructure.store.schema import face, image, place
from agent.interfaces.web.desk_photos import PhotoResult, PhotoTaken
from agent.server.devices.upload_queries import without_place

_IMAGE: Final = ("sha256", "size", "width", "height", "format", "detector", "precision")
_FACE: Final = ("x", "y", "w", "h", "score", "size", "sharpness", "yaw", "roll", "covered")
_TIMES: Final = dict.fromkeys(("ms_decode", "ms_detect", "ms_align", "ms_embed"), 0.0)


class DeskPhotoQueries(Queries):
    def take_photos(
        self, items: Sequence[PhotoResult], library: int | None, desk: str, computer: str, *, now: datetime
    ) -> tuple[list[PhotoTaken], list[StoredEvent]]:
        """Store what a desk found in photos. Sent again, nothing changes.

        A photo that the server has keeps what was found in it there. One beyond the caller's reach is left alone: who knows a photo's
        digest must not see it by that.
        """
        wanted = {each.sha256: each for each in items}
        taken, events = self._take(wanted, self._known(wanted), library, desk, computer, now)
        # Another desk may have told of the same photo since it was looked for.
        beyond = [sha256 for sha256, each in taken.items() if each.state == "elsewhere"]
        if visible := self._known(beyond):
            again, others = self._take({sha256: wanted[sha256] for sha256 in visible}, visible, library, desk, computer, now)
            taken, events = taken | again, [*events, *others]
        return list(taken.values()), events

    def _take(
        self, wanted: Mapping[str, PhotoResult], visible: Collection[str], library: int | None, desk: str, computer: str, now: datetime
    ) -> tuple[dict[str, PhotoTaken], list[StoredEvent]]:
        with everything(), self.database.write() as tx:
            known = _by_content(tx, wanted)
            its = place.c.source == desk_path.SOURCE, place.c.host == desk
            mine = set(tx.scalars(select(place.c.image_id).where(*its, _among(known.values()))))
            taken, events = dict[str, PhotoTaken](), list[StoredEvent]()
            for sha256, each in wanted.items():
                image_id = known.get(sha256)
                if image_id is not None and sha256 not in visible:
                    taken[sha256] = PhotoTaken(sha256=sha256, state="elsewhere")
                    continue
                fresh = image_id is None
                if image_id is None:
                    image_id = _put(tx, each, now)
                if image_id not in mine:
                    place_id = add(tx, place, _place(each, image_id, library, desk, computer, now))
                    told = ImageIndexed(image_id=image_id, place_id=place_id, faces=len(each.faces))
                    events.append(event_rows.record(tx, told if fresh else LocationAdded(image_id=image_id, place_id=place_id), now))
                taken[sha256] = PhotoTaken(sha256=sha256, state="taken" if fresh or image_id in mine else "known")
            if events:
                audit_log.add(tx, "desk_shared", None, len(events), now, detail=desk, libraries=[] if library is None else [library])
        return taken, events

    def give_back(self, contents: Collection[str], desk: str, *, now: datetime) -> tuple[EditStep, list[StoredEvent]]:
        """Delete what this desk told of these photos, with all that was made of it, unless the server has them from elsewhere, too."""
        with everything(), self.database.write(durable=True) as tx:
            its = place.c.source == desk_path.SOURCE, place.c.host == desk
            there = select(place.c.image_id).join(image).where(*its, image.c.sha256.in_(list(contents)))
            images = sorted(set(tx.scalars(there)))
            if not images:
                return EditStep("describe", 0), []
            groups = audit_libraries.of_images(tx, images)
            tx.execute(delete(place).where(*its, _among(images)))
            audit_libraries.add_for_each(tx, "desk_taken_back", None, groups, len(images), now, detail=desk)
            return without_place(tx, images, now)

    def _known(self, contents: Collection[str]) -> frozenset[str]:
        with self.database.read() as tx:
            return frozenset(_by_content(tx, contents))


def _by_content(tx: Connection, contents: Collection[str]) -> dict[str, int]:
    rows = (
        row for part in chunks(list(contents)) for row in tx.execute(select(image.c.sha256, image.c.id).where(image.c.sha256.in_(part)))
    )
    return {sha256: image_id for sha256, image_id in rows}


def _among(images: Collection[int]) -> Any:
    return place.c.image_id.in_(list(images))


def _put(tx: Connection, each: PhotoResult, now: datetime) -> int:
    facts = {name: getattr(each, name) for name in _IMAGE} | _TIMES
    taken_at = each.taken_at.replace(tzinfo=None)
    image_id = add(tx, image, facts | {"indexed_at": now, "taken_at": taken_at, "face_count": len(each.faces)})
    if each.faces:
        rows = [
            {name: getattr(found, name) for name in _FACE}
            | {"image_id": image_id, "ordinal": ordinal, "landmarks": [list(point) for point in found.landmarks]}
            for ordinal, found in enumerate(each.faces)
        ]
        tx.execute(insert(face), rows)
    return image_id


def _place(each: PhotoResult, image_id: int, library: int | None, desk: str, computer: str, now: datetime) -> dict[str, object]:
    return {
        "source": desk_path.SOURCE,
        "host": desk,
        "path": desk_path.desk_path(desk, computer, each.sha256),
        "folder": None,
        "size": each.size,
        "mtime_ns": 0,
        "image_id": image_id,
        "noted_at": now,
        "library_id": library,
    }

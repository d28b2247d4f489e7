"""Analyses: stored with the end of their job, read as pages of images."""

import time
from collections.abc import Collection, Mapping, Sequence
from datetime import datetime, timedelta

from sqlalchemy import BigInteger, Connection, Integer, Select, bindparam, select, update

from agent.domain import reference_path
from agent.domain.events import ImageIndexed, LocationAdded, StoredEvent
from agent.domain.face import Analysis, Box, StageTimes
from agent.domain.identity_matching import Identity
from agent.domain.image import Recipe
from agent.domain.jobs import Job
from agent.features.library.queries import face_queries, file_queries, identity_queries, job_queries
from agent.features.library.queries.shown_image_queries import is_there
from agent.features.library.records import StoredImage
from agent.infrastructure.core.access_scope import current_scope, everything
from agent.infrastructure.store import event_rows
from agent.infrastructure.store.database import Queries
from agent.infrastructure.store.dialects.functions import in_bound_numbers, number_list
from agent.infrastructure.store.facts import chunks
from agent.infrastructure.store.flags import add
from agent.infrastructure.store.schema import chip, face, identity, image, place

_MARGIN = 0.25  # of a face's box, on each side, when it is covered
_BEYOND = 2**31  # more than any image's id
_EPOCH = datetime(1970, 1, 1)  # noqa: DTZ001 - a camera's clock knows no zone
# Built once: building the three statements of a page of images takes as long as running them.
_IMAGES = select(image).where(image.c.id.in_(in_bound_numbers("images")))
# An image whose last file is gone, or has other content now, is hidden for its grace time.
_PAGE = select(image).where(is_there(), image.c.hidden_at.is_(None), image.c.id < bindparam("before", type_=BigInteger))
_PAGE = _PAGE.order_by(image.c.id.desc()).limit(bindparam("most", type_=Integer))
# A file comes before what only a computer of the team told of: it has a name, and can be opened.
_PLACES = select(
    place.c.missing_since.is_not(None).label("missing"),
    place.c.source.in_(job_queries.WITHOUT_FILE).label("without_file"),
    place.c.id,
    place.c.path,
    place.c.image_id,
)
_PLACES = _PLACES.where(place.c.image_id.in_(in_bound_numbers("images")))


class ImageQueries(Queries):
    def commit(self, job: Job, analysis: Analysis, identities: Sequence[Identity | None] = (), *, now: datetime) -> list[StoredEvent]:
        """Store faces, their identities (in the faces' order; empty: none), location, event and the job's end in one transaction.

        Idempotent; does nothing for an attempt whose job was replaced (the file changed or moved meanwhile).
        An image that already has this whole analysis is not changed. While the recipe has no embedder, no embedding or chip is stored.
        """
        with self.database.write() as tx:
            held = job_queries.held(tx, job)
            if held is None:
                return []
            place_id, before, mtime_ns = held
            job_queries.done(tx, job.id, now)
            image_id, written = _put(tx, analysis, identities, now, analysis.taken_at or local_time(mtime_ns))
            if before != image_id:
                if before is not None:
                    file_queries.leave(tx, before, now)
                tx.execute(update(place).where(place.c.id == place_id).values(image_id=image_id))
            if written:
                return [event_rows.record(tx, ImageIndexed(image_id=image_id, place_id=place_id, faces=len(analysis.faces)), now)]
            return [event_rows.record(tx, LocationAdded(image_id=image_id, place_id=place_id), now)]

    def images_by_id(self, image_ids: Sequence[int]) -> list[StoredImage]:
        """Return images in the requested order; unknown ones are left out."""
        with self.database.read() as tx:
            found = {stored.id: stored for stored in _load(tx, _IMAGES, {"images": number_list(image_ids)})}
            return [found[image_id] for image_id in dict.fromkeys(image_ids) if image_id in found]

    def faces_by_hash(self, hashes: Collection[str]) -> dict[str, list[tuple[int, Box]]]:
        """Return ids and boxes of the faces of many images, by the images' content; those of an image in their order."""
        with self.database.read() as tx:
            found: dict[str, list[tuple[int, Box]]] = {}
            columns = select(image.c.sha256, face.c.id, face.c.x, face.c.y, face.c.w, face.c.h).join_from(image, face)
            for chunk in chunks(list(hashes)):
                for sha256, face_id, *box in tx.execute(columns.where(image.c.sha256.in_(chunk)).order_by(face.c.id)):
                    found.setdefault(sha256, []).append((face_id, Box(*box)))
            return found

    def images(self, *, limit: int, before: int | None = None) -> list[StoredImage]:
        """Return images by descending id; `before` is the last id of the previous page."""
        with self.database.read() as tx:
            return _load(tx, _PAGE, {"before": _BEYOND if before is None else before, "most": limit})

    def image(self, image_id: int) -> StoredImage | None:
        with self.database.read() as tx:
            return one(tx, image_id)

    def image_by_hash(self, sha256: str) -> StoredImage | None:
        with self.database.read() as tx:
            image_id = tx.scalar(select(image.c.id).where(image.c.sha256 == sha256))
            return None if image_id is None else one(tx, image_id)

    def hashes(self) -> frozenset[str]:
        """Return the SHA-256 of all images, shown or not."""
        with self.database.read() as tx:
            return frozenset(tx.scalars(select(image.c.sha256)))

    def picture_of_reference(self, image_id: int) -> bytes | None:
        """Return the picture of a face that is kept in place of its photo, as JPEG; None for images of files."""
        with self.database.read() as tx:
            of_image = select(chip.c.jpeg).join(face, face.c.id == chip.c.face_id).join(place, place.c.image_id == face.c.image_id)
            return tx.scalar(of_image.where(face.c.image_id == image_id, place.c.source == reference_path.SOURCE))

    def faces_kept_back(self, image_id: int) -> tuple[Box, ...]:
        """Return where the faces are of people whom the member may not know, with a margin, in fractions of the image."""
        if current_scope() is None:
            return ()
        known = select(identity.c.face_id).join(face, face.c.id == identity.c.face_id).where(face.c.image_id == image_id)
        columns = image.c.width, image.c.height, face.c.id, face.c.x, face.c.y, face.c.w, face.c.h
        wanted = select(*columns).join(face, face.c.image_id == image.c.id).where(face.c.id.in_(known))
        with everything(), self.database.read() as tx:
            faces = tx.execute(wanted).all()
        if not faces:
            return ()
        with self.database.read() as tx:
            told = set(tx.scalars(known))
        return tuple(_with_margin(Box(at.x, at.y, at.w, at.h), at.width, at.height) for at in faces if at.id not in told)

    def sha256(self, image_id: int) -> str | None:
        with self.database.read() as tx:
            return tx.scalar(select(image.c.sha256).where(image.c.id == image_id))


def _with_margin(box: Box, width: int, height: int) -> Box:
    """The box with hair and chin, in fractions of an image of that size."""
    across, down = box.w * _MARGIN, box.h * _MARGIN
    return Box((box.x - across) / width, (box.y - down) / height, (box.w + 2 * across) / width, (box.h + 2 * down) / height)


def one(tx: Connection, image_id: int) -> StoredImage | None:
    found = _load(tx, _IMAGES, {"images": number_list([image_id])})
    return found[0] if found else None


def local_time(mtime_ns: int) -> datetime:
    """Return a file's local time; 1970 if it is out of range."""
    seconds = mtime_ns / 1e9
    try:
        return datetime.fromtimestamp(seconds)  # noqa: DTZ006 - a camera's clock knows no zone, so neither does this
    except (OverflowError, OSError, ValueError):
        pass
    try:  # Windows knows no local time before 1970
        return _EPOCH + timedelta(seconds=seconds - time.timezone)
    except OverflowError:
        return _EPOCH


def _put(tx: Connection, analysis: Analysis, identities: Sequence[Identity | None], now: datetime, taken_at: datetime) -> tuple[int, bool]:
    """Return (image id, whether anything was written): an image that already has this whole analysis is not changed."""
    known = tx.execute(
        select(image.c.id, job_queries.outdated(analysis.recipe).label("outdated")).where(image.c.sha256 == analysis.sha256)
    ).one_or_none()
    if known is not None and not known.outdated:
        return known.id, False
    facts = {
        "sha256": analysis.sha256,
        "size": analysis.size,
        "width": analysis.width,
        "height": analysis.height,
        "format": analysis.format,
        "detector": analysis.recipe.detector,
        "embedder": analysis.recipe.embedder,
        "precision": analysis.precision,
        "ms_decode": analysis.ms.decode,
        "ms_detect": analysis.ms.detect,
        "ms_align": analysis.ms.align,
        "ms_embed": analysis.ms.embed,
        "indexed_at": now,
        "taken_at": taken_at,
        "face_count": len(analysis.faces),
    }
    if known is None:
        image_id = add(tx, image, facts)
    else:
        image_id = known.id
        tx.execute(update(image).where(image.c.id == image_id).values(facts))
    face_ids = face_queries.replace(tx, image_id, analysis.faces, analysis.recipe.embedder)
    if analysis.recipe.embedder is not None:
        identity_queries.set_identities(tx, dict(zip(face_ids, identities, strict=False)), now)
    return image_id, True


def _load(tx: Connection, query: Select[int], values: Mapping[str, object]) -> list[StoredImage]:
    rows = tx.execute(query, values).mappings().all()
    ids = [row["id"] for row in rows]
    places: dict[int, list[tuple[int, str]]] = {image_id: [] for image_id in ids}
    # Sorted here: SQLite takes as long to sort them as to read them.
    for _, _, place_id, path, image_id in sorted(tx.execute(_PLACES, {"images": number_list(ids)}).all()):
        places[image_id].append((place_id, path))
    stored = face_queries.of_images(tx, ids)
    return [
        StoredImage(
            id=row["id"],
            sha256=row["sha256"],
            width=row["width"],
            height=row["height"],
            size=row["size"],
            format=row["format"],
            recipe=Recipe(row["detector"], row["embedder"]),
            precision=row["precision"],
            ms=StageTimes(row["ms_decode"], row["ms_detect"], row["ms_align"], row["ms_embed"]),
            indexed_at=row["indexed_at"],
            taken_at=row["taken_at"],
            hidden=row["hidden_at"] is not None,
            favourite=row["favourite_at"] is not None,
            places=tuple(places[row["id"]]),
            faces=tuple(stored[row["id"]]),
        )
        for row in rows
    ]

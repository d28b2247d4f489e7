"""The library page's index: every image it shows, as bare numbers, so that 100,000 are read in one pass."""

from collections import Counter, defaultdict
from collections.abc import Sequence
from datetime import date

from sqlalchemy import BigInteger, Connection, ScalarSelect, and_, func, not_, or_, select, type_coerce, union_all

from agent.domain.identity_matching import Certainty
from agent.features.library.index_snapshot import DAY, EPOCH, WholeIndex
from agent.features.library.queries.shown_image_queries import conditions, is_by_hand, is_there, visible
from agent.features.library.records import Index, Shown
from agent.infrastructure.store import change_cursor
from agent.infrastructure.store.database import Queries
from agent.infrastructure.store.dialects.functions import (
    MOST_SMALL,
    joined_large_numbers,
    joined_numbers,
    large_numbers_of,
    numbers_of,
    one_of,
    small_numbers_of,
)
from agent.infrastructure.store.path_index import FolderArea, below, folder_inside, within
from agent.infrastructure.store.schema import album_image, face, identity, image, person, place

_RATIO = (200 * image.c.width + image.c.height) // (2 * image.c.height)
# The raw stored values: converting 100,000 to dates would take longer than reading them.
_TIME = type_coerce(image.c.taken_at, BigInteger)
_NEWEST_FIRST = (image.c.taken_at.desc(), image.c.id.desc())


class IndexQueries(Queries):
    def index(self, shown: Shown) -> Index:
        """Return all images with an existing file, in one pass."""
        found = self.large_index(shown)
        return Index(ids=tuple(found.ids), ratios=tuple(found.ratios), days=found.days)

    def large_index(self, shown: Shown) -> Index:
        """The same with its numbers in arrays: a tuple of 300,000 takes ten times as much memory."""
        with self.database.read() as tx:
            # They are joined into one row, because the database returns row by row, and after each row another thread may run; in the
            # order of the source rows.
            day = (_TIME + EPOCH * DAY) // DAY  # never negative: some databases round towards zero
            images = select(image.c.id, _RATIO.label("ratio"), day.label("day")).where(*conditions(tx, shown))
            if by_hand := is_by_hand(tx, shown.album):
                in_it = and_(album_image.c.image_id == image.c.id, album_image.c.album_id == shown.album)
                images = images.join(album_image, in_it).order_by(album_image.c.position, image.c.id)
            else:
                images = images.order_by(*_NEWEST_FIRST)
            columns = images.subquery().c
            joined = joined_numbers(columns.id), joined_numbers(columns.ratio), joined_numbers(columns.day)
            ids, ratios, days = tx.execute(select(*joined)).one()
            # A counter keeps insertion order.
            runs = () if by_hand else tuple((date.fromordinal(day), count) for day, count in Counter(numbers_of(days)).items())
            return Index(ids=numbers_of(ids), ratios=small_numbers_of(ratios), days=runs)

    def whole_index(self, before: WholeIndex | None) -> WholeIndex | None:
        """Return the index of all images, `before` itself if only a few changed since; None if this database doesn't note what changes."""
        with self.database.read() as tx:
            if (now := change_cursor.moment(tx)) is None:
                return None
            images = select(image.c.id, _RATIO.label("ratio"), _TIME.label("time"), image.c.face_count)
            if before is not None and (changed := change_cursor.changed(tx, before.moment, now)) is not None:
                rows = tx.execute(images.where(image.c.id.in_(one_of(changed)), *visible())) if changed else ()
                before.replace(changed, ((each, min(ratio, MOST_SMALL), time, faces) for each, ratio, time, faces in rows), now)
                return before
            columns = images.where(*conditions(tx, Shown())).order_by(*_NEWEST_FIRST).subquery().c
            joined = joined_numbers(columns.id), joined_numbers(columns.ratio), joined_numbers(columns.face_count)
            ids, ratios, faces, times = tx.execute(select(*joined, joined_large_numbers(columns.time))).one()
            return WholeIndex(now, numbers_of(ids), small_numbers_of(ratios), large_numbers_of(times), numbers_of(faces))

    def count_below(self, folder: str) -> int:
        """Return the number of a folder's images in `index`."""
        with self.database.read() as tx:
            there = and_(below(folder), place.c.missing_since.is_(None))
            held = tx.scalar(select(func.count(place.c.image_id.distinct())).where(there)) or 0
            of_it = select(place.c.id).where(place.c.image_id == image.c.id, there).exists()
            return held - (tx.scalar(select(func.count()).select_from(image).where(image.c.hidden_at.is_not(None), of_it)) or 0)

    def folders_inside(self, folder: str) -> dict[str, tuple[int, bool]]:
        """Return each folder with images directly inside: path, number of images in `index`, and whether it has subfolders."""
        with self.database.read() as tx:
            there = and_(below(folder), place.c.missing_since.is_(None))
            rows = tx.execute(select(place.c.path, place.c.image_id).join(image).where(there, image.c.hidden_at.is_(None)))
            images, nested = defaultdict[str, set[int]](set), set[str]()
            for path, image_id in rows:
                if (inside := folder_inside(folder, path)) is not None:
                    images[inside].add(image_id)
                    if folder_inside(inside, path) is not None:
                        nested.add(inside)
            return {path: (len(images[path]), path in nested) for path in sorted(images)}

    def count_leaving(self, folder: str, staying: Sequence[str]) -> int:
        """Return how many images would leave `index` with a folder, except those in subfolders that stay watched."""
        with self.database.read() as tx:
            return count_leaving(tx, FolderArea(folder, tuple(staying)))


def _shown() -> ScalarSelect[int]:
    """Return the number of images that `read` returns without filters."""
    # Two passes over indices alone; looking up a location for each image would take several times as long.
    there = select(place.c.image_id).where(place.c.image_id.is_not(None), place.c.missing_since.is_(None)).group_by(place.c.image_id)
    hidden = select(image.c.id).where(image.c.hidden_at.is_not(None), is_there())
    there_count, hidden_count = (select(func.count()).select_from(found.subquery()).scalar_subquery() for found in (there, hidden))
    return select(there_count - hidden_count).scalar_subquery()


def _shown_faces() -> ScalarSelect[int]:
    """Return the number of their faces. Few images are hidden: subtracting their faces is faster than adding up the others."""
    perhaps = union_all(
        select(place.c.image_id).where(place.c.missing_since.is_not(None), place.c.image_id.is_not(None)),
        select(image.c.id).where(image.c.left_at.is_not(None)),
        select(image.c.id).where(image.c.hidden_at.is_not(None)),
    )
    passed_over = select(image.c.id).where(image.c.id.in_(perhaps), or_(image.c.hidden_at.is_not(None), not_(is_there())))
    theirs = select(func.count()).select_from(face).where(face.c.image_id.in_(passed_over)).scalar_subquery()
    return select(select(func.count()).select_from(face).scalar_subquery() - theirs).scalar_subquery()


_DOUBTS = select(func.count()).select_from(identity).where(identity.c.certainty == Certainty.PROBABLE).scalar_subquery()

# Built once: the status counts while working, and for a small library building the query would take longer than counting.
_COUNTS = select(_shown(), _shown_faces(), select(func.count()).select_from(person).scalar_subquery(), _DOUBTS)


def count(tx: Connection) -> tuple[int, int, int, int]:
    """Return images without filters, their faces, people, and faces that are probably a known person."""
    images, faces, people, doubts = tx.execute(_COUNTS).one()
    return images, faces, people, doubts


def count_people(tx: Connection) -> tuple[int, int]:
    """Return people, and faces that are probably a known person."""
    people, doubts = tx.execute(select(select(func.count()).select_from(person).scalar_subquery(), _DOUBTS)).one()
    return people, doubts


def count_leaving(tx: Connection, area: FolderArea) -> int:
    """Return how many images would no longer be shown if the area were not watched."""
    there = and_(place.c.image_id.is_not(None), place.c.missing_since.is_(None))
    leaving = and_(within(area), place.c.folder.is_not(None))
    last = select(place.c.image_id).where(there, leaving).except_(select(place.c.image_id).where(there, not_(leaving)))
    return tx.scalar(select(func.count()).select_from(image).where(image.c.id.in_(last), image.c.hidden_at.is_(None))) or 0

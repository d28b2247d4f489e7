"""Which photos of shared folders the team's server is told of."""

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final

from sqlalchemy import ColumnElement, and_, delete, exists, false, func, insert, not_, or_, select, update

from agent.features.library.queries.job_queries import NO_ANALYSIS
from agent.features.library.queries.shown_image_queries import is_there
from agent.features.people.queries import team_face_queries
from agent.features.people.queries.team_face_queries import AGAIN, SENT
from agent.infrastructure.store.database import Queries
from agent.infrastructure.store.facts import chunks
from agent.infrastructure.store.path_index import FolderArea, within
from agent.infrastructure.store.schema import face, image, team_link, team_photo
from agent.interfaces.web.desk_photos import FaceResult, PhotoResult, PhotoTaken

REFUSED: Final = "refused"
BACK: Final = "back"
MOST: Final = 100
MOST_FACES: Final = 1_000
_PHOTO: Final = ("sha256", "size", "width", "height", "format", "detector", "precision", "taken_at")
_FACE: Final = ("x", "y", "w", "h", "score", "size", "sharpness", "yaw", "roll", "covered")
_SHOWN: Final = and_(image.c.detector != NO_ANALYSIS, image.c.hidden_at.is_(None))


@dataclass(frozen=True, slots=True)
class Batch:
    """Photos to be told, with the last image that was looked at."""

    photos: tuple[PhotoResult, ...]
    last: int


@dataclass(frozen=True, slots=True)
class Shared:
    """`stays`: photos that the server still has, though their folder is no longer shared. `refused`: it did not take them."""

    sent: int
    waiting: int
    stays: int
    refused: int


class TeamPhotoQueries(Queries):
    def unsent(self, areas: Sequence[FolderArea], after: int) -> Batch:
        """Return the next photos of these folders of which the server was not told."""
        wanted = select(image).outerjoin(team_photo, team_photo.c.sha256 == image.c.sha256)
        wanted = wanted.where(image.c.id > after, _SHOWN, or_(team_photo.c.sha256.is_(None), team_photo.c.state == AGAIN), _placed(areas))
        with self.database.read() as tx:
            rows = tx.execute(wanted.order_by(image.c.id).limit(MOST)).mappings().all()
            ids = [row["id"] for row in rows]
            found: dict[int, list[FaceResult]] = {each: [] for each in ids}
            for each in tx.execute(select(face).where(face.c.image_id.in_(ids)).order_by(face.c.image_id, face.c.ordinal)).mappings():
                figures: dict[str, Any] = {name: each[name] for name in _FACE}
                found[each["image_id"]].append(FaceResult(landmarks=tuple(map(tuple, each["landmarks"])), **figures))
        photos, faces = list[PhotoResult](), 0
        for row in rows:
            faces += len(found[row["id"]])
            if photos and faces > MOST_FACES:
                break
            photos.append(PhotoResult(faces=tuple(found[row["id"]]), **{name: row[name] for name in _PHOTO}))
        return Batch(tuple(photos), ids[len(photos) - 1] if photos else after)

    def told(self, taken: Sequence[PhotoTaken], now: datetime) -> None:
        """Remember that the server was told of these photos; what was said of their faces goes up now."""
        with self.database.write(durable=True) as tx:
            if tx.scalar(select(team_link.c.id)) is None:  # left meanwhile
                return
            tx.execute(delete(team_photo).where(team_photo.c.state == AGAIN, team_photo.c.sha256.in_([each.sha256 for each in taken])))
            there = set(tx.scalars(select(team_photo.c.sha256).where(team_photo.c.sha256.in_([each.sha256 for each in taken]))))
            fresh = {each.sha256: REFUSED if each.state == "elsewhere" else SENT for each in taken if each.sha256 not in there}
            rows = [{"sha256": sha256, "state": state} for sha256, state in fresh.items()]
            if not rows:
                return
            tx.execute(insert(team_photo), rows)
            sent = [sha256 for sha256, state in fresh.items() if state == SENT]
            faces = tx.scalars(select(face.c.id).join(image, image.c.id == face.c.image_id).where(image.c.sha256.in_(sent)))
            team_face_queries.note(tx, faces.all(), (), now)

    def take_back(self, areas: Sequence[FolderArea]) -> int:
        """Have the server forget the photos that are in no shared folder any more."""
        with self.database.write(durable=True) as tx:
            stays = tx.scalars(select(team_photo.c.sha256).where(_stays(areas))).all()
            for part in chunks(stays):
                tx.execute(update(team_photo).where(team_photo.c.sha256.in_(part)).values(state=BACK))
            refused = select(image.c.sha256).where(_placed(areas))
            tx.execute(delete(team_photo).where(team_photo.c.state == REFUSED, team_photo.c.sha256.not_in(refused)))
            return len(stays)

    def to_take_back(self) -> list[str]:
        with self.database.read() as tx:
            return list(tx.scalars(select(team_photo.c.sha256).where(team_photo.c.state == BACK).limit(MOST)))

    def taken_back(self, contents: Collection[str]) -> None:
        """The server forgot these photos."""
        with self.database.write(durable=True) as tx:
            team_face_queries.forget_photos(tx, list(contents))

    def shared(self, areas: Sequence[FolderArea]) -> Shared:
        count = select(func.count())
        with self.database.read() as tx:
            known = exists().where(team_photo.c.sha256 == image.c.sha256, team_photo.c.state != AGAIN)
            waiting = count.select_from(image).where(_SHOWN, not_(known), _placed(areas))
            return Shared(
                tx.scalar(count.select_from(team_photo).where(team_photo.c.state == SENT)) or 0,
                tx.scalar(waiting) or 0,
                tx.scalar(count.select_from(team_photo).where(_stays(areas))) or 0,
                tx.scalar(count.select_from(team_photo).where(team_photo.c.state == REFUSED)) or 0,
            )


def placed(areas: Sequence[FolderArea]) -> ColumnElement[bool]:
    """True for places in one of these folders."""
    return or_(false(), *map(within, areas))


def _placed(areas: Sequence[FolderArea]) -> ColumnElement[bool]:
    """True for images with a file in one of these folders."""
    return is_there(placed(areas))


def _stays(areas: Sequence[FolderArea]) -> ColumnElement[bool]:
    """True for photos that the server has, and that are in no shared folder. One that is gone here stays there, until it is taken back."""
    return and_(team_photo.c.state.in_((SENT, AGAIN)), not_(exists().where(image.c.sha256 == team_photo.c.sha256, _placed(areas))))

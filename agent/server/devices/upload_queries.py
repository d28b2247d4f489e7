"""Photos that desks sent whole: which of them the server has, and removing those of one desk."""

import contextlib
from collections import Counter
from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Final

from sqlalchemy import ColumnElement, Connection, and_, delete, exists, func, insert, or_, select, update

from agent.domain import desk_path
from agent.domain.edits import EditStep
from agent.domain.events import PeopleChanged, StoredEvent
from agent.features.people.editor import IN_DOUBT
from agent.infrastructure.core.access_scope import everything
from agent.infrastructure.store import audit_libraries, event_rows
from agent.infrastructure.store.database import Queries
from agent.infrastructure.store.flags import set_flag
from agent.infrastructure.store.schema import api_token, face, identity, image, member, place, upload
from agent.interfaces.web.desk_photos import ContentState, DeskOut
from agent.server.accounts.records import TokenRecord
from agent.server.accounts.secret_tokens import new_id
from agent.server.uploads.records import Outcome
from agent.server.uploads.upload_files import upload_errors

MOST: Final = 100
"""removed in one transaction"""
_DESK: Final = place.c.source == desk_path.SOURCE


@dataclass(frozen=True, slots=True)
class SentPhoto:
    """A photo that a desk sent, and the path it was stored at."""

    id: str
    sha256: str
    target: str
    size: int
    modified_ns: int | None
    library: int | None


class DeskUploadQueries(Queries):
    def known(self, contents: Collection[str], library: int | None, desk: TokenRecord, *, now: datetime) -> dict[str, ContentState]:
        """Return those of these contents that the library has as files, or once got from this desk: those are never sent again.

        It is noted that the desk has those, too, so that they stay when the one that sent them removes its own.
        """
        there = select(image.c.sha256).distinct().join(place, place.c.image_id == image.c.id)
        there = there.where(image.c.sha256.in_(list(contents)), place.c.source != desk_path.SOURCE, place.c.missing_since.is_(None))
        if library is not None:
            there = there.where(place.c.library_id == library)
        with self.database.read() as tx:
            found: dict[str, ContentState] = dict.fromkeys(tx.scalars(there), "there")
            sent = select(upload.c.sha256).where(*_sent_by(desk.id), upload.c.sha256.in_(list(contents)))
            found |= dict.fromkeys(tx.scalars(sent), "sent")
            noted = set(tx.scalars(select(upload.c.sha256).where(*_had_by(desk.id), upload.c.sha256.in_(list(contents)))))
        facts = {"member": desk.member.id, "library_id": library, "name": "", "size": 0, "created_at": now, "expires_at": now}
        facts |= {"outcome": Outcome.DUPLICATE, "ended_at": now, "token": desk.id}
        fresh = [sha256 for sha256, state in found.items() if state == "there" and sha256 not in noted]
        if fresh:
            with self.database.write() as tx:
                still = set(tx.scalars(there))  # another desk may have taken its own back since
                if stay := [sha256 for sha256 in fresh if sha256 in still]:
                    tx.execute(insert(upload), [{"id": new_id(), "sha256": sha256, **facts} for sha256 in stay])
            found = {sha256: state for sha256, state in found.items() if sha256 not in fresh or sha256 in still}
        return found

    def sent(self, desk: str, contents: Collection[str] | None = None) -> list[SentPhoto]:
        """Return the next of what this desk sent, of these contents or of all."""
        columns = upload.c.id, upload.c.sha256, upload.c.target, upload.c.size, upload.c.modified_ns, upload.c.library_id
        wanted = select(*columns).where(*_sent_by(desk))
        if contents is not None:
            wanted = wanted.where(upload.c.sha256.in_(list(contents)))
        with everything(), self.database.read() as tx:
            return [SentPhoto(*row) for row in tx.execute(wanted.order_by(upload.c.id).limit(MOST))]

    def hand_over(self, sent: Sequence[SentPhoto], desk: str, *, now: datetime) -> list[SentPhoto]:
        """Leave those of these photos that another sender has, too, to that one; return the others.

        Those count as missing from now on: until their files are removed, no desktop is told that the server has them.
        """
        contents = [each.sha256 for each in sent]
        with everything(), self.database.write() as tx:
            others = select(upload).where(upload.c.sha256.in_(contents), upload.c.outcome == Outcome.DUPLICATE)
            others = others.where(or_(upload.c.token.is_(None), upload.c.token != desk))
            heirs = {(row.sha256, row.library_id): row for row in tx.execute(others.order_by(upload.c.ended_at.desc()))}
            kept = list[SentPhoto]()
            for each in sent:
                heir = heirs.get((each.sha256, each.library))
                if heir is None:
                    kept.append(each)
                    continue
                tx.execute(update(upload).where(upload.c.id == each.id).values(token=heir.token, member=heir.member))
                tx.execute(delete(upload).where(upload.c.id == heir.id))
            leaving = update(place).where(place.c.path.in_([each.target for each in kept]), place.c.missing_since.is_(None))
            tx.execute(leaving.values(missing_since=now))
            return kept

    def forget_known(self, desk: str, contents: Collection[str] | None) -> None:
        """Forget that this desk has photos that others sent."""
        wanted = delete(upload).where(*_had_by(desk))
        with everything(), self.database.write() as tx:
            tx.execute(wanted if contents is None else wanted.where(upload.c.sha256.in_(list(contents))))

    def forget(
        self, gone: Sequence[SentPhoto], others: Sequence[SentPhoto], desk: str, *, now: datetime
    ) -> tuple[EditStep, list[StoredEvent]]:
        """Delete these photos, whose files are removed, with all that was made of them, unless they have another place.

        Of the `others`, whose files stay, only that the desk sent them is forgotten.
        """
        with everything(), self.database.write(durable=True) as tx:
            tx.execute(delete(upload).where(upload.c.id.in_([each.id for each in (*gone, *others)])))
            tx.execute(update(place).where(place.c.path.in_([each.target for each in others])).values(missing_since=None))
            if not gone:
                return EditStep("describe", 0), []
            targets = {each.target for each in gone}
            taken = set(tx.scalars(select(upload.c.target).where(upload.c.target.in_(targets))))  # by another's upload since
            at = place.c.path.in_(targets - taken)
            images = sorted(set(tx.scalars(select(place.c.image_id).where(at, place.c.image_id.is_not(None)))))
            tx.execute(delete(place).where(at))
            groups = Counter(frozenset(() if each.library is None else (each.library,)) for each in gone)
            audit_libraries.add_for_each(tx, "desk_removed", None, groups, len(gone), now, detail=desk)
            return without_place(tx, images, now)

    def results_of(self, desk: str) -> list[str]:
        """Return the next contents of which this desk told what it found."""
        wanted = select(image.c.sha256).join(place, place.c.image_id == image.c.id).where(_DESK, place.c.host == desk)
        with everything(), self.database.read() as tx:
            return list(tx.scalars(wanted.order_by(place.c.id).limit(MOST)))

    def desks(self) -> list[DeskOut]:
        """Return the computers that joined, and those that left and of which something is here still."""
        with everything(), self.database.read() as tx:
            told = select(place.c.host, func.count().label("number"), func.max(place.c.id).label("newest")).where(_DESK)
            results = {row.host: row for row in tx.execute(told.group_by(place.c.host))}
            newest = select(place.c.host, place.c.path).where(place.c.id.in_([row.newest for row in results.values()]))
            paths = {row.host: row.path for row in tx.execute(newest)}
            stored = and_(upload.c.outcome == Outcome.STORED, upload.c.token.is_not(None))
            count = select(upload.c.token, func.count().label("number"), func.min(upload.c.member).label("member")).where(stored)
            photos = {row.token: row for row in tx.execute(count.group_by(upload.c.token))}
            tokens = {row.id: row for row in tx.execute(select(api_token.c.id, api_token.c.name, api_token.c.member_id))}
            names = {row.id: row.display_name for row in tx.execute(select(member.c.id, member.c.display_name))}
        found = list[DeskOut]()
        for desk in sorted(results.keys() | photos.keys()):
            token, told_of, sent = tokens.get(desk), results.get(desk), photos.get(desk)
            member_id = token.member_id if token else sent.member if sent else ""
            computer = token.name if token else desk_path.computer(paths.get(desk, ""))
            found.append(
                DeskOut(
                    id=desk,
                    computer=computer,
                    member=names.get(member_id, ""),
                    joined=token is not None,
                    results=told_of.number if told_of else 0,
                    photos=sent.number if sent else 0,
                )
            )
        return found


def remove_file(each: SentPhoto) -> bool:
    """Delete the file that a desk sent; False if another one is in its place or it was moved. Blocks. Raises UploadUnwritable."""
    path = Path(each.target)
    with upload_errors():
        try:
            facts = path.stat()
            # It got the time of the desk's file; a second is what some file systems keep of it.
            is_it = facts.st_size == each.size and (each.modified_ns is None or abs(facts.st_mtime_ns - each.modified_ns) < 2e9)
        except FileNotFoundError:
            return True  # a kill came after this, before the rows were deleted
        if is_it:
            with contextlib.suppress(FileNotFoundError):
                path.unlink()
        return is_it


def _had_by(desk: str) -> tuple[ColumnElement[bool], ...]:
    return upload.c.token == desk, upload.c.outcome == Outcome.DUPLICATE


def _sent_by(desk: str) -> tuple[ColumnElement[bool], ...]:
    return upload.c.token == desk, upload.c.outcome == Outcome.STORED, upload.c.sha256.is_not(None), upload.c.target.is_not(None)


def without_place(tx: Connection, images: Collection[int], now: datetime) -> tuple[EditStep, list[StoredEvent]]:
    """Delete those of these images that no place is left of, with their faces. `images` are those that lost one."""
    unplaced = ~exists().where(place.c.image_id == image.c.id)
    gone = tx.scalars(select(image.c.id).where(image.c.id.in_(list(images)), unplaced)).all()
    faces = frozenset(tx.scalars(select(face.c.id).where(face.c.image_id.in_(gone))))
    # What was recognised by their prints is to be identified again.
    people = frozenset(tx.scalars(select(identity.c.person_id).where(identity.c.face_id.in_(faces))))
    tx.execute(delete(image).where(image.c.id.in_(gone)))
    set_flag(tx, IN_DOUBT)
    return EditStep("describe", len(images), faces, people), [event_rows.record(tx, PeopleChanged(action="desk"), now)]

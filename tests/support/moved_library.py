"""A made library with rows in each table that moves, and values in each of their columns."""

from __future__ import annotations

import hashlib
import math
import random
import struct
from datetime import UTC, date, datetime, timedelta
from typing import Any

from sqlalchemy import Connection, insert, select

from agent.domain.identity_matching import Certainty
from agent.domain.jobs import JobState
from agent.domain.reference import fit_of
from agent.infrastructure.store import audit_log
from agent.infrastructure.store.album_facts import ALBUM_KINDS
from agent.infrastructure.store.database import Database
from agent.infrastructure.store.fact_values import moment
from agent.infrastructure.store.flags import add
from agent.infrastructure.store.schema import (
    adopted,
    album,
    album_image,
    album_person,
    chip,
    consent,
    embedding,
    face,
    identity,
    ignored,
    image,
    job,
    person,
    place,
    redaction,
    redaction_item,
    rejection,
    undo,
    undo_person,
    unseen,
)

START = datetime(2026, 3, 4, 5, 6, 7, 89, tzinfo=UTC)
NAMES = ("李小梅", "Ada Lovelace", "王国强", "Zoë", "Ünal", "Mei")
ROOT = "/home/ada/Photos"


class MadeLibrary:
    """Fills an empty library; the same seed gives the same rows."""

    def __init__(self, database: Database, seed: int, *, photos: int = 12, prefix: str = "") -> None:
        self._database = database
        self._random = random.Random(seed)
        self._photos = photos
        self._prefix = prefix
        self._ticks = 0
        self.people: list[int] = []
        self.faces: list[int] = []
        self.images: list[int] = []
        self.albums: list[int] = []

    def fill(self) -> MadeLibrary:
        with self._database.write() as tx:
            self._people(tx)
            for number in range(self._photos):
                self._photo(tx, number)
            self._loose(tx)
            self._cover(tx)
            self._redactions(tx)
            self._albums(tx)
            self._steps(tx)
            for number in range(3):
                audit_log.add(tx, "named", f"{number:032x}", number, self._now(), detail="recognise")
        return self

    def _now(self) -> datetime:
        self._ticks += 1
        return START + timedelta(seconds=self._ticks, microseconds=self._random.randrange(1_000_000))

    def _maybe(self, value: Any) -> Any:
        return value if self._random.random() < 0.5 else None

    def _vector(self) -> bytes:
        values = [self._random.gauss(0, 1) for _ in range(192)]
        length = math.sqrt(sum(each * each for each in values))
        return struct.pack("<192f", *(each / length for each in values))

    def _people(self, tx: Connection) -> None:
        for number, name in enumerate(NAMES):
            uid = hashlib.md5(f"{self._prefix}{number}".encode(), usedforsecurity=False).hexdigest()
            facts = {
                "name": name,
                "created_at": self._now(),
                "uid": None if number == 3 else uid,
                "birth_date": date(2014, 3, 9) if number % 2 else None,
                "notes": "对花生过敏" if number % 3 == 0 else "",
                "hidden_at": self._now() if number == 4 else None,
                "never_at": self._now() if number == 5 else None,
                "basis": "family" if number == 1 else None,
                "basis_at": self._now() if number == 1 else None,
                "retention_days": 99 if number == 1 else None,
                "watch_at": self._now() if number == 1 else None,
            }
            self.people.append(add(tx, person, facts))
            if number in (0, 1):
                for state in ("given", "withdrawn", "given"):
                    said = {
                        "person_uid": uid,
                        "purpose": "recognise",
                        "state": state,
                        "basis": "own_consent" if state == "given" else None,
                        "given_on": date(2026, 1, 2),
                        "valid_until": date(2126, 1, 2) if state == "given" else None,
                        "guardian": "Gabriel",
                        "document": "文件柜十二号",
                        "entered_by": "",
                        "entered_at": self._now(),
                    }
                    add(tx, consent, said)

    def _photo(self, tx: Connection, number: int) -> None:
        sha256 = hashlib.sha256(f"{self._prefix}{number}".encode()).hexdigest()
        count = number % 4
        facts = {
            "sha256": sha256,
            "size": 1_000_000 + number,
            "width": 640,
            "height": 480 + number,
            "format": "jpeg",
            "detector": "centerface-2",
            "embedder": "mobilefacenet-2" if number % 5 else None,
            "precision": "f32",
            **{f"ms_{stage}": self._random.random() * 100 for stage in ("decode", "detect", "align", "embed")},
            "indexed_at": self._now(),
            "left_at": self._now() if number == 2 else None,
            "taken_at": datetime(2025, 5, 6, 7, 8) + timedelta(seconds=number),  # noqa: DTZ001 - of a camera
            "face_count": count,
            "hidden_at": self._now() if number == 3 else None,
            "favourite_at": self._now() if number in (1, 5) else None,
        }
        self.images.append(image_id := add(tx, image, facts))
        names = [f"{ROOT}/{self._prefix}{number}-{which}.jpg" for which in range(1 + (number == 7))]
        if number == 6:
            names = [f"{ROOT}/\udcff שלום {self._prefix}图.jpg"]
        for path in names if number != 2 else ():
            self._place(tx, path, image_id, state=JobState.DONE if number % 2 else None)
        for ordinal in range(count):
            self._face(tx, image_id, ordinal)

    def _place(self, tx: Connection, path: str, image_id: int | None, *, state: JobState | None, single: bool = False) -> None:
        facts = {
            "path": path,
            "folder": None if single else ROOT,
            "size": 1_000_000,
            "mtime_ns": 1_700_000_000_123_456_789,
            "image_id": image_id,
            "noted_at": self._now(),
            "missing_since": self._now() if single else None,
        }
        place_id = add(tx, place, facts)
        if state is not None:
            failed = state is JobState.FAILED
            leased = state is JobState.LEASED
            add(
                tx,
                job,
                {
                    "place_id": place_id,
                    "state": state,
                    "priority": 2,
                    "attempts": 1,
                    "lease_until": self._now() if leased else None,
                    "lease_worker": "worker" if leased else None,
                    "error_code": "image.truncated" if failed else None,
                    "error_params": {"found": 3} if failed else None,
                    "changed_at": self._now(),
                },
            )

    def _loose(self, tx: Connection) -> None:
        for number, state in enumerate((JobState.FAILED, JobState.QUARANTINED, JobState.QUEUED, JobState.LEASED, None)):
            self._place(tx, f"{ROOT}/{self._prefix}loose-{number}.jpg", None, state=state)
        self._place(tx, f"/elsewhere/{self._prefix}single.jpg", self.images[1], state=None, single=True)

    def _face(self, tx: Connection, image_id: int, ordinal: int) -> None:
        made = self._random
        size, sharpness = 30 + made.random(), made.random()
        face_id = add(
            tx,
            face,
            {
                "image_id": image_id,
                "ordinal": ordinal,
                "x": 200.0 * ordinal + made.random(),
                "y": made.random() * 99,
                "w": 90.0 + made.random(),
                "h": 90.0 + made.random(),
                **{name: made.random() for name in ("score", "yaw", "roll", "covered")},
                "size": size,
                "sharpness": sharpness,
                "landmarks": [[made.random(), made.random()] for _ in range(5)],
            },
        )
        self.faces.append(face_id)
        kind = len(self.faces) % 6
        who = self.people[len(self.faces) % len(self.people)]
        if kind != 5:
            tx.execute(insert(embedding).values(face_id=face_id, embedder="mobilefacenet-2", vector=self._vector()))
            tx.execute(insert(chip).values(face_id=face_id, jpeg=made.randbytes(900)))
        if kind in (0, 1, 2, 3):
            confirmed = kind != 1
            said = {
                "face_id": face_id,
                "person_id": who,
                "certainty": Certainty.CONFIRMED if confirmed else Certainty.PROBABLE,
                "distance": 0.0 if confirmed else made.random(),
                "agree": 0 if confirmed else 2,
                "refs": 0 if confirmed else 3,
                "confirmed_at": self._now() if confirmed and kind else None,
                "image_id": image_id if confirmed else None,
                "fit": fit_of(size, sharpness) if confirmed else None,
            }
            tx.execute(insert(identity).values(said))
        other = self.people[(len(self.faces) + 1) % len(self.people)]
        if kind in (1, 4):
            tx.execute(insert(rejection).values(face_id=face_id, person_id=other, at=self._now()))
            tx.execute(insert(unseen).values(face_id=face_id, person_id=other, at=self._now()))
        if kind == 5:
            tx.execute(insert(ignored).values(face_id=face_id, reason="user", at=self._now()))
        if kind == 3:
            tx.execute(insert(adopted).values(face_id=face_id, said=f"{face_id:016x}"))

    def _cover(self, tx: Connection) -> None:
        tx.execute(person.update().where(person.c.id == self.people[1]).values(cover_face_id=self.faces[0]))

    def _redactions(self, tx: Connection) -> None:
        wish = {"choice": {"keep": self.people[:2], "only": None, "consented": False}, "strip": True}
        for number, folder in enumerate((None, ROOT)):
            uid = hashlib.md5(f"{self._prefix}copy{number}".encode(), usedforsecurity=False).hexdigest()
            made = add(tx, redaction, {"uid": uid, "at": self._now(), "folder": folder, "wish": wish, "made_by": ""})
            for at in range(2):
                done = at == 0
                facts = {
                    "redaction_id": made,
                    "source": f"{ROOT}/{self._prefix}{at}-0.jpg",
                    "target": f"{ROOT}-safe/{number}-{at}.jpg",
                    "format": "jpeg" if done else None,
                    "state": "done" if done else "failed",
                    "sha256": "a" * 64 if done else None,
                    "copy_sha256": "b" * 64 if done else None,
                    "facts": {"marks": [], "width": 3} if done else None,
                    "doubts": 1,
                    "edited": 1,
                    "error_code": None if done else "copies.disk_full",
                    "error_params": None if done else {"left": 1},
                    "changed_at": self._now(),
                }
                add(tx, redaction_item, facts)

    def _albums(self, tx: Connection) -> None:
        """One by hand, whose order is not that of its photos, and one of people; one of them came from another library."""
        backwards = self.images[::-1]
        by_hand = {"name": "海边 Sea", "created_at": self._now(), "cover_image_id": backwards[1]}
        of_people = {"name": "家人", "created_at": self._now(), "match": "any", "certain": 1, "uid": self._prefix.ljust(32, "a")}
        self.albums = [add(tx, album, by_hand), add(tx, album, of_people)]
        places = [2**32 * at + self._random.randrange(9) for at in range(1, len(backwards) + 1)]
        held = [{"album_id": self.albums[0], "image_id": each, "position": at} for each, at in zip(backwards, places, strict=True)]
        tx.execute(insert(album_image), held)
        tx.execute(insert(album_person), [{"album_id": self.albums[1], "person_id": each} for each in self.people[:2]])

    def _steps(self, tx: Connection) -> None:
        gone = 9_999  # was merged into the first
        when = moment(START)
        mei, ada = self.people[:2]
        person_before = {
            "name": "Gone",
            "created_at": when,
            "uid": "c" * 32,
            "birth_date": None,
            "notes": "",
            "cover_face_id": self.faces[1],
            "hidden_at": None,
            "never_at": None,
            "basis": None,
            "basis_at": None,
            "retention_days": None,
            "watch_at": None,
            "lapsed_at": None,
        }
        sea, removed, image_id = self.albums[0], 7_777, self.images[0]
        sea_now = ALBUM_KINDS["album"].read(tx, [sea])[sea]
        gone_album = sea_now | {"name": "不再需要", "people": [mei], "match": "all", "cover_image_id": self.images[1]}
        held = select(album_image.c.position).where(album_image.c.album_id == sea, album_image.c.image_id == image_id)
        in_sea = [sea, image_id, tx.scalar(held)]
        steps: list[tuple[str, int | None, list[dict[str, Any]], list[int]]] = [
            ("name", mei, [{"fact": "who", "keys": self.faces[:2], "before": None, "after": [mei, when]}], [mei]),
            (
                "merge",
                mei,
                [
                    {"fact": "who", "keys": self.faces[:1], "before": [gone, when], "after": [mei, when]},
                    {"fact": "not", "keys": [[self.faces[2], gone]], "before": when, "after": None},
                    {"fact": "person", "keys": [gone], "before": person_before, "after": None},
                ],
                [mei, gone],
            ),
            ("favourite", None, [{"fact": "favourite", "keys": self.images[:1], "before": None, "after": when}], []),
            ("describe", ada, [{"fact": "cover_face_id", "keys": [ada], "before": self.faces[2], "after": self.faces[0]}], [ada]),
            ("album_changed", None, [{"fact": "album", "keys": [sea], "before": sea_now | {"name": "海"}, "after": sea_now}], []),
            ("album_changed", None, [{"fact": "in_album", "keys": [in_sea], "before": None, "after": 1}], []),
            ("album_removed", None, [{"fact": "album", "keys": [removed], "before": gone_album, "after": None}], [mei]),
            ("lost", None, [{"fact": "lost", "keys": [*self.faces[:1], 8_888], "before": None, "after": None}], []),
        ]
        for number, (action, person_id, changes, people) in enumerate(steps):
            token = f"{self._prefix}token-{number}"
            undone = self._now() if action == "lost" else None
            facts = {"token": token, "at": self._now(), "action": action, "number": 1, "person_id": person_id, "changes": changes}
            made = add(tx, undo, facts | {"undone_at": undone})
            for each in people:
                tx.execute(insert(undo_person).values(undo_id=made, person_id=each))

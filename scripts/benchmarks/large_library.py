"""Fills an empty home with a large library: real files, rows, faces and thumbnails, as if the agent had scanned them all; seeded."""

import hashlib
import io
import os
import random
import shutil
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from itertools import islice
from pathlib import Path
from typing import TypeAlias

from PIL import Image
from sqlalchemy import Table, insert, select

from agent.app.library_home import home_of_key
from agent.domain.jobs import JobState, Priority
from agent.features.library.recipes import EMBEDDER
from agent.features.library.thumbnail_store import ThumbnailFile
from agent.features.library.thumbnails import SIDE
from agent.features.redaction.queries.redaction_queries import RedactionQueries
from agent.infrastructure.core.paths import AppPaths
from agent.infrastructure.core.settings import Settings
from agent.infrastructure.store import schema
from agent.infrastructure.store.database import Database
from agent.infrastructure.store.keys import LibraryKeys
from agent.infrastructure.store.open_library import DATABASE_FILE, open_library
from scripts.setup.pictures import variations

Values: TypeAlias = dict[str, object]

PICTURES = 24  # distinct pictures used by all photos
PHOTO_SIZE = (1200, 900)
FOLDER = 500  # photos per folder
LINKS = 500  # files that share one content on the disk; some file systems allow 1,023
AT_ONCE = 5_000  # rows
FACES, WEIGHTS = (0, 1, 2, 5, 20), (40, 30, 15, 10, 5)
NEWEST = datetime(2026, 1, 1, 12)  # noqa: DTZ001 - a camera's clock knows no zone
NOW = datetime(2026, 1, 2, tzinfo=UTC)
DETECTOR = "centerface-2"


@dataclass(frozen=True, slots=True)
class Picture:
    """A picture that many of the photos show."""

    photo: bytes
    thumbnail: bytes
    width: int
    height: int


def fill(paths: AppPaths, settings: Settings, watched: Path, samples: Path, count: int, prints: Iterator[bytes] | None = None) -> None:
    """Create `count` photos below `watched` and all their records, with these face prints. The home must be empty."""
    home = home_of_key(settings, paths)
    library = RedactionQueries(open_library(paths.library, home))
    try:
        database = Database.in_file(paths.library / DATABASE_FILE, LibraryKeys(paths.library, home).unlock())
        fill_database(database, paths, settings, watched, samples, count, prints)
        database.close()
    finally:
        library.database.close()


def fill_database(
    database: Database,
    paths: AppPaths,
    settings: Settings,
    watched: Path,
    samples: Path,
    count: int,
    prints: Iterator[bytes] | None = None,
    *,
    thumbnails: int | None = None,
) -> None:
    """Do so in an empty library. Only the first `thumbnails` photos, the newest, have one, if that is said."""
    pictures = [_picture(photo) for photo in variations(samples, PICTURES)]
    files = _make_files(watched, pictures, count)
    for table, rows in _rows(watched, files, pictures, recognised=prints is not None).items():
        insert_all(database, table, rows)
    if prints is not None:
        with database.read() as tx:
            ids = tx.scalars(select(schema.face.c.id)).all()
        insert_all(database, schema.embedding, ({"face_id": each, "embedder": EMBEDDER, "vector": next(prints)} for each in ids))
    kept = ThumbnailFile(paths.cache / "thumbnails.db", database.beside, settings.library.thumbnails_mb * 1_000_000)
    for number in reversed(range(count if thumbnails is None else thumbnails)):
        kept.put(_sha256(number), pictures[number % PICTURES].thumbnail)
    kept.close()


def _picture(photo: Image.Image) -> Picture:
    photo.thumbnail(PHOTO_SIZE)
    small = photo.copy()
    small.thumbnail((SIDE, SIDE))
    return Picture(_jpeg(photo), _jpeg(small), *photo.size)


def _jpeg(picture: Image.Image) -> bytes:
    out = io.BytesIO()
    picture.save(out, "JPEG", quality=85)
    return out.getvalue()


def _make_files(watched: Path, pictures: list[Picture], count: int) -> list[Path]:
    """Create the files: unique names, with hard links to shared content."""
    files: list[Path] = []
    sources: dict[int, Path] = {}
    for number in range(count):
        folder = watched / f"{number // FOLDER:04}"
        if number % FOLDER == 0:
            folder.mkdir()
        path = folder / f"IMG_{number:06}.jpg"
        if number // PICTURES % LINKS == 0:
            path.write_bytes(pictures[number % PICTURES].photo)
            sources[number % PICTURES] = path
        else:
            try:
                os.link(sources[number % PICTURES], path)
            except OSError:  # a file system without links
                shutil.copy2(sources[number % PICTURES], path)
        files.append(path)
    return files


def _rows(watched: Path, files: list[Path], pictures: list[Picture], *, recognised: bool) -> dict[Table, Iterator[Values]]:
    """Return the rows. Image, location and job of a photo have the same id, from 1; the newest photo comes first in the library."""
    chance = random.Random(3)
    counts = chance.choices(FACES, WEIGHTS, k=len(files))

    def images() -> Iterator[Values]:
        taken = NEWEST
        for number, path in enumerate(files):
            picture = pictures[number % PICTURES]
            # An afternoon of photos, then some days without any.
            taken -= timedelta(minutes=chance.expovariate(1 / 4)) if chance.random() < 0.98 else timedelta(days=chance.uniform(0.5, 4))
            yield {
                "id": number + 1,
                "sha256": _sha256(number),
                "size": path.stat().st_size,
                "width": picture.width,
                "height": picture.height,
                "format": "jpeg",
                "detector": DETECTOR,
                "embedder": EMBEDDER if recognised else None,
                "precision": "f32",
                "ms_decode": 4.0,
                "ms_detect": 12.0,
                "ms_align": 0.0,
                "ms_embed": 0.0,
                "indexed_at": datetime.now(UTC) if recognised else NOW,  # otherwise the prints would expire
                "taken_at": taken,
                "face_count": counts[number],
            }

    def places() -> Iterator[Values]:
        for number, path in enumerate(files):
            facts = path.stat()
            seen = {"path": str(path), "folder": str(watched), "size": facts.st_size, "mtime_ns": facts.st_mtime_ns}
            yield {"id": number + 1, **seen, "image_id": number + 1, "noted_at": NOW}

    def jobs() -> Iterator[Values]:
        for number in range(len(files)):
            job = {"state": JobState.DONE, "priority": Priority.BACKLOG, "attempts": 1, "changed_at": NOW}
            yield {"id": number + 1, "place_id": number + 1, **job}

    def faces() -> Iterator[Values]:
        for number, count in enumerate(counts):
            picture = pictures[number % PICTURES]
            for ordinal in range(count):
                side = chance.uniform(0.05, 0.2) * picture.width
                x, y = chance.uniform(0, picture.width - side), chance.uniform(0, picture.height - side)
                marks = [
                    [x + side * across, y + side * down] for across, down in ((0.3, 0.4), (0.7, 0.4), (0.5, 0.6), (0.35, 0.8), (0.65, 0.8))
                ]
                box = {"x": x, "y": y, "w": side, "h": side, "score": chance.uniform(0.6, 1), "landmarks": marks}
                yield {
                    "image_id": number + 1,
                    "ordinal": ordinal,
                    **box,
                    "size": side * 0.4,
                    "sharpness": 300.0 if recognised else 90.0,
                    "yaw": 0.0,
                    "roll": 0.0,
                }

    return {schema.image: images(), schema.place: places(), schema.job: jobs(), schema.face: faces()}


def insert_all(database: Database, table: Table, rows: Iterator[Values]) -> None:
    while batch := list(islice(rows, AT_ONCE)):
        with database.write() as tx:
            tx.execute(insert(table), batch)


def _sha256(number: int) -> str:
    return hashlib.sha256(str(number).encode()).hexdigest()

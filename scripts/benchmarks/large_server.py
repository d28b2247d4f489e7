"""A team server's home with a large library: photos, faces, people and names, written through the program's own tables."""

import random
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

from sqlalchemy import select, text

from agent.app.library_home import home_of_key
from agent.app.server.log_files import POSTGRES_LOG
from agent.domain.identity_matching import Certainty
from agent.domain.reference import fit_of
from agent.features.models.model_store import ModelStore
from agent.infrastructure.core.config_file import SettingsFile
from agent.infrastructure.core.paths import AppPaths
from agent.infrastructure.store import schema
from agent.infrastructure.store.database import Database
from agent.infrastructure.store.embedded_postgres import EmbeddedPostgres
from agent.infrastructure.store.server_database import POSTGRES_FOLDER, server_database
from agent.infrastructure.store.worker_key import hand_out
from scripts.benchmarks import synthetic_faces
from scripts.benchmarks.large_library import NOW, Values, fill_database, insert_all
from scripts.program import new_home

PEOPLE, NAMED, CONFIRMED, PROBABLE = 1_000, 0.5, 0.1, 0.1  # shares: of all faces, and of those named
THUMBNAILS = 3_000  # of the newest photos: what 50 members look at


def fill_server(folder: Path, samples: Path, models: ModelStore, count: int) -> tuple[AppPaths, SettingsFile]:
    """Make a home in `folder` with a library of that many photos in the database that the server brings along; it isn't running."""
    watched = folder / "Photos"
    watched.mkdir(parents=True)
    paths, settings = new_home(folder / "home", models, {"recognition.enabled": "true", "consent.required": "never"})
    settings.add_folder(watched)
    postgres = EmbeddedPostgres(paths.data / POSTGRES_FOLDER, paths.logs / POSTGRES_LOG)
    address = postgres.start()
    try:
        database = server_database(address, paths.library, home_of_key(settings.load(), paths))
        hand_out(database, paths.keys)
        fill_database(database, paths, settings.load(), watched, samples, count, _prints(), thumbnails=THUMBNAILS)
        _name(database)
        with database.write() as tx:
            for table in ("image", "place", "job", "person"):  # their rows brought their ids
                tx.execute(text(f"SELECT setval(pg_get_serial_sequence('{table}', 'id'), (SELECT max(id) FROM {table}))"))
            tx.execute(text("ANALYZE"))
        database.close()
    finally:
        postgres.stop()
    return paths, settings


def _prints() -> Iterator[bytes]:
    while True:
        for vectors, _ in synthetic_faces.pages(50_000):
            yield from (row.tobytes() for row in vectors)


def _name(database: Database) -> None:
    """Name a share of the faces, most of them by recognition, with people of very different sizes; each once in a photo."""
    chance = random.Random(4)
    weights = [1 / (1 + number) ** 0.7 for number in range(PEOPLE)]
    people = ({"id": 1 + number, "name": f"Person {number:04}", "created_at": NOW, "uid": f"{number:032x}"} for number in range(PEOPLE))
    insert_all(database, schema.person, people)
    with database.read() as tx:
        faces = tx.execute(select(schema.face.c.id, schema.face.c.image_id, schema.face.c.size).order_by(schema.face.c.id)).all()

    nothing: Values = {"image_id": None, "fit": None, "confirmed_at": None}

    def identities() -> Iterator[Values]:
        there, image = set[int](), 0
        for (face_id, image_id, size), who in zip(faces, chance.choices(range(1, PEOPLE + 1), weights, k=len(faces)), strict=True):
            if image_id != image:
                there, image = set(), image_id
            if chance.random() > NAMED or who in there:
                continue
            there.add(who)
            drawn = chance.random()
            confirmed = drawn < CONFIRMED
            sure = Certainty.CONFIRMED if confirmed else Certainty.PROBABLE if drawn < CONFIRMED + PROBABLE else Certainty.CERTAIN
            at = datetime.now(UTC) - timedelta(days=chance.uniform(0, 300))
            mine = {"image_id": image_id, "fit": fit_of(size, 300.0), "confirmed_at": at} if confirmed else {}
            yield {"face_id": face_id, "person_id": who, "certainty": sure, "distance": 0.8, "agree": 3, "refs": 5} | nothing | mine

    insert_all(database, schema.identity, identities())

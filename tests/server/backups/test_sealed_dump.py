"""What a stolen dump of a team server's database shows."""

import hashlib
import io
from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, date, datetime

import numpy as np
import pytest
from PIL import Image
from sqlalchemy import text

from agent.domain.consent import Consent, ConsentState, Purpose
from agent.domain.edits import Basis, DescribePersonEdit, ImportNamesEdit, NameFacesEdit
from agent.domain.errors import StoreDamaged
from agent.domain.image import FileSeen, Recipe
from agent.domain.jobs import Priority
from agent.features.consent.queries import ConsentQueries
from agent.features.people.vectors.rotation import SecretRotation
from agent.features.people.vectors.service import FaceVectors
from agent.features.people.vectors.vector_rows import VectorIndex, VectorQueries
from agent.infrastructure.store.database import Database
from agent.infrastructure.store.dialects.postgresql import PostgreSql
from agent.infrastructure.store.migrator import upgrade
from agent.infrastructure.store.server_database import secured
from agent.infrastructure.store.worker_key import hand_out, worker_seals
from agent.interfaces.web.access import Role
from agent.server.accounts.queries import MemberQueries
from agent.server.accounts.records import Member
from tests.support.in_process_agent import analysis
from tests.support.postgres_server import ON_SERVER, PostgresServer

NOW = datetime(2026, 1, 1, tzinfo=UTC)
RECIPE = Recipe("centerface-2", "mobilefacenet-2")
# Three bytes would also be among the encrypted ones by chance, in one dump of three hundred.
JPEG = b"\xff\xd8\xff\xe0\x00\x10JFIF"
MEI, ADA = "李小梅", "Ada Lovelace-Byron"
WORDS = (MEI, ADA, "王国强", "Gabriel Vorname", "文件柜十二号", "drawer nineteen", "对花生过敏", "2014-03-09", "mei.li", "李老师")


def picture(number: int) -> bytes:
    made = io.BytesIO()
    pixels = np.random.default_rng(number).integers(0, 255, (112, 112, 3), np.uint8)
    Image.fromarray(pixels).save(made, "JPEG")
    return made.getvalue()


def embedding(number: int) -> bytes:
    vector = np.random.default_rng(number).standard_normal(192).astype("<f4")
    return bytes((vector / np.linalg.norm(vector)).tobytes())


@pytest.fixture(params=ON_SERVER)
def database(postgres: PostgresServer) -> Iterator[Database]:
    made = Database(PostgreSql(postgres.url(postgres.create()), bytes(range(32))))
    upgrade(made)
    yield made
    made.close()


def stored(library: ConsentQueries, number: int) -> int:
    """Store a photo with one face; returns the face's id."""
    path = f"/photos/{number}.jpg"
    library.note_file(FileSeen(path, 1, 1), RECIPE, priority=Priority.NEW, now=NOW)
    [job], _ = library.lease(1, now=NOW, until=NOW)
    found = analysis(path.encode(), RECIPE)
    face = replace(found.faces[0], embedding=embedding(number), chip=picture(number))
    library.commit(job, replace(found, faces=(face,)), now=NOW)
    return library.images(limit=1)[0].faces[0].id


def fill(database: Database) -> ConsentQueries:
    library = ConsentQueries(database)
    first, second, third = (stored(library, number) for number in (1, 2, 3))
    mei = library.edit(NameFacesEdit(face_ids=(first,), name=MEI), now=NOW)[0].person_id
    library.edit(NameFacesEdit(face_ids=(second,), name=ADA), now=NOW)
    library.edit(ImportNamesEdit(names=((third, "Gabriel Vorname"),)), now=NOW)
    assert mei is not None
    library.edit(DescribePersonEdit(person_id=mei, birth_date=date(2014, 3, 9), notes="对花生过敏"), now=NOW)
    said = Consent(
        purpose=Purpose.RECOGNISE,
        state=ConsentState.GIVEN,
        basis=Basis.GUARDIAN,
        given_on=date(2026, 1, 1),
        guardian="王国强",
        document="文件柜十二号",
    )
    library.give_consents(mei, [said], now=NOW, note="n")
    own = replace(said, basis=Basis.OWN_CONSENT, guardian="", document="drawer nineteen")
    library.give_consents(ADA, [own], now=NOW, note="n")
    MemberQueries(database).add(Member("a" * 32, "mei.li", "李老师", Role.CURATOR, NOW, None, None, None, None, None, None))
    return library


def as_dumped(vector: list[float]) -> bytes:
    """The beginning of a vector as the database writes it."""
    written = (np.format_float_positional(np.float16(round(value, 6)).astype(np.float32), unique=True, trim="-") for value in vector[:3])
    return ",".join(written).encode()


async def test_a_dump_shows_no_name_no_picture_and_no_embedding(database: Database, postgres: PostgresServer) -> None:
    library = fill(database)
    secured(database)
    rows, turning = VectorQueries(database), SecretRotation(bytes(range(32)))
    rows.prepare()
    await FaceVectors(rows, turning, VectorIndex(database._engine.url.render_as_string())).follow()
    dump = postgres.dump(database)
    for word in WORDS:
        for encoding in ("utf-8", "utf-16-le", "utf-16-be", "gb18030", "unicode_escape"):
            written = word.encode(encoding)
            assert written not in dump and written.hex().encode() not in dump, (word, encoding)
        digests = [hashlib.sha256(f"{number} {word.casefold()}".encode()).hexdigest()[:16] for number in range(5)]
        assert not any(each.encode() in dump for each in digests), "a digest that guesses can be tried against"
    for number in (1, 2, 3):
        assert picture(number).startswith(JPEG)
        assert picture(number)[:40].hex().encode() not in dump and picture(number)[300:340].hex().encode() not in dump
        assert embedding(number)[:16].hex().encode() not in dump and embedding(number)[400:416].hex().encode() not in dump
        turned = turning.turned(embedding(number))
        assert turned is not None and as_dumped(turned) in dump
        assert as_dumped(np.frombuffer(embedding(number), "<f4").tolist()) not in dump
    assert JPEG.hex().encode() not in dump

    assert [person.name for person in library.people()] == sorted([MEI, ADA, "Gabriel Vorname"])
    kept = sorted(each.embedding for page in library.prints("mobilefacenet-2") for each in page)
    assert kept == sorted(embedding(number) for number in (1, 2, 3))


def test_with_another_key_nothing_opens(database: Database) -> None:
    fill(database)
    other = ConsentQueries(Database(PostgreSql(database._engine.url.render_as_string(), bytes(32))))
    for read in (other.people, lambda: list(other.prints("mobilefacenet-2"))):
        with pytest.raises(StoreDamaged):
            read()
    other.database.close()


def test_the_key_of_workers_opens_faces_and_no_name(database: Database, tmp_path_factory: pytest.TempPathFactory) -> None:
    fill(database)
    keys = tmp_path_factory.mktemp("keys")
    hand_out(database, keys)
    seals = worker_seals(keys)
    worker = ConsentQueries(Database(PostgreSql(database._engine.url.render_as_string(), bytes(32), seals=seals)))
    assert len([each for page in worker.prints("mobilefacenet-2") for each in page]) == 3
    with pytest.raises(RuntimeError, match="no key"):
        worker.people()
    worker.database.close()


def test_a_value_moved_to_another_column_does_not_open(database: Database) -> None:
    """Who can write to the database can't have the program show what it keeps to itself elsewhere."""
    library = fill(database)
    with database.write() as tx:
        tx.execute(text("UPDATE person SET notes = (SELECT guardian FROM consent WHERE guardian <> '') WHERE notes <> ''"))
    with pytest.raises(StoreDamaged):
        for person in library.people():
            library.person(person.id)

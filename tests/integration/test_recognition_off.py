"""Recognition is off until it is switched on, and switched off it leaves no face print behind: looked for in every decrypted page."""

import shutil
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from cryptography.hazmat.primitives.ciphers import Cipher
from cryptography.hazmat.primitives.ciphers.algorithms import AES
from cryptography.hazmat.primitives.ciphers.modes import CBC
from PIL import Image
from sqlalchemy import func, select

from agent.adapters.keys import LibraryKeys
from agent.adapters.store import SqliteLibrary, schema
from agent.adapters.store.engine import Database
from agent.bootstrap import home_of_key
from agent.domain.events import Recorded

if TYPE_CHECKING:
    from tests.program import RealProgram

PAGE, RESERVED, SALT = 4096, 80, 16  # SQLCipher 4: the initialisation vector and the HMAC stand at a page's end
LOG_HEADER, FRAME_HEADER = 32, 24
NAME = "Somebody Remarkable"


@pytest.fixture
def bare_program(program: "RealProgram", models_folder: Path) -> "RealProgram":
    """The program with no model but the detector."""
    models = program.paths.data / "models"
    models.unlink()
    for part in ("centerface", "ir"):
        if (models_folder / part).exists():
            shutil.copytree(models_folder / part, models / part)
    return program


@pytest.mark.slow
def test_off_nothing_is_computed_and_switched_off_nothing_is_left(
    bare_program: "RealProgram", models_folder: Path, photo: Callable[[int], Image.Image]
) -> None:
    program = bare_program
    for number in range(4):
        photo(number).save(program.watched / f"{number}.jpg")

    # Off, as it is at first: faces, but nothing to recognise them by, and no model that could.
    program.start()
    assert program.settled(4).faces == 6
    assert _rows(program) == {"embedding": 0, "chip": 0, "identity": 0}
    assert {path.name for path in (program.paths.data / "models").iterdir() if path.is_dir()} == {"centerface", "ir"}

    # On, by the settings file.
    shutil.copytree(models_folder / "mobilefacenet", program.paths.data / "models" / "mobilefacenet")
    program.file.set("recognition.enabled", "true")
    program.until(lambda status: status.recognition and not status.queued)
    assert _rows(program) == {"embedding": 6, "chip": 6, "identity": 0}
    face = program.images()["2.jpg"].faces[0]
    with program.client() as client:
        client.post_json("/api/people", {"face_id": face.id, "name": NAME})
    assert _rows(program)["identity"] > 1, "others of the same person are recognised"
    assert program.run("backup", "create").returncode == 0
    prints = _prints(program)
    assert all(_left(program, [print]) for print in prints), "what is looked for below can be found"

    # Off again.
    program.file.set("recognition.enabled", "false")
    program.until(lambda status: not status.recognition and not _left(program, prints))
    assert _rows(program) == {"embedding": 0, "chip": 0, "identity": 1}
    assert {word.event.__class__.__name__ for word in _events(program)} >= {"RecognitionPurged"}
    assert {image.faces[0].certainty for image in program.images().values()} <= {None, "confirmed"}, "opinions went, the user's word stays"
    program.quit()
    assert not _left(program, prints)
    assert _rows(program) == {"embedding": 0, "chip": 0, "identity": 1}


def _left(program: "RealProgram", prints: list[bytes]) -> bool:
    """Whether anything of a face print or a chip can still be found on the disk."""
    return any(print in page for page in _pages(program) for print in prints)


def _key(program: "RealProgram") -> bytes:
    return LibraryKeys(program.paths.library, home_of_key(program.file.load(), program.paths)).unlock()


def _rows(program: "RealProgram") -> dict[str, int]:
    database = Database(program.paths.library / "library.db", _key(program), read_only=True)
    try:
        with database.read() as tx:
            return {
                table.name: tx.scalar(select(func.count()).select_from(table)) or 0
                for table in (schema.embedding, schema.chip, schema.identity)
            }
    finally:
        database.close()


def _prints(program: "RealProgram") -> list[bytes]:
    """Every face print, and the middle of every chip; long values may be cut at a page's edge, so a piece stands for the whole."""
    database = Database(program.paths.library / "library.db", _key(program), read_only=True)
    try:
        with database.read() as tx:
            vectors = tx.scalars(select(schema.embedding.c.vector)).all()
            chips = tx.scalars(select(schema.chip.c.jpeg)).all()
    finally:
        database.close()
    return [vector[:64] for vector in vectors] + [chip[700:732] for chip in chips]


def _events(program: "RealProgram") -> list[Recorded]:
    library = SqliteLibrary(program.paths.library / "library.db", _key(program))
    try:
        return library.events(after=0, limit=1000)
    finally:
        library.close()


def _pages(program: "RealProgram") -> Iterator[bytes]:
    """Every page in the clear, also those no table uses any more: of the database, its write-ahead log, and the backups."""
    key = _key(program)
    folder = program.paths.library
    for database in [folder / "library.db", *folder.rglob("backups/*/library.db")]:
        content = database.read_bytes()
        yield _clear(key, content[SALT:PAGE])
        for start in range(PAGE, len(content), PAGE):
            yield _clear(key, content[start : start + PAGE])
    log = folder / "library.db-wal"
    frames = log.read_bytes()[LOG_HEADER:] if log.exists() else b""
    for start in range(0, len(frames), FRAME_HEADER + PAGE):
        page = frames[start + FRAME_HEADER : start + FRAME_HEADER + PAGE]
        number = int.from_bytes(frames[start : start + 4], "big")
        yield _clear(key, page[SALT:] if number == 1 else page)


def _clear(key: bytes, page: bytes) -> bytes:
    if len(page) < RESERVED:
        return b""
    vector = page[-RESERVED : -RESERVED + 16]
    decryptor = Cipher(AES(key), CBC(vector)).decryptor()
    return decryptor.update(page[:-RESERVED]) + decryptor.finalize()

"""What of people can still be found on the disk: looked for in every decrypted page, also those that no table uses any more."""

from collections.abc import Iterator, Sequence

from cryptography.hazmat.primitives.ciphers import Cipher
from cryptography.hazmat.primitives.ciphers.algorithms import AES
from cryptography.hazmat.primitives.ciphers.modes import CBC
from sqlalchemy import func, select

from agent.app.library_home import home_of_key
from agent.domain.events import StoredEvent
from agent.features.redaction.queries.redaction_queries import RedactionQueries
from agent.infrastructure.store import schema
from agent.infrastructure.store.database import Database
from agent.infrastructure.store.keys import LibraryKeys
from agent.infrastructure.store.migrator import open_database
from tests.support.real_program import RealProgram

PAGE, RESERVED, SALT = 4096, 80, 16  # SQLCipher 4: the initialisation vector and the HMAC stand at a page's end
LOG_HEADER, FRAME_HEADER = 32, 24


def left(program: RealProgram, traces: Sequence[bytes]) -> bool:
    """Whether any of these bytes can still be found."""
    return any(trace in page for page in pages(program) for trace in traces)


def key_of(program: RealProgram) -> bytes:
    return LibraryKeys(program.paths.library, home_of_key(program.file.load(), program.paths)).unlock()


def rows(program: RealProgram) -> dict[str, int]:
    database = Database.in_file(program.paths.library / "library.db", key_of(program), read_only=True)
    try:
        with database.read() as tx:
            return {
                table.name: tx.scalar(select(func.count()).select_from(table)) or 0
                for table in (schema.embedding, schema.chip, schema.identity)
            }
    finally:
        database.close()


def prints(program: RealProgram) -> list[bytes]:
    """Every face print, and the middle of every chip; long values may be cut at a page's edge, so a piece stands for the whole."""
    database = Database.in_file(program.paths.library / "library.db", key_of(program), read_only=True)
    try:
        with database.read() as tx:
            vectors = tx.scalars(select(schema.embedding.c.vector)).all()
            chips = tx.scalars(select(schema.chip.c.jpeg)).all()
    finally:
        database.close()
    return [vector[:64] for vector in vectors] + [chip[700:732] for chip in chips]


def events(program: RealProgram) -> list[StoredEvent]:
    library = RedactionQueries(open_database(program.paths.library / "library.db", key_of(program)))
    try:
        return library.events(after=0, limit=1000)
    finally:
        library.database.close()


def pages(program: RealProgram) -> Iterator[bytes]:
    """Every page in the clear, also those no table uses any more: of the database, its write-ahead log, backups and copies put aside."""
    key = key_of(program)
    folder = program.paths.library
    # The log first: what is moved from it into the file in between is then seen twice, and not missed.
    try:
        frames = (folder / "library.db-wal").read_bytes()[LOG_HEADER:]
    except FileNotFoundError:
        frames = b""
    # Whole ones only, here and below: the last one may be half written this moment.
    for start in range(0, len(frames) - FRAME_HEADER - PAGE + 1, FRAME_HEADER + PAGE):
        page = frames[start + FRAME_HEADER : start + FRAME_HEADER + PAGE]
        number = int.from_bytes(frames[start : start + 4], "big")
        yield clear(key, page[SALT:] if number == 1 else page)
    # Not with rglob, which fails if a folder goes while it looks into it.
    aside = [*folder.glob("backups/*/library.db"), *folder.glob("damaged-*/library.db"), *folder.glob("library.db.before-*")]
    for database in [folder / "library.db", *aside]:
        try:
            content = database.read_bytes()
        except FileNotFoundError:
            if database.parent == folder and database.suffix == ".db":
                raise
            continue  # replaced or deleted meanwhile: the next look reads what took its place
        for start in range(0, len(content) - PAGE + 1, PAGE):
            yield clear(key, content[SALT:PAGE] if start == 0 else content[start : start + PAGE])


def clear(key: bytes, page: bytes) -> bytes:
    vector = page[-RESERVED : -RESERVED + 16]
    decryptor = Cipher(AES(key), CBC(vector)).decryptor()
    return decryptor.update(page[:-RESERVED]) + decryptor.finalize()

"""Small pictures on disk: bounded, encrypted, and no loss when they are lost."""

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from structlog.testing import capture_logs

from agent.domain.errors import StoreDiskFull
from agent.features.library import thumbnail_store
from agent.features.library.thumbnail_store import ThumbnailFile
from agent.infrastructure.store.database import Database

Make = Callable[[int], ThumbnailFile]
PICTURE = b"\xff\xd8" + bytes(range(256)) * 4  # 1026 bytes


def sha(number: int) -> str:
    return f"{number:064x}"


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "cache" / "thumbnails.db"


@pytest.fixture
def make(path: Path, library_key: bytes) -> Iterator[Make]:
    """Opens the file; the argument is its bound in bytes."""
    made: list[ThumbnailFile] = []

    def open_file(max_bytes: int = 10**9) -> ThumbnailFile:
        made.append(ThumbnailFile(path, lambda at: Database.in_file(at, library_key, shrinks=True), max_bytes))
        return made[-1]

    with capture_logs():
        yield open_file
    for each in made:
        each.close()


def test_what_is_put_is_had_again_also_after_a_restart(make: Make) -> None:
    first = make(10**9)
    assert first.get(sha(1)) is None
    first.put(sha(1), PICTURE)
    first.put(sha(1), PICTURE + b"new")
    assert first.get(sha(1)) == PICTURE + b"new"
    first.close()
    assert make(10**9).get(sha(1)) == PICTURE + b"new"


def test_nothing_of_it_lies_open_on_the_disk(make: Make, path: Path) -> None:
    digest = "5ad0" * 16
    make(10**9).put(digest, PICTURE)
    for file in path.parent.iterdir():
        assert PICTURE[:64] not in file.read_bytes() and bytes.fromhex(digest) not in file.read_bytes()


def test_those_used_longest_ago_make_room(make: Make) -> None:
    file = make(10 * len(PICTURE))
    for number in range(10):
        file.put(sha(number), PICTURE)
    assert file.get(sha(0)) is not None
    file.put(sha(10), PICTURE)
    there = {number for number in range(11) if file.get(sha(number)) is not None}
    assert {0, 10} <= there and 1 not in there and len(there) <= 10


def test_uses_are_remembered_over_a_restart(make: Make) -> None:
    file = make(10**9)
    for number in range(10):
        file.put(sha(number), PICTURE)
    file.get(sha(0))
    file.close()
    file = make(3 * len(PICTURE))
    file.put(sha(10), PICTURE)
    assert file.get(sha(0)) is not None and file.get(sha(1)) is None


def test_many_reads_write_their_uses_down_now_and_then(make: Make, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(thumbnail_store, "_UNWRITTEN_USES", 16)
    file = make(10**9)
    for number in range(20):
        file.put(sha(number), b"small")
    for number in range(20):
        assert file.get(sha(number)) == b"small"
    assert len(file._used) < 16


def test_a_lower_bound_counts_at_once_and_gives_the_disk_back(make: Make, path: Path) -> None:
    file = make(10**9)
    for number in range(40):
        file.put(sha(number), PICTURE * 40)
    file._opened().flush()
    before = path.stat().st_size
    file.bound(len(PICTURE) * 40 * 5)
    assert path.stat().st_size < before / 3
    assert file.get(sha(39)) is not None and file.get(sha(0)) is None


def test_those_of_images_that_are_no_more_are_deleted(make: Make) -> None:
    file = make(10**9)
    for number in range(3):
        file.put(sha(number), PICTURE)
    file.keep_only({sha(1), sha(7)})
    assert [file.get(sha(number)) is not None for number in range(3)] == [False, True, False]


@pytest.mark.parametrize("damage", ["noise", "half", "another key"])
def test_a_damaged_file_is_begun_anew(make: Make, path: Path, damage: str) -> None:
    file = make(10**9)
    for number in range(20):
        file.put(sha(number), PICTURE * 4)
    file.close()
    content = path.read_bytes()
    if damage == "another key":
        path.unlink()
        other = ThumbnailFile(path, lambda at: Database.in_file(at, bytes(32)), 10**9)
        other.put(sha(1), PICTURE)
        other.close()
    else:
        path.write_bytes(b"noise" * 5_000 if damage == "noise" else content[:4096] + bytes(len(content) - 4096))
    file = make(10**9)
    assert [file.get(sha(number)) for number in range(20)] == [None] * 20
    file.put(sha(1), PICTURE)
    assert file.get(sha(1)) == PICTURE


def test_a_full_disk_and_a_folder_that_cant_be_are_no_trouble(make: Make, path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def full(*_: object, **__: object) -> None:
        raise StoreDiskFull

    with monkeypatch.context() as patched:
        patched.setattr(Database, "write", full)
        file = make(10**9)
        file.put(sha(1), PICTURE)
        assert file.get(sha(1)) is None
    for left in path.parent.iterdir():
        left.unlink()
    path.parent.rmdir()
    path.parent.write_text("a file in the folder's stead")
    file.put(sha(1), PICTURE)
    assert file.get(sha(1)) is None

"""When the library is read whole by a command, and what the next one knows of it."""

import os
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from agent.infrastructure.store.database import Database
from agent.infrastructure.store.integrity import SMALL_BYTES, Soundness
from agent.infrastructure.store.open_library import DATABASE_FILE


class FakeDatabase(Database):
    def __init__(self, *, sound: bool) -> None:
        self._sound = sound

    def sound(self) -> bool:
        return self._sound


@pytest.fixture
def database(tmp_path: Path) -> Path:
    (tmp_path / DATABASE_FILE).write_bytes(b"pages")
    os.utime(tmp_path / DATABASE_FILE, (1_000_000, 1_000_000))
    return tmp_path / DATABASE_FILE


def test_one_look_a_day_is_enough(database: Path) -> None:
    soundness = Soundness(database.parent)
    now = datetime.now(UTC)
    assert soundness.due(now)
    assert soundness.look(FakeDatabase(sound=True))
    assert not soundness.damaged and not soundness.due(now + timedelta(minutes=1))
    assert soundness.due(now + timedelta(hours=25)) and soundness.due(now - timedelta(hours=2)), "also where the clock was set back"
    soundness.forget()
    assert soundness.due(now)


def test_a_small_library_is_looked_at_whenever_it_changed(database: Path) -> None:
    soundness = Soundness(database.parent)
    soundness.look(FakeDatabase(sound=True))
    soon = datetime.now(UTC) + timedelta(minutes=1)
    os.utime(database, (soon.timestamp(), soon.timestamp()))
    assert soundness.due(soon)
    os.truncate(database, SMALL_BYTES + 1)
    os.utime(database, (soon.timestamp(), soon.timestamp()))
    assert not soundness.due(soon)


def test_damage_is_remembered_and_looked_for_again_each_time(database: Path) -> None:
    soundness = Soundness(database.parent)
    assert not soundness.look(FakeDatabase(sound=False))
    assert soundness.damaged and soundness.due(datetime.now(UTC))
    assert soundness.look(FakeDatabase(sound=True))
    assert not soundness.damaged

"""Pieces of the log that were given up are noticed once, also over a restart."""

import json
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from agent.infrastructure.core.log_rotation import rotate
from agent.infrastructure.core.program_settings import LogSettings
from agent.server.backups.wal_gaps import WalGapLog

NOW = datetime(2026, 11, 29, 12, 0, tzinfo=UTC)
DROPPED = "P00   WARN: dropped WAL file '000000010000000000000004' because archive queue exceeded 128MB\n"


class Told:
    """A log that is followed at another time each time."""

    def __init__(self, folder: Path) -> None:
        self.messages = folder / "postgres.log"
        self.mark = folder / "mark"
        self._now = NOW
        self.restart()

    def restart(self) -> None:
        self.log = WalGapLog(self.messages, self.mark, lambda: self._now)

    def after(self, *lines: str) -> datetime | None:
        with self.messages.open("a", encoding="utf-8") as file:
            file.writelines(lines)
        self._now += timedelta(minutes=1)
        self.log.follow()
        return self.log.at()


@pytest.fixture
def told(tmp_path: Path) -> Told:
    return Told(tmp_path)


def test_nothing_was_given_up_before_there_are_messages(told: Told) -> None:
    told.log.follow()
    assert told.log.at() is None


def test_what_is_given_up_is_noticed_once(told: Told) -> None:
    assert told.after("LOG:  checkpoint complete\n") is None
    assert told.after("LOG:  archive command failed\n", DROPPED, DROPPED) == NOW + timedelta(minutes=2)
    assert told.after("LOG:  checkpoint complete\n") == NOW + timedelta(minutes=2)
    told.restart()
    assert told.after() == NOW + timedelta(minutes=2), "how far it was read is kept"
    assert told.after(DROPPED) == NOW + timedelta(minutes=5)


def test_a_line_that_is_being_written_is_read_when_it_is_whole(told: Told) -> None:
    assert told.after(DROPPED[:20]) is None
    assert told.after(DROPPED[20:]) == NOW + timedelta(minutes=2)


def test_messages_that_begin_anew_are_read_from_their_start(told: Told) -> None:
    assert told.after("LOG:  checkpoint complete\n" * 20) is None
    told.messages.unlink()
    assert told.after(DROPPED) == NOW + timedelta(minutes=2)


def test_what_was_given_up_while_no_server_looked_is_noticed_at_its_next_start(told: Told) -> None:
    assert told.after(DROPPED) == NOW + timedelta(minutes=1)
    with told.messages.open("a", encoding="utf-8") as file:
        file.write(DROPPED)
    told.restart()
    assert told.after() == NOW + timedelta(minutes=2)


def rotated(told: Told) -> None:
    told.messages.write_bytes(told.messages.read_bytes() + b"x" * 2**20 + b"\n")
    assert rotate(told.messages, LogSettings(max_mb=1))


def test_what_was_said_just_before_a_rotation_is_noticed(told: Told) -> None:
    assert told.after("12:00:00.001 LOG:  checkpoint complete\n") is None
    with told.messages.open("a", encoding="utf-8") as file:
        file.write(DROPPED)
    rotated(told)
    assert told.after("12:00:00.002 LOG:  checkpoint complete\n") == NOW + timedelta(minutes=2)
    assert told.after(DROPPED) == NOW + timedelta(minutes=3)


def test_what_was_noticed_is_not_noticed_again_after_a_rotation_and_a_restart(told: Told) -> None:
    assert told.after(DROPPED) == NOW + timedelta(minutes=1)
    rotated(told)
    told.restart()
    assert told.after("LOG:  checkpoint complete\n" * 20) == NOW + timedelta(minutes=1)
    assert told.after(DROPPED) == NOW + timedelta(minutes=3)


def test_a_mark_of_an_earlier_version_is_understood(told: Told) -> None:
    told.messages.write_text(DROPPED, encoding="utf-8")
    told.mark.write_text(json.dumps({"at": NOW.isoformat(), "read": len(DROPPED)}))
    assert told.after("LOG:  checkpoint complete\n") == NOW
    assert told.after(DROPPED) == NOW + timedelta(minutes=2)


def test_after_a_clock_that_was_ahead_it_was_now(told: Told) -> None:
    """Otherwise every backup would be followed by another one at once, until that date."""
    told.after(DROPPED)
    told.mark.write_text(told.mark.read_text().replace("2026", "2027"))
    assert told.after() == NOW + timedelta(minutes=2)
    assert told.after() == NOW + timedelta(minutes=2)
    assert told.after(DROPPED) == NOW + timedelta(minutes=4)

"""What comes of the doctor's checks, and what it says of the engine's walls."""

from dataclasses import replace
from typing import cast

import pytest

from agent.app.health import Finding, examine, to_file
from agent.domain.errors import DatabaseUnreachable, EngineOpen, FilingDue, NoTray, SettingsUnreadable, StoreDiskFull
from agent.features.people.legal_thresholds import FILING_PEOPLE
from agent.features.redaction.queries.redaction_queries import RedactionQueries
from agent.inference.engine.sandbox.report import Sandbox

WHOLE = Sandbox(files=True, writes=True, network=True, programs=True, by="bricks")


def test_one_check_that_fails_keeps_no_other_from_being_made() -> None:
    def full() -> str:
        raise StoreDiskFull

    def absent() -> str:
        raise NoTray

    def broken() -> str:
        raise ZeroDivisionError

    found = examine({"disk": full, "tray": absent, "key": broken, "models": lambda: "there"})
    assert [(each.name, each.state, each.text) for each in found] == [
        ("disk", "failed", ""),
        ("tray", "absent", ""),
        ("key", "failed", ""),
        ("models", "ok", "there"),
    ]
    assert found[2].error is not None and found[2].error.params == {"kind": "ZeroDivisionError"}


def test_settings_that_can_not_be_read_are_said_once_though_much_stands_on_them() -> None:
    def unreadable() -> str:
        raise SettingsUnreadable(line=3)

    found = examine({"settings": unreadable, "key": unreadable, "disk": lambda: "82 GB"})
    assert [each.name for each in found] == ["settings", "disk"]


@pytest.mark.parametrize(("error", "told"), [(StoreDiskFull, ["library", "models"]), (KeyError, ["library", "filing", "models"])])
def test_the_same_failure_is_told_once_unless_it_is_an_unexpected_one(error: type[Exception], told: list[str]) -> None:
    def failing() -> str:
        raise error

    found = examine({"library": failing, "filing": failing, "models": lambda: "there"})
    assert [each.name for each in found] == told


def test_a_database_that_gives_no_answer_is_not_waited_for_twice() -> None:
    asked: list[str] = []

    def silent(name: str) -> str:
        asked.append(name)
        raise DatabaseUnreachable(slow=1)

    found = examine({"library": lambda: silent("library"), "filing": lambda: silent("filing"), "models": lambda: "there"})
    assert [each.name for each in found] == ["library", "models"] and asked == ["library"]


def test_a_wall_that_stands_says_what_it_is_made_of() -> None:
    assert WHOLE.check() == "bricks"


@pytest.mark.parametrize(
    ("wall", "gap"),
    [
        (Sandbox(), "both"),
        (replace(WHOLE, files=False), "files"),
        (replace(WHOLE, writes=False), "files"),
        (replace(WHOLE, network=False), "network"),
        (replace(WHOLE, programs=False), "network"),
    ],
)
def test_a_gap_is_named_and_is_no_failure_but_a_warning_where_files_lie_open(wall: Sandbox, gap: str) -> None:
    with pytest.raises(EngineOpen) as caught:
        wall.check()
    assert caught.value.params == {gap: 1}
    assert Finding("wall", error=caught.value).state == ("absent" if gap == "network" else "warning")


@pytest.mark.parametrize(("people", "due"), [(FILING_PEOPLE - 1, False), (FILING_PEOPLE, True)])
def test_the_duty_to_file_is_told_once_so_many_people_are_kept_and_is_no_failure(people: int, due: bool) -> None:
    class Kept:
        def people_kept(self, *, least: int) -> int:
            assert least == FILING_PEOPLE, "looked at closely only where there may be so many"
            return people

    told = to_file(cast(RedactionQueries, Kept()))
    assert (told is not None) is due
    if told is not None:
        assert told.params == {"people": people, "days": 30}
        assert Finding("filing", error=told).state == "absent" and isinstance(told, FilingDue)

"""Alerts of the team's server are told once, those of a quiet time later, and a refusal only means to ask rarely."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

import pytest

from agent.desktop.team_client.records import Link
from agent.desktop.team_client.team_alerts import FILE, NEXT_S, RARELY_S, WAITING_S, NotifiedAlerts, TeamAlerts, Told
from agent.domain.errors import AgentError, Forbidden, NotFound, SignInRequired, TeamUnreachable
from agent.domain.severity import Severity
from agent.interfaces.web.desk_exchange import DeskAlert, DeskAlerts

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

LINK = Link("ab" * 16, "https://photos.example:8443", "photos", "AB:CD", "PEM", "mei", may_name=True)


class Over(BaseException):
    """The end of a run in a test."""


class Around:
    """The server and the one who tells, over so many questions."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.answers: list[list[int] | AgentError | None] = []
        """the alerts that fire, or what the server refuses with; None: the member may not see them"""
        self.quiet: set[int] = set()
        self.asked: list[int] = []
        self.told: list[int] = []
        self.rests: list[float] = []

    async def alerts(self, after: int) -> DeskAlerts:
        self.asked.append(after)
        answer = self.answers.pop(0)
        if isinstance(answer, AgentError):
            raise answer
        if answer is None:
            return DeskAlerts(watched=False)
        firing = [each for each in sorted(answer, reverse=True) if each > after]
        severity = Severity.WARNING
        return DeskAlerts(
            watched=True, items=tuple(DeskAlert(id=each, source="server", name="disk-low", severity=severity, number=4) for each in firing)
        )

    async def tell(self, link: Link, alerts: Sequence[DeskAlert]) -> list[int]:
        assert link == LINK
        said = sorted(each.id for each in alerts if each.id not in self.quiet)
        self.told += said
        return said

    async def rest(self, seconds: float) -> None:
        self.rests.append(seconds)
        if not self.answers:
            raise Over

    async def after(self, *answers: list[int] | AgentError | None, link: Link = LINK) -> None:
        """A run of the desktop, in which the server answers so."""
        self.answers, self.asked, self.rests = list(answers), [], []
        with pytest.raises(Over):
            await TeamAlerts(NotifiedAlerts(self.folder), self.tell, self.rest).run(link, self)  # type: ignore[arg-type]


@pytest.fixture
def around(tmp_path: Path) -> Around:
    return Around(tmp_path)


async def test_each_alert_is_told_once_also_over_a_restart(around: Around) -> None:
    await around.after([1, 2], [1, 2, 3], [3])
    assert around.told == [1, 2, 3] and around.asked == [0, 2, 3] and around.rests == [NEXT_S] * 3
    await around.after([2, 3], [2, 3, 4])
    assert around.told == [1, 2, 3, 4] and around.asked == [3, 3]


async def test_what_waits_for_the_end_of_a_quiet_time_is_told_then_if_it_still_fires(around: Around) -> None:
    around.quiet = {2, 4}
    await around.after([1, 2, 3, 4])
    assert around.told == [1, 3] and around.rests == [WAITING_S]
    await around.after([1, 2, 3, 4, 5])
    assert around.told == [1, 3, 5] and around.asked == [1]
    around.quiet = set()
    await around.after([1, 3, 4, 5], [1, 3, 4, 5, 6])
    assert around.told == [1, 3, 5, 4, 6] and around.asked == [1, 5], "2 is over"


@pytest.mark.parametrize("answer", [None, Forbidden(scope="people.recognise"), NotFound()])
async def test_a_member_who_may_not_see_them_and_an_older_server_are_asked_rarely(around: Around, answer: AgentError | None) -> None:
    await around.after(answer, [1])
    assert around.rests == [RARELY_S, NEXT_S] and around.told == [1]


async def test_a_server_out_of_reach_is_asked_again_later_and_later(around: Around) -> None:
    await around.after(TeamUnreachable(), TeamUnreachable(), SignInRequired(), [1], TeamUnreachable())
    assert around.rests == [1, 2, 4, NEXT_S, 1] and around.told == [1]


async def test_a_file_that_cannot_be_written_repeats_nothing_while_it_runs(around: Around) -> None:
    around.folder = around.folder / "missing"
    await around.after([1], [1, 2])
    assert around.told == [1, 2]


async def test_another_server_and_a_damaged_file_begin_anew(around: Around) -> None:
    kept = NotifiedAlerts(around.folder)
    kept.write("cd" * 16, Told(7, frozenset({9})))
    assert kept.read("cd" * 16) == Told(7, frozenset({9}))
    await around.after([1])
    assert around.told == [1]
    for damaged in ("", "[]", '{"uid": 1}'):
        (around.folder / FILE).write_text(damaged, encoding="utf-8")
        assert await asyncio.to_thread(kept.read, LINK.uid) == Told()


async def test_leaving_the_server_deletes_it(around: Around) -> None:
    await around.after([1])
    assert (around.folder / FILE).exists()
    await TeamAlerts(NotifiedAlerts(around.folder), around.tell).forget()
    assert not (around.folder / FILE).exists()

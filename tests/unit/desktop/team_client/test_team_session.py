"""A server that was left, and what it answers to that: it may be away for ever, broken, or hostile."""

from __future__ import annotations

import asyncio
from contextlib import asynccontextmanager
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any, cast

import pytest

from agent.desktop.team_client.records import Link
from agent.desktop.team_client.team_session import TeamSession
from agent.desktop.team_client.team_tokens import Leaving, TeamTokens
from agent.infrastructure.store.secret_stores import FileSecretStore
from agent.interfaces.web.desk_photos import RemovedOfDesk

if TYPE_CHECKING:
    from collections.abc import AsyncIterator
    from pathlib import Path

    from agent.desktop.team_client.connection import TeamConnection

NOW = datetime(2026, 1, 1, tzinfo=UTC)
LINK = Link("ab" * 16, "https://photos.example", "photos", "AB:CD", "PEM", "mei", may_name=True)


class Server:
    """Answers each request for the next part of a removal."""

    def __init__(self, *answers: RemovedOfDesk | None) -> None:
        self.answers = [*answers]
        self.left = False
        self.asked = 0

    @asynccontextmanager
    async def connect(self, *_: str) -> AsyncIterator[TeamConnection]:
        yield cast("TeamConnection", self)

    async def call(self, *_: Any, **__: Any) -> RemovedOfDesk:
        """The last answer is repeated for ever; None never comes."""
        self.asked += 1
        assert self.asked < 100, "asked without end"
        answer = self.answers.pop(0) if len(self.answers) > 1 else self.answers[0]
        if answer is None:
            await asyncio.Event().wait()
        return cast("RemovedOfDesk", answer)

    async def leave(self) -> None:
        self.left = True


def removed(photos: int, *, more: bool) -> RemovedOfDesk:
    return RemovedOfDesk(photos=photos, results=0, stays=0, more=more)


@pytest.fixture
def tokens(tmp_path: Path) -> TeamTokens:
    made = TeamTokens(lambda: FileSecretStore(tmp_path / "keys"), tmp_path)
    made.write(LINK.uid, "token")
    return made


async def test_what_was_sent_is_removed_in_parts_and_the_token_ends(tokens: TeamTokens) -> None:
    server = Server(removed(2, more=True), removed(1, more=True), removed(0, more=False))
    line = TeamSession(tokens, server.connect, lambda: NOW)
    assert await line.revoke(await line.note_leaving(LINK, remove=True)) == removed(3, more=False)
    assert server.left and tokens.leaving() is None and tokens.read(LINK.uid) is None


async def test_a_server_that_says_there_is_more_and_names_nothing_is_not_asked_again_and_again(tokens: TeamTokens) -> None:
    server = Server(removed(2, more=True), removed(0, more=True))
    line = TeamSession(tokens, server.connect, lambda: NOW)
    assert await line.revoke(await line.note_leaving(LINK, remove=True)) is None, "not confirmed"
    assert server.asked == 2


async def test_a_server_that_never_answers_holds_up_no_other_team(tokens: TeamTokens) -> None:
    line = TeamSession(tokens, Server(None).connect, lambda: NOW)
    line.try_s = 0
    await line.note_leaving(LINK, remove=True)
    assert not await line.notify_left()
    assert not line.ending.locked() and tokens.leaving() is not None


async def test_a_server_that_stays_away_for_a_month_is_given_up(tokens: TeamTokens) -> None:
    now = NOW
    line = TeamSession(tokens, Server(removed(0, more=True)).connect, lambda: now)
    await line.note_leaving(LINK, remove=True)
    now += timedelta(days=29)
    assert not await line.notify_left()
    now += timedelta(days=2)
    assert await line.notify_left(), "nothing is left to be told"
    assert tokens.leaving() is None and tokens.read(LINK.uid) is None


async def test_a_month_is_counted_anew_where_an_earlier_version_noted_no_time(tokens: TeamTokens) -> None:
    tokens.note_leaving(Leaving(LINK.uid, LINK.address, LINK.authority, remove=True))
    line = TeamSession(tokens, Server(removed(0, more=True)).connect, lambda: NOW)
    assert not await line.notify_left()
    left = tokens.leaving()
    assert left is not None and left.since == NOW.timestamp()


def test_no_server_removes_fewer_than_none() -> None:
    with pytest.raises(ValueError, match="greater than or equal to 0"):
        removed(-1, more=False)

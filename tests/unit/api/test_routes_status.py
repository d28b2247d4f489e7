"""The Status page's routes, over the whole API with a library behind it and an analyser that is never asked."""

from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from unittest.mock import AsyncMock, MagicMock

import httpx
import pytest

from agent.adapters.store import SqliteLibrary
from agent.api.auth import Auth
from agent.api.context import Context
from agent.api.http import create_app
from agent.app.lifecycle import App, Backups
from agent.domain.errors import AgentError, EngineCrashed, ImageMissing, ImageTooLarge, ImageTruncated, ImageUnreadable
from agent.domain.image import FileSeen, Recipe
from agent.domain.jobs import JobState, Priority
from agent.i18n import Texts
from agent.settings import Settings

NOW = datetime(2026, 1, 1, tzinfo=UTC)


async def nothing(_: object) -> None:
    return None


@pytest.fixture
async def app(library: SqliteLibrary) -> App:
    return App(
        Settings(),
        library,
        AsyncMock(),
        AsyncMock(),
        slots=lambda: 2,
        clock=lambda: NOW,
        monotonic=lambda: 0.0,
        supply=nothing,
        backups=Backups(lambda now, settings: None, lambda now, settings: None),
        reconfigure={},
    )


@pytest.fixture
async def api(app: App, tmp_path: Path) -> AsyncIterator[httpx.AsyncClient]:
    context = MagicMock(
        spec=Context, app=app, auth=Auth(lambda: 0.0, "token"), texts=lambda: Texts("en"), version="1", ui=tmp_path, desk=AsyncMock()
    )
    transport = httpx.ASGITransport(create_app(context, lambda: 80))
    headers = {"authorization": "Bearer token", "host": "127.0.0.1:80"}
    async with httpx.AsyncClient(transport=transport, base_url="http://127.0.0.1:80", headers=headers) as client:
        yield client


def fail(library: SqliteLibrary, path: str, error: AgentError) -> int:
    """A file that could not be analysed; returns its place id."""
    library.note_file(FileSeen(path, 10, 1, "/photos"), Recipe("centerface-1"), priority=Priority.NEW, now=NOW)
    [job] = library.lease(1, now=NOW, until=NOW + timedelta(hours=1))
    library.fail(job, JobState.FAILED, error, now=NOW)
    return job.place_id


async def test_each_problem_says_which_button_helps(api: httpx.AsyncClient, library: SqliteLibrary) -> None:
    errors = [ImageTruncated(), ImageTooLarge(megapixels=300, limit=200), ImageMissing(), ImageUnreadable(), EngineCrashed()]
    for number, error in enumerate(errors):
        fail(library, f"/photos/{number}.jpg", error)
    told = {problem["name"]: problem["action"] for problem in (await api.get("/api/problems")).json()}
    assert told == {"0.jpg": "show", "1.jpg": "settings", "2.jpg": "none", "3.jpg": "retry", "4.jpg": "retry"}


async def test_one_file_is_tried_again_and_the_others_stay(api: httpx.AsyncClient, library: SqliteLibrary) -> None:
    first, second = (fail(library, f"/photos/{name}.jpg", ImageTruncated()) for name in "ab")
    assert (await api.post(f"/api/problems/{first}/retry")).status_code == 204
    [left] = (await api.get("/api/problems")).json()
    assert left["place_id"] == second
    assert library.counts().jobs[JobState.QUEUED] == 1


async def test_trying_a_file_that_has_no_problem_is_not_found(api: httpx.AsyncClient) -> None:
    answer = await api.post("/api/problems/77/retry")
    assert (answer.status_code, answer.json()["code"]) == (404, "api.not_found")


async def test_cleared_problems_are_spoken_of_no_more_and_their_files_rest(api: httpx.AsyncClient, library: SqliteLibrary) -> None:
    fail(library, "/photos/a.jpg", ImageTruncated())
    assert (await api.post("/api/problems/clear")).status_code == 204
    assert (await api.get("/api/problems")).json() == []
    assert library.known_files("/photos") == {"/photos/a.jpg": (10, 1)}, "or the next rescan would try it again"
    assert library.lease(1, now=NOW, until=NOW) == []

"""A server's backups by themselves, with repositories that are made up."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from types import SimpleNamespace
from typing import Any, cast

import pytest

from agent.domain.errors import RepositoryUnreachable
from agent.server.backups import service
from agent.server.backups.runs import BackupRun, RunKind
from agent.server.backups.service import Able, ServerBackups


class Site:
    """Two repositories for the lists of people forgotten and consents withdrawn; backups that are due are only counted."""

    def __init__(self, folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        self.forgotten = folder / "forgotten"
        self.away = {"offsite"}
        self.kept: list[str] = []
        self.good: dict[tuple[RunKind, str], BackupRun] = {}
        self.due: asyncio.Queue[list[str]] = asyncio.Queue()
        """what was kept, each time that due backups had their turn"""
        making = SimpleNamespace(resources=lambda: [("local", "local"), ("offsite", "offsite")], files=self._files, prepare=lambda: None)
        queries = SimpleNamespace(runs=lambda _=None: [], last=lambda good: self.good)
        listed = SimpleNamespace(path=folder / "withdrawn", follow=lambda: None)
        able = Able(cast(Any, making), cast(Any, None), cast(Any, None))
        self._backups = ServerBackups(
            able, cast(Any, queries), cast(Any, listed), self.forgotten, cast(Any, None), lambda: datetime.now(UTC)
        )
        monkeypatch.setattr(service, "EVERY_S", 0.01)
        monkeypatch.setattr(service, "FIRST_S", 0.0)
        monkeypatch.setattr(self._backups, "_make_due", self._make_due)

    @asynccontextmanager
    async def running(self) -> AsyncIterator[None]:
        run = asyncio.create_task(self._backups.run())
        try:
            yield
        finally:
            run.cancel()

    async def other_than(self, kept: list[str]) -> list[str]:
        while (found := await self.due.get()) == kept:
            pass
        return found

    def _files(self, where: str) -> None:
        if where in self.away:
            raise RepositoryUnreachable(where=where)
        self.kept.append(where)

    async def _make_due(self) -> None:
        self.due.put_nowait(list(self.kept))


@pytest.fixture
def site(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Site:
    return Site(tmp_path, monkeypatch)


async def test_a_repository_that_is_away_keeps_lists_neither_from_the_other_nor_from_backups(site: Site) -> None:
    async with site.running():
        assert await site.due.get() == []
        site.forgotten.write_text("one")
        found = await site.other_than([])
        assert [found, await site.due.get(), await site.due.get()] == [["local"]] * 3, "once, however often the other is tried"
        site.away.clear()
        assert [await site.other_than(["local"]), await site.due.get()] == [["local", "offsite"]] * 2


async def test_a_list_that_a_repository_missed_before_the_start_goes_there_at_once(site: Site) -> None:
    site.forgotten.write_text("one")
    now = datetime.now(UTC)
    run = BackupRun(1, RunKind.FILES, "local", now + timedelta(minutes=1), now + timedelta(minutes=2), "", 10, 1, 0, 0.0)
    old = replace(run, repository="offsite", began_at=now - timedelta(days=1))
    site.good = {(RunKind.FILES, "local"): run, (RunKind.FILES, "offsite"): old}
    site.away.clear()
    async with site.running():
        assert [await site.due.get(), await site.due.get()] == [["offsite"]] * 2

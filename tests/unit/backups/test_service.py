"""A server's backups by themselves, with repositories that are made up."""

import asyncio
from pathlib import Path
from types import SimpleNamespace
from typing import Any, cast

import pytest

from agent.backups import service
from agent.backups.making import Making
from agent.backups.service import Able, ServerBackups
from agent.domain.errors import RepositoryUnreachable


async def test_a_repository_that_is_away_keeps_lists_neither_from_the_other_nor_from_backups(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(service, "EVERY_S", 0.01)
    forgotten, withdrawn = tmp_path / "forgotten", tmp_path / "withdrawn"
    kept: list[str] = []
    away = True
    due_after: asyncio.Queue[list[str]] = asyncio.Queue()  # what was kept whenever due backups had their turn

    def files(where: str) -> None:
        if where == "offsite" and away:
            raise RepositoryUnreachable(where=where)
        kept.append(where)

    making = SimpleNamespace(resources=lambda: [("local", "local"), ("offsite", "offsite")], files=files, prepare=lambda: None)
    queries = SimpleNamespace(runs=lambda _=None: [])
    listed = SimpleNamespace(path=withdrawn, follow=lambda: None)
    able = Able(cast(Making, making), cast(Any, None), cast(Any, None))
    backups = ServerBackups(able, cast(Any, queries), cast(Any, listed), forgotten, cast(Any, None), cast(Any, None))

    async def due() -> None:
        due_after.put_nowait(list(kept))

    monkeypatch.setattr(service, "FIRST_S", 0.0)
    monkeypatch.setattr(backups, "_make_due", due)
    running = asyncio.create_task(backups.run())
    try:
        assert await due_after.get() == []
        forgotten.write_text("one")
        while (found := await due_after.get()) == []:
            pass
        assert [found, await due_after.get(), await due_after.get()] == [["local"]] * 3, "once, however often the other is tried"
        away = False
        while (found := await due_after.get()) == ["local"]:
            pass
        assert [found, await due_after.get()] == [["local", "offsite"]] * 2
    finally:
        running.cancel()

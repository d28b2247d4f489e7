"""A trial restore whose repository does not get the log."""

from pathlib import Path
from types import SimpleNamespace
from typing import Any, cast

import pytest

from agent.domain.errors import RepositoryUnreachable
from agent.server.backups import drill
from agent.server.backups.drill import Drill


def test_a_log_that_does_not_arrive_names_its_repository(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(drill, "_ARRIVES_S", -1.0)
    tool = SimpleNamespace(info=lambda _: [SimpleNamespace(newest_wal="0001")])
    making = SimpleNamespace(tool=tool, resources=lambda: [("local", None), ("offsite", None)])
    tried = Drill(*cast(Any, (making, None, Path(), Path(), Path(), None)))
    with pytest.raises(RepositoryUnreachable) as refused:
        tried._arrive(2, cast(Any, _Database()), "0002")
    assert refused.value.params["where"] == "offsite"


class _Database:
    """Switches to the next piece of the log."""

    def write(self, *, durable: bool) -> "_Database":
        return self

    def __enter__(self) -> "_Database":
        return self

    def __exit__(self, *_: object) -> None: ...

    def execute(self, *_: object) -> None: ...

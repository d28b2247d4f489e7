"""Work in the background that fails is told of, and goes on."""

import pytest
import structlog

from agent.core import keep_up as kept
from agent.domain.errors import EngineStartFailed


async def test_what_fails_is_logged_with_its_code_and_started_again(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(kept, "AGAIN_S", 0.0)
    failures: list[Exception] = [ZeroDivisionError(), EngineStartFailed()]

    async def run() -> None:
        if failures:
            raise failures.pop(0)

    with structlog.testing.capture_logs() as logged:
        await kept.keep_up("memory", run)
    assert failures == []
    assert [(line["event"], line["work"], line["code"], line["log_level"]) for line in logged] == [
        ("work.failed", "memory", "agent.unexpected", "error"),
        ("work.failed", "memory", "engine.start_failed", "error"),
    ]

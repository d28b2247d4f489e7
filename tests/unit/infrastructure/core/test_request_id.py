"""All log lines of one piece of work have its id, in whatever task or thread they arise."""

import asyncio
import json
from pathlib import Path

import pytest
import structlog

from agent.infrastructure.core import logs
from agent.infrastructure.core.program_settings import LogSettings
from agent.infrastructure.core.request_id import bound, current_id, is_id, new_id


async def test_lines_of_a_request_have_its_id_in_tasks_and_threads_too(tmp_path: Path) -> None:
    logs.configure(LogSettings(), tmp_path)
    log = structlog.get_logger("agent.x")
    try:
        log.info("before")
        with bound("0a1b"):
            log.info("request")
            await asyncio.create_task(asyncio.to_thread(log.info, "thread"))
            with bound("job-7"):
                log.info("job")
            log.info("own", request="other")
        log.info("after")
    finally:
        logs.stop()
        structlog.reset_defaults()
    lines = [json.loads(line) for line in (tmp_path / "agent.log").read_text(encoding="utf-8").splitlines()]
    assert [(each["event"], each.get("request")) for each in lines] == [
        ("before", None),
        ("request", "0a1b"),
        ("thread", "0a1b"),
        ("job", "job-7"),
        ("own", "other"),
        ("after", None),
    ]


def test_ids_are_random_and_short() -> None:
    assert current_id() == ""
    assert new_id() != new_id() and is_id(new_id()) and is_id("copy-12")


@pytest.mark.parametrize("value", [None, 7, "", "a" * 41, "Mei", "a b", "a\n", "../a", ["a"]])
def test_what_another_process_sends_is_an_id_only_in_its_form(value: object) -> None:
    assert not is_id(value)

"""The API as a served process: it ends in time, with any listener."""

from __future__ import annotations

from typing import TYPE_CHECKING

import httpx

from agent.interfaces.web.runtime_file import find

if TYPE_CHECKING:
    from tests.support.real_program import RealProgram


def test_it_quits_though_somebody_listens_to_its_events(program: RealProgram) -> None:
    program.start()
    with program.client() as client:
        headers = {"authorization": f"Bearer {find(program.paths.runtime).token}"}
        with (
            httpx.Client(trust_env=False, timeout=100, headers=headers) as listener,
            listener.stream("GET", f"{client.address}/api/events") as answer,
        ):
            assert next(answer.iter_lines()) == "event: status"
            client.post("/api/quit")
            assert program.process is not None and program.process.wait(60) == 0

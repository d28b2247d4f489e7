"""What a child process tells the log about a request: under the request's id, and nothing that an engine makes up."""

import json
from typing import Any

import pytest
import structlog

from agent.domain.errors import ImageEmpty
from agent.inference.engine import rpc
from agent.inference.engine.request_log import ServedRequest, log_served
from agent.inference.engine.rpc import NOTHING, Call, Codec
from agent.inference.engine.rpc_worker import RpcWorker
from agent.inference.engine.sandbox.report import Sandbox

NOTE = {"request": "0a1b", "ms": 1.5}


def worker() -> RpcWorker:
    made = RpcWorker()
    made.wall, made.greeted = Sandbox(), True

    def refused(_: None) -> str:
        raise ImageEmpty

    def broken(_: None) -> str:
        raise RuntimeError("/photos/mei.jpg")

    made.on(Call("read", NOTHING, Codec(str)), lambda _: "read")
    made.on(Call("refused", NOTHING, Codec(str)), refused)
    made.on(Call("broken", NOTHING, Codec(str)), broken)
    return made


def told(operation: str, request_id: str = "0a1b") -> tuple[dict[str, Any], list[dict[str, Any]]]:
    """Return an answer, and what the agent logs of it."""
    answer = json.loads(json.dumps(worker().serve(rpc.request(1, operation, None, (), request_id))))
    with structlog.testing.capture_logs() as logged:
        if "served" in answer:
            log_served(answer["served"], request_id, operation=operation, pid=7, is_photo=True)
    return answer, [dict(each) for each in logged]


def test_a_request_with_an_id_is_logged_with_what_it_took() -> None:
    answer, [line] = told("read")
    assert answer["body"] == "read" and answer["served"]["request"] == "0a1b"
    assert (line["event"], line["log_level"], line["operation"], line["engine"]) == ("engine.served", "info", "read", 7)
    assert told("refused")[1][0]["event"] == "engine.served"


def test_a_request_without_an_id_costs_no_line() -> None:
    assert told("read", "") == ({"id": 1, "body": "read"}, [])


def test_a_defect_is_logged_with_its_place_and_without_its_text() -> None:
    answer, [line] = told("broken")
    assert answer["error"]["params"] == {"kind": "RuntimeError"} and "mei" not in str(answer)
    assert line["event"] == "engine.defect" and line["stack"][-1].split(":")[1] == "broken"


@pytest.mark.parametrize(
    "raw",
    [
        None,
        "0a1b",
        [],
        {},
        {"request": "0a1b"},
        NOTE | {"request": "another"},
        NOTE | {"ms": -1.0},
        NOTE | {"ms": float("nan")},
        NOTE | {"ms": "long"},
        NOTE | {"name": "Mei"},
        NOTE | {"stack": "agent.x:f:1"},
        NOTE | {"stack": ["/photos/mei.jpg"]},
        NOTE | {"stack": ["Mei Lin"]},
        NOTE | {"stack": [7]},
        NOTE | {"stack": ["agent.x:f:1"] * 13},
    ],
)
def test_what_an_engine_makes_up_is_refused(raw: object) -> None:
    with pytest.raises(ValueError):
        ServedRequest.read(raw, "0a1b")

"""`capture` asks the running agent for what was meant, and says what came of it."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import httpx
import pytest

from agent.desktop.capture.schemas import CaptureOut, CaptureRequest
from agent.interfaces.web.client import Client
from agent.interfaces.web.runtime_file import RuntimeInfo

if TYPE_CHECKING:
    from pathlib import Path

    from tests.unit.interfaces.cli.conftest import CommandLine

FACE = {"box": (1.0, 2.0, 3.0, 4.0), "score": 0.9, "person_id": None, "person": None, "certainty": None, "covered": True}


class Agent:
    """Captures whatever is asked for."""

    def __init__(self) -> None:
        self.asked: list[CaptureRequest] = []
        self.faces: list[dict[str, object]] = [FACE]

    def answer(self, request: httpx.Request) -> httpx.Response:
        asked = CaptureRequest.model_validate_json(request.content)
        self.asked.append(asked)
        path = asked.output or ("/pictures/now.png" if asked.save else None)
        made = CaptureOut.model_validate(
            {"id": "x", "width": 10, "height": 20, "faces": self.faces, "drawn": (), "style": asked.style, "shape": asked.shape}
            | {"path": path, "copied": asked.copy_it, "open": False}
        )
        return httpx.Response(200, content=made.model_dump_json())


@pytest.fixture
def agent(monkeypatch: pytest.MonkeyPatch) -> Agent:
    agent = Agent()
    monkeypatch.setattr(Client, "find", lambda _: Client(RuntimeInfo(8765, "secret", 1), httpx.MockTransport(agent.answer)))
    return agent


@pytest.mark.parametrize(
    ("words", "what"),
    [([], "region"), (["--region", "1,2,30,40"], "region"), (["--window"], "window"), (["--screen", "2"], "screen"), (["--all"], "all")],
)
def test_one_way_of_choosing_is_asked_for(cli: CommandLine, agent: Agent, words: list[str], what: str) -> None:
    said = cli("capture", *words)
    assert said.code == 0 and said.out == "/pictures/now.png\n" and said.err == "1 face covered.\n"
    [asked] = agent.asked
    assert (asked.what, asked.region, asked.screen) == (what, "1,2,30,40" if "--region" in words else None, 2 if what == "screen" else 1)
    assert asked.save and not asked.copy_it


def test_it_is_told_where_and_how(cli: CommandLine, agent: Agent, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    said = cli("capture", "--all", "-o", "a.png", "--copy", "--keep", "Mei", "--keep", "José", "--style", "blur", "--shape", "box")
    [asked] = agent.asked
    assert (asked.output, asked.copy_it, asked.save) == (str(tmp_path / "a.png"), True, False)
    assert (asked.keep, asked.style, asked.shape) == (("Mei", "José"), "blur", "box")
    assert "blur can be partly undone" in said.err and "It is on the clipboard." in said.err


def test_who_is_visible_is_named_and_nothing_is_called_safe(cli: CommandLine, agent: Agent) -> None:
    agent.faces = [FACE, FACE | {"person_id": 7, "person": "Mei", "certainty": "certain", "covered": False}]
    assert cli("capture", "--all").err == "1 face covered.\nStill visible: Mei.\n"
    agent.faces = []
    assert cli("capture", "--all").err == "No face found. That doesn’t prove there is none: review before sharing.\n"


def test_json_says_what_was_covered(cli: CommandLine, agent: Agent) -> None:
    said = json.loads(cli("capture", "--all", "--json").out)
    assert list(said) == ["width", "height", "faces", "drawn", "style", "shape", "path", "copied"]
    assert said["faces"][0]["covered"]


@pytest.mark.parametrize(
    "words", [["--all", "--window"], ["--region", "1,2,3"], ["--region", "0,0,0,1"], ["--screen", "0"], ["--style", "nice"]]
)
def test_what_can_not_be_meant_is_refused(cli: CommandLine, agent: Agent, words: list[str]) -> None:
    assert cli("capture", *words).code == 2 and not agent.asked


@pytest.mark.parametrize(("name", "why"), [("shot", "The file name has no extension"), ("shot.tga", "No copy can be written as tga")])
def test_a_name_that_says_no_format_is_refused_with_the_endings_there_are(
    cli: CommandLine, agent: Agent, tmp_path: Path, name: str, why: str
) -> None:
    said = cli("capture", "--all", "-o", str(tmp_path / "a.b" / name))
    assert not agent.asked and said.code == 1 and why in said.err and "png, jpeg, webp, bmp" in said.err and str(tmp_path) not in said.err


def test_waiting_comes_first(cli: CommandLine, agent: Agent, monkeypatch: pytest.MonkeyPatch) -> None:
    waited: list[float] = []
    monkeypatch.setattr("time.sleep", waited.append)
    cli("capture", "--window", "--delay", "3")
    assert waited == [3.0]

"""The command line in a home of its own, with a word for what it printed."""

from __future__ import annotations

import os
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

import httpx
import pytest

from agent.app import wiring
from agent.app.command_line import main
from agent.features.library.recipes import EMBEDDER
from agent.inference.engine.analyser import AnalysisEngine
from agent.inference.engine.monitor import Machine
from agent.infrastructure.core.paths import AppPaths
from agent.interfaces.web.client import Client
from agent.interfaces.web.runtime_file import RuntimeInfo
from tests.support.in_process_agent import FakeAnalyser, FakeMatcher, FakeRenderer

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from agent.app.adapters import ExternalAdapters
    from agent.app.app import App
    from agent.domain.image import Recipe


@dataclass
class Said:
    """What came of a command."""

    code: int
    out: str
    err: str


class CommandLine:
    def __init__(self, root: Path, capsys: pytest.CaptureFixture[str]) -> None:
        self.root = root
        self.paths = AppPaths.find({"AI_POPUP_HOME": str(root)})
        self._capsys = capsys

    def __call__(self, *words: str) -> Said:
        code = main(words)
        said = self._capsys.readouterr()
        return Said(code, said.out, said.err)


@pytest.fixture
def cli(tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> CommandLine:
    monkeypatch.setenv("AI_POPUP_HOME", str(tmp_path / "home"))
    monkeypatch.setenv("LC_ALL", "C.UTF-8")
    made = CommandLine(tmp_path / "home", capsys)
    made.paths.create()
    made.paths.settings.write_text('[library]\nkey_home = "file"\n')
    return made


class FakeAgent:
    """A running agent: notes what it is asked, answers by path, and `slow` later than any limit."""

    def __init__(self) -> None:
        self.asked: list[str] = []
        self.queries: list[str] = []
        self.answers: dict[str, httpx.Response] = {}
        self.slow = ""

    def answer(self, request: httpx.Request) -> httpx.Response:
        self.asked.append(f"{request.method} {request.url.path}")
        self.queries.append(request.url.query.decode())
        if request.url.path == self.slow and request.extensions["timeout"]["read"] is not None:
            raise httpx.ReadTimeout("no answer yet", request=request)
        return self.answers.get(request.url.path, httpx.Response(204))


@pytest.fixture
def running_agent(monkeypatch: pytest.MonkeyPatch) -> FakeAgent:
    agent = FakeAgent()
    find: Callable[[Path], Client] = lambda _: Client(RuntimeInfo(8765, "secret", os.getpid()), httpx.MockTransport(agent.answer))  # noqa: E731
    monkeypatch.setattr(Client, "find", find)
    return agent


async def nothing(_: Recipe) -> None:
    """The models are there."""


@pytest.fixture
def analyser(monkeypatch: pytest.MonkeyPatch, quick: None) -> FakeAnalyser:
    """What stands in for the engine; models are there."""
    fake, build = FakeAnalyser(), wiring.build

    def faked(edges: ExternalAdapters) -> ExternalAdapters:
        people = replace(edges.people, matcher=FakeMatcher(lambda: edges.library.prints(EMBEDDER)))
        tools, engine = replace(edges.tools, renderer=FakeRenderer()), AnalysisEngine(fake, lambda: 4, nothing)
        return replace(edges, engine=engine, people=people, tools=tools, redactors=(None, None), machine=Machine(), guarded=())

    def build_with_it(*values: Any, swap: Callable[[ExternalAdapters], ExternalAdapters] = lambda edges: edges, **named: Any) -> App:
        return build(*values, **named, desktop=False, swap=lambda edges: swap(faked(edges)))

    monkeypatch.setattr(wiring, "build", build_with_it)
    monkeypatch.setattr("agent.app.in_process.fetch_missing", lambda _, embeddings: None)
    return fake

"""What the menus of file managers call: one agent, one window, and copies that lie beside the photos."""

import json
import sys
from collections.abc import Callable
from pathlib import Path

import httpx
import pytest

from agent.app import shell_menu as module
from agent.desktop.notifications.notifier import Notifier
from agent.desktop.system import external_apps
from agent.domain.errors import NotRunning
from agent.features.library.scan_schemas import ScanLine, Scanned, ScannedError
from agent.features.redaction.schemas import RedactLine
from agent.infrastructure.core.i18n import Texts
from agent.interfaces.web.client import Client
from agent.interfaces.web.runtime_file import RuntimeInfo
from agent.interfaces.web.schemas import SessionCode
from tests.unit.interfaces.cli.conftest import CommandLine, FakeAgent


@pytest.fixture
def photos(tmp_path: Path) -> Path:
    folder = tmp_path / "照片"
    (folder / "trip").mkdir(parents=True)
    for name in ("a.jpg", "b.jpg"):
        (folder / name).touch()
    return folder


@pytest.fixture
def opened(monkeypatch: pytest.MonkeyPatch, running_agent: FakeAgent) -> list[str]:
    urls: list[str] = []
    monkeypatch.setattr(external_apps, "open_in_browser", urls.append)
    code = SessionCode(code="once").model_dump_json()
    running_agent.answers["/api/session/codes"] = httpx.Response(200, text=code)
    return urls


def scanned(path: Path, error: ScannedError | None = None) -> str:
    image = Scanned(path=str(path), sha256=None, width=None, height=None, faces=(), error=error, ms=None)
    return ScanLine(image=image).model_dump_json() + "\n"


def test_found_faces_are_shown_in_the_popup(cli: CommandLine, running_agent: FakeAgent, photos: Path) -> None:
    running_agent.answers["/api/scans"] = httpx.Response(200, text=scanned(photos / "a.jpg"))
    assert cli("hand-over", "find", str(photos)).code == 0
    assert running_agent.asked == ["POST /api/scans", "POST /api/popup/show"]


def test_a_photo_that_can_not_be_looked_at_fails(cli: CommandLine, running_agent: FakeAgent, photos: Path) -> None:
    error = ScannedError(code="image.truncated", message="half of it")
    running_agent.answers["/api/scans"] = httpx.Response(200, text=scanned(photos / "a.jpg", error))
    assert cli("hand-over", "find", str(photos / "a.jpg")).code == 1


def test_copies_without_metadata_lie_beside_the_photos(
    cli: CommandLine, running_agent: FakeAgent, photos: Path, opened: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    asked: list[dict[str, object]] = []

    def answer(request: httpx.Request) -> httpx.Response:
        if request.url.path == "/api/redact":
            asked.append(json.loads(request.content))
            return httpx.Response(200, text=RedactLine(total=1).model_dump_json() + "\n")
        return running_agent.answers[request.url.path]

    monkeypatch.setattr(running_agent, "answer", answer)
    cli("hand-over", "redact", str(photos / "a.jpg"), str(photos / "b.jpg"), str(photos / "trip"))
    assert [(each["paths"], each["out"], each["strip"]) for each in asked] == [
        ([str(photos / "a.jpg"), str(photos / "b.jpg")], str(photos / "redacted"), True),
        ([str(photos / "trip")], str(photos / "trip redacted"), True),
    ]
    assert (photos / "redacted").is_dir()
    assert len(opened) == 1
    assert opened[0].endswith("covers")


def test_one_window_is_enough_for_many_calls(cli: CommandLine, running_agent: FakeAgent, photos: Path) -> None:
    from agent.app.in_process import PROGRAM
    from agent.interfaces.cli.session import CommandSession

    running_agent.answers["/api/scans"] = httpx.Response(200, text=scanned(photos / "a.jpg"))
    with module.first_of_many(CommandSession(cli.paths, PROGRAM)) as first:
        assert first
        assert cli("hand-over", "find", str(photos / "a.jpg")).code == 0
    assert running_agent.asked == ["POST /api/scans"]


def test_an_agent_that_does_not_come_is_told_where_no_terminal_is(cli: CommandLine, photos: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    notified: list[str] = []

    async def say(self: Notifier, texts: Texts, message: str, button: str, pressed: Callable[[], None]) -> bool:
        notified.append(message)
        raise RuntimeError("no notifications here")

    monkeypatch.setattr(Notifier, "say", say)
    monkeypatch.setattr(
        "agent.infrastructure.core.json_child.own_command", lambda *words: [sys.executable, "-S", "-c", "raise SystemExit(1)"]
    )
    monkeypatch.setattr("agent.app.shell_menu.POLL_S", 0.01)
    said = cli("hand-over", "find", str(photos))
    assert said.code == 1
    assert "[agent.unreachable]" in said.err
    assert len(notified) == 1
    assert notified[0] in said.err


def test_an_agent_that_another_call_has_started_is_waited_for(cli: CommandLine, photos: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    looks: list[Path] = []
    agent = FakeAgent()

    def find(runtime: Path) -> Client:
        looks.append(runtime)
        if len(looks) < 30:
            raise NotRunning
        return Client(RuntimeInfo(8765, "secret", 1), httpx.MockTransport(agent.answer))

    agent.answers["/api/scans"] = httpx.Response(200, text=scanned(photos / "a.jpg"))
    monkeypatch.setattr(Client, "find", find)
    monkeypatch.setattr(Client, "status", lambda _: None)
    monkeypatch.setattr(
        "agent.infrastructure.core.json_child.own_command", lambda *words: [sys.executable, "-S", "-c", "pass"]
    )  # as a second start ends
    monkeypatch.setattr("agent.app.shell_menu.POLL_S", 0.01)
    assert cli("hand-over", "find", str(photos / "a.jpg")).code == 0
    assert agent.asked == ["POST /api/scans", "POST /api/popup/show"]


def test_copies_that_find_no_place_are_told_as_such(cli: CommandLine, running_agent: FakeAgent, photos: Path, opened: list[str]) -> None:
    (photos / "redacted").touch()
    said = cli("hand-over", "redact", str(photos / "a.jpg"))
    assert said.code == 1
    assert "[redact.unwritable]" in said.err
    assert "POST /api/redact" not in running_agent.asked

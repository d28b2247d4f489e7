"""Each command against a running agent and without one: what is printed where, and the exit code."""

from __future__ import annotations

import io
import json
import os
import re
import socket
import subprocess
import sys
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING

import httpx
import pytest
from filelock import FileLock

import agent.__main__
from agent import __version__
from agent.app.command_line import main, write_every_name
from agent.app.in_process import PROGRAM
from agent.desktop.notifications.notifier import Notifier
from agent.domain.errors import NotRunning
from agent.features.people.queries.people_queries import PeopleQueries
from agent.infrastructure.core import process_exit
from agent.infrastructure.core.instance_lock import alone
from agent.interfaces.cli.session import CommandSession
from agent.interfaces.web.runtime_file import RuntimeInfo, leave

if TYPE_CHECKING:
    from collections.abc import Iterator

    from agent.domain.errors import AgentError
    from agent.infrastructure.core.i18n import Texts
    from tests.unit.interfaces.cli.conftest import CommandLine, FakeAgent

ROOT = Path(__file__).parents[4]
PROBLEM: dict[str, object] = {
    "code": "model.missing",
    "cause": "It is missing.",
    "remedy": "Fetch it.",
    "setting": None,
    "line": None,
    "params": {},
}
STATUS = {
    "version": "1",
    "state": "working",
    "language": "en",
    "theme": "auto",
    "recognition": True,
    "popup_seconds": 12,
    "queued": 3,
    "failed": 2,
    "images": 10,
    "faces": 20,
    "people": 4,
    "burst": None,
    "folders": [{"path": "/photos", "name": "photos", "problem": PROBLEM}, {"path": "/fine", "name": "fine", "problem": None}],
    "problem": PROBLEM,
    "online_only": 0,
    "throttled": None,
}


@pytest.mark.parametrize(
    "words", [["nonsense"], ["scan"], ["scan", "/no/such/file"], ["run", "--nonsense"], ["config", "set", "engine.workers"]]
)
def test_wrong_usage_ends_with_two(cli: CommandLine, words: list[str]) -> None:
    said = cli(*words)
    assert said.code == 2 and said.out == "" and "Usage: ai-popup" in said.err


@contextmanager
def no_console() -> Iterator[None]:
    """As Windows starts a program without one."""
    before = sys.stdin, sys.stdout, sys.stderr
    sys.stdin = sys.stdout = sys.stderr = None
    try:
        yield
    finally:
        made = sys.stdin, sys.stdout, sys.stderr
        sys.stdin, sys.stdout, sys.stderr = before
        for stream in made:
            if stream is not None:
                stream.close()


@pytest.mark.parametrize(("words", "code"), [(["people", "list"], 0), (["people", "export"], 0), (["nonsense"], 2)])
def test_without_a_console_a_first_command_does_what_it_always_does(cli: CommandLine, words: list[str], code: int) -> None:
    with no_console():
        assert main(words) == code


@pytest.mark.parametrize(
    ("windows", "environ", "written"),
    [
        (True, {}, "é 假期 \\udc80".encode()),
        (True, {"PYTHONIOENCODING": "cp1252"}, b"\xe9 \\u5047\\u671f \\udc80"),
        (True, {"PYTHONUTF8": "0"}, b"\xe9 \\u5047\\u671f \\udc80"),
        (False, {}, b"\xe9 \\u5047\\u671f \\udc80"),
    ],
)
def test_a_pipe_gets_every_name_as_it_is_on_windows_unless_the_user_chose_an_encoding(
    windows: bool, environ: dict[str, str], written: bytes
) -> None:
    pipe = io.BytesIO()
    stream = io.TextIOWrapper(pipe, encoding="cp1252")
    write_every_name(stream, windows=windows, environ=environ)
    stream.write("é 假期 \udc80")
    stream.flush()
    assert pipe.getvalue() == written


@pytest.mark.skipif(os.name != "posix", reason="Windows says it otherwise")
@pytest.mark.parametrize("words", [["config", "show"], ["people", "export", "--csv"], ["--help"]])
def test_a_reader_who_leaves_is_no_failure(cli: CommandLine, words: list[str]) -> None:
    reader, writer = os.pipe()
    os.close(reader)
    try:
        done = subprocess.run(
            [sys.executable, "-m", "agent", *words], stdout=writer, stderr=subprocess.PIPE, cwd=ROOT, text=True, timeout=30, check=False
        )
    finally:
        os.close(writer)
    assert (done.returncode, "Error" in done.stderr) == (0, False), done.stderr


def test_a_place_where_nothing_can_be_written_is_told_and_no_failure_of_the_program(cli: CommandLine, tmp_path: Path) -> None:
    for place in (tmp_path / "none" / "people.json", tmp_path / ("x" * 300)):
        said = cli("people", "export", str(place))
        assert said.code == 1 and f"Could not open file {str(place)!r}" in said.err


@pytest.mark.parametrize(
    ("language", "told"),
    [("en", "“yesterday” is not a day like 2026-01-31."), ("zh-CN", "“yesterday”不是日期，写法如 2026-01-31。")],
)
def test_a_wrong_day_is_told_with_a_right_one(cli: CommandLine, language: str, told: str) -> None:
    cli("config", "set", "general.language", language)
    said = cli("find", "--after", "yesterday")
    assert said.code == 2 and told in said.err


def test_every_page_of_the_desktop_can_be_opened_from_the_command_line(cli: CommandLine, running_agent: FakeAgent) -> None:
    pages = re.search(r"KNOWN = \[\.\.\.PAGES, (.*), \.\.\.TEAM_PAGES\]", (route := (ROOT / "ui/src/lib/route.ts").read_text()))
    first = re.search(r"PAGES = \[(.*)\]", route)
    assert pages is not None and first is not None
    for page in {*re.findall(r"'([a-z-]+)'", first[1] + pages[1])} - {"faces"}:  # which needs a face to search by
        assert cli("open", "--print", page).code != 2, page


@pytest.mark.skipif(os.name != "posix", reason="needs a named pipe")
def test_an_export_to_a_pipe_or_through_a_link_leaves_both_in_their_places(cli: CommandLine, tmp_path: Path) -> None:
    pipe, link, linked = tmp_path / "pipe", tmp_path / "people.json", tmp_path / "elsewhere.json"
    os.mkfifo(pipe)
    link.symlink_to(linked)
    reader = os.open(pipe, os.O_RDONLY | os.O_NONBLOCK)
    try:
        assert cli("people", "export", "--csv", str(pipe)).code == 0  # nothing is replaced, so nothing is asked
        assert os.read(reader, 100).startswith(b"person") and pipe.is_fifo()
    finally:
        os.close(reader)
    assert cli("people", "export", "--csv", "--yes", str(link)).code == 0
    assert link.is_symlink() and linked.read_text(encoding="utf-8-sig").startswith("person")


class Gone(io.StringIO):
    """Nobody reads at its other end any more."""

    def write(self, text: str) -> int:
        raise BrokenPipeError


def test_words_that_nobody_can_read_any_more_end_nothing(cli: CommandLine, monkeypatch: pytest.MonkeyPatch) -> None:
    session = CommandSession(cli.paths, PROGRAM)
    with monkeypatch.context() as patched:
        patched.setattr(sys, "stderr", Gone())
        with session.library(PeopleQueries) as library:  # its first word is that of the recovery code
            assert library.people() == []
        session.explain(NotRunning())


@pytest.mark.parametrize("words", [["--help"], ["-h"], ["scan", "--help"], ["backup", "--help"]])
def test_help_is_no_failure(cli: CommandLine, words: list[str]) -> None:
    said = cli(*words)
    assert said.code == 0 and "Usage: ai-popup" in said.out


def test_the_version_is_told_and_main_takes_the_words(cli: CommandLine, monkeypatch: pytest.MonkeyPatch) -> None:
    assert __version__ in cli("--version").out
    monkeypatch.setattr(sys, "argv", ["ai-popup", "--version"])
    monkeypatch.setattr(process_exit, "leave", lambda code: code)  # it would end this process, too
    monkeypatch.setenv("PYDANTIC_DISABLE_PLUGINS", "__all__")
    monkeypatch.setitem(sys.modules, "rich", None)  # other tests may want it
    assert agent.__main__.main() == 0


def test_a_child_that_fails_ends_by_itself_and_says_why_where_it_can(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(sys, "argv", ["ai-popup", "popup-window"])
    monkeypatch.setattr(process_exit, "leave", lambda code: code)
    monkeypatch.setenv("PYDANTIC_DISABLE_PLUGINS", "__all__")
    monkeypatch.setitem(sys.modules, "rich", None)
    monkeypatch.setattr("agent.app.command_line.main", lambda _: 1 / 0)
    assert agent.__main__.main() == 1
    assert "ZeroDivisionError" in capsys.readouterr().err
    monkeypatch.setattr(sys, "stderr", None)
    assert agent.__main__.main() == 1


@pytest.mark.parametrize("command", ["status", "pause", "resume", "open", "quit"])
def test_without_a_running_agent_this_is_said(cli: CommandLine, command: str) -> None:
    said = cli(command)
    assert said.code == 1 and said.out == "" and "[agent.not_running]" in said.err and "ai-popup run" in said.err


def test_the_status_in_words_and_as_json(cli: CommandLine, running_agent: FakeAgent) -> None:
    running_agent.answers["/api/status"] = httpx.Response(200, json=STATUS)
    lines = cli("status").out.splitlines()
    assert lines == [
        "Working: 3 photos left.",
        "10 photos, 20 faces, 4 people",
        "Recognition is on.",
        "Watching /photos",
        "    It is missing. Fetch it. [model.missing]",
        "Watching /fine",
        "2 files could not be scanned.",
        "It is missing. Fetch it. [model.missing]",
    ]
    told = json.loads(cli("status", "--json").out)
    assert {name: told[name] for name in STATUS} == STATUS


def test_the_status_says_why_it_is_slow_what_was_passed_and_until_when_it_is_quiet(cli: CommandLine, running_agent: FakeAgent) -> None:
    later = datetime.now(UTC) + timedelta(days=9)
    warning = {"code": "engine.memory", "cause": "Too much.", "remedy": "Started anew."}
    more: dict[str, object] = {
        "throttled": "battery_low",
        "quiet_until": later.isoformat(),
        "warning": warning,
        "problem": None,
        "folders": [],
        "failed": 0,
        "online_only": 12,
        "device_note": "No GPU.",
    }
    running_agent.answers["/api/status"] = httpx.Response(200, json=STATUS | more)
    said = cli("status").out.splitlines()[3:]
    assert said[0].startswith("The battery is low") and said[1:] == [
        f"Do not disturb until {later.astimezone():%Y-%m-%d %H:%M}.",
        "12 files are online-only and were not scanned.",
        "No GPU.",
        "Too much. Started anew. [engine.memory]",
    ]


def test_while_the_settings_can_not_be_read_all_is_said_in_the_running_agents_language(cli: CommandLine, running_agent: FakeAgent) -> None:
    running_agent.answers["/api/status"] = httpx.Response(200, json=STATUS | {"language": "zh-CN"})
    cli.paths.settings.write_text("[")
    assert "人脸" in cli("status").out and "settings.toml 第" in cli("config", "show").err
    running_agent.answers.clear()  # nobody answers: the system's
    assert cli("config", "show").err.startswith("Line 1 of settings.toml")


def test_the_programs_language_is_the_settings(cli: CommandLine, running_agent: FakeAgent) -> None:
    cli("config", "set", "general.language", "zh-CN")
    running_agent.answers["/api/status"] = httpx.Response(200, json=STATUS)
    assert "人脸" in cli("status").out


def test_pause_and_resume(cli: CommandLine, running_agent: FakeAgent) -> None:
    assert (cli("pause").code, cli("resume").code) == (0, 0)
    assert running_agent.asked == ["POST /api/pause", "POST /api/resume"]


def test_open_prints_the_address_where_no_browser_opens(
    cli: CommandLine, running_agent: FakeAgent, monkeypatch: pytest.MonkeyPatch
) -> None:
    running_agent.answers["/api/session/codes"] = httpx.Response(200, json={"code": "once"})
    opened: list[str] = []

    def open_first(url: str) -> bool:
        opened.append(url)
        return len(opened) == 1

    monkeypatch.setattr("agent.desktop.system.external_apps.open_in_browser", open_first)
    url = "http://127.0.0.1:8765/#code=once"
    assert (cli("open").out, cli("open").out, cli("open", "--print").out) == ("", url + "\n", url + "\n")
    assert opened == [url, url]


def test_open_goes_to_a_place_and_to_no_other_address(cli: CommandLine, running_agent: FakeAgent) -> None:
    running_agent.answers["/api/session/codes"] = httpx.Response(200, json={"code": "once"})
    assert cli("open", "photo-12", "--print").out == "http://127.0.0.1:8765/#code=once&at=photo-12\n"
    asked = list(running_agent.asked)
    said = cli("open", "https://example.org", "--print")
    assert (said.code, said.out, running_agent.asked) == (2, "", asked)


def test_open_goes_only_to_settings_that_exist(cli: CommandLine, running_agent: FakeAgent) -> None:
    running_agent.answers["/api/session/codes"] = httpx.Response(200, json={"code": "once"})
    for place in ("settings", "settings/folders", "settings/popup", "settings/popup.corner"):
        assert cli("open", place, "--print").out.endswith(f"&at={place}\n")
    asked = list(running_agent.asked)
    said = cli("open", "settings/popup.cornr", "--print")
    assert (said.code, said.out, running_agent.asked) == (1, "", asked)
    assert "[settings.unknown_key]" in said.err and "popup.corner" in said.err
    assert cli("open", "settings/server").code == 1, "a desktop agent has no such page"


@pytest.mark.parametrize("words", [("open", "nowhere"), ("open", "--help")])
def test_open_names_every_place_there_is(cli: CommandLine, words: tuple[str, str]) -> None:
    said = cli(*words)
    for place in ("photos", "photo-", "problems", "online-only", "covers", "status", "settings", "help"):
        assert place in said.out + said.err.partition("PLACE:")[2]


@pytest.mark.parametrize("port", [None, 99_999])
def test_the_word_of_an_agent_that_was_killed_keeps_no_command_from_its_work(cli: CommandLine, port: int | None) -> None:
    with socket.create_server(("127.0.0.1", 0)) as nobody:
        free = int(nobody.getsockname()[1])
    leave(cli.paths.runtime, RuntimeInfo(port or free, "secret", 1))
    said = cli("undo")
    assert said.code == 1 and "[people.nothing_to_undo]" in said.err
    assert "[agent.not_running]" in cli("status").err


def test_quit_waits_for_the_end(cli: CommandLine, running_agent: FakeAgent, monkeypatch: pytest.MonkeyPatch) -> None:
    assert cli("quit").code == 0 and running_agent.asked == ["POST /api/quit"]
    monkeypatch.setattr("agent.app.run_commands.END_WAIT_S", 0.0)
    with FileLock(cli.paths.lock):
        said = cli("quit")
    assert said.code == 1 and "[agent.unreachable]" in said.err


def test_watching_is_paused_by_the_command_of_that_name_and_by_its_former_one(cli: CommandLine, running_agent: FakeAgent) -> None:
    for name in ("pause", "snooze"):
        assert "watch pause --end" in cli("watch", name, "60").out
        assert cli("watch", name, "--end", "--until-tomorrow").code == 2
    assert running_agent.asked == ["POST /api/watch/snooze"] * 2
    told = cli("watch", "--help").out
    assert "pause" in told and "snooze" not in told


def test_a_second_start_shows_the_first_ones_popup(cli: CommandLine, running_agent: FakeAgent) -> None:
    with FileLock(cli.paths.lock):
        assert "already running" in cli("run", "--no-tray").err
        running_agent.answers["/api/popup/show"] = httpx.Response(503, json={"code": "desktop.no_display"})
        said = cli("run")
    assert said.code == 0 and "already running" in said.err
    assert running_agent.asked == ["POST /api/popup/show"] * 2


def test_a_second_start_while_the_first_is_not_up_yet_is_no_failure(cli: CommandLine) -> None:
    with FileLock(cli.paths.lock):
        said = cli("run")
    assert said.code == 0 and "already running" in said.err


@pytest.mark.parametrize("words", [("run", "--no-tray"), ("backup", "restore"), ("undo",)])
def test_beside_a_command_that_uses_the_library_no_agent_is_said_to_run(cli: CommandLine, words: tuple[str, ...]) -> None:
    with alone(cli.paths):
        said = cli(*words)
    assert said.code == 1 and "[agent.command_running]" in said.err and "ai-popup open" not in said.err


def test_what_the_agent_refuses_is_told(cli: CommandLine, running_agent: FakeAgent) -> None:
    running_agent.answers["/api/pause"] = httpx.Response(503, json={"code": "store.busy"})
    said = cli("pause")
    assert said.code == 1 and "[store.busy]" in said.err


def test_an_interrupted_command_ends_like_one(cli: CommandLine, monkeypatch: pytest.MonkeyPatch) -> None:
    def interrupt(*_: object, **__: object) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr("agent.app.commands.CommandSession.client", interrupt)
    assert cli("status").code == 130


def test_a_setting_that_is_wrong_is_told_by_every_command(cli: CommandLine) -> None:
    cli.paths.settings.write_text("[engine]\nworkers = 99\n")
    said = cli("recovery-code")
    assert said.code == 1 and "[settings.invalid]" in said.err


def test_doctor_names_each_thing_and_fails_only_for_what_is_wrong(cli: CommandLine, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("agent.desktop.system.display.display_available", lambda: False)
    monkeypatch.setattr("agent.desktop.system.display.tray_available", lambda: False)
    from agent.app import doctor_commands

    real = doctor_commands.all_checks
    monkeypatch.setattr(
        doctor_commands, "all_checks", lambda session: real(session) | dict.fromkeys(("engine", "wall", "models"), lambda: "fine")
    )
    said = cli("doctor")
    assert said.code == 0, said.out
    marks = [line[0] for line in said.out.splitlines()[1:]]
    assert marks.count("·") == 5 and "✗" not in marks and len(marks) == 15
    assert str(cli.root) not in said.out and str(Path.home()) not in said.out, "it is sent to strangers"
    cli.paths.settings.write_text('[library]\nkey_home = "file"\n[[folders]]\npath = "/no/such/folder"\n')
    said = cli("doctor")
    assert said.code == 1 and "✗ Watched folders" in said.out and "[source.unreachable]" in said.out
    assert "`ai-popup open help/troubleshooting/folders`" in said.out


def test_doctor_of_a_server_with_wrong_settings_speaks_of_no_desktop(cli: CommandLine, monkeypatch: pytest.MonkeyPatch) -> None:
    (cli.paths.data / "postgres").mkdir()
    monkeypatch.setenv("AI_POPUP__SERVER__PORT", "x")
    said = cli("doctor")
    assert said.code == 1 and "[settings.invalid]" in said.out
    assert "`ai-popup help troubleshooting`" in said.out and "Display" not in said.out
    monkeypatch.delenv("AI_POPUP__SERVER__PORT")
    assert "\n· Server" in cli("doctor").out, "it is stopped"


def test_doctor_says_what_a_running_program_takes_beside_its_threshold(
    cli: CommandLine, running_agent: FakeAgent, monkeypatch: pytest.MonkeyPatch
) -> None:
    from agent.app import doctor_commands

    real = doctor_commands.all_checks
    monkeypatch.setattr(doctor_commands, "all_checks", lambda session: {"memory": real(session)["memory"]})
    cli("config", "set", "memory.agent_mb", "4000")
    assert re.search(r"✓ Memory: agent [\d,]+ of 4,000 MB", cli("doctor").out), "also of one that doesn't answer"
    running_agent.answers["/api/status"] = httpx.Response(200, json=STATUS)
    assert re.search(r"✓ Memory: agent [\d,]+ of 4,000 MB", cli("doctor").out)
    cli("config", "set", "memory.agent_mb", "0")
    assert re.search(r"✓ Memory: agent [\d,]+ MB", cli("doctor").out)
    cli("config", "set", "memory.agent_mb", "1")
    said = cli("doctor")
    assert said.code == 0 and "! Memory: The agent used" in said.out and "[agent.memory]" in said.out
    (finding,) = (json.loads(line) for line in cli("doctor", "--json").out.splitlines())
    assert (finding["name"], finding["state"], finding["code"]) == ("memory", "warning", "agent.memory")


def test_doctor_prints_each_finding_before_it_makes_the_next_check(
    cli: CommandLine, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    from agent.app import doctor_commands

    said_before: list[str] = []

    def slow() -> str:
        said_before.append(capsys.readouterr().out)
        return "fine"

    monkeypatch.setattr(doctor_commands, "all_checks", lambda _: {"disk": lambda: "82 GB", "library": slow, "models": slow})
    cli("doctor")
    assert "82 GB" in said_before[0] and "Library: fine" in said_before[1]
    said_before.clear()
    cli("doctor", "--json")
    assert "82 GB" in said_before[0] and '"library"' in said_before[1]


def test_doctor_asks_a_running_program_once(cli: CommandLine, running_agent: FakeAgent, monkeypatch: pytest.MonkeyPatch) -> None:
    """One that hangs takes half a minute each time, a server without its database a quarter."""
    from agent.app import doctor_commands

    real = doctor_commands.all_checks
    wanted = ("agent", "memory")
    monkeypatch.setattr(doctor_commands, "all_checks", lambda session: {n: check for n, check in real(session).items() if n in wanted})
    running_agent.slow = "/api/status"
    said = cli("doctor")
    assert said.code == 1 and "[agent.unreachable]" in said.out and "Memory: " in said.out, "of this process, which may use too much"
    assert running_agent.asked == ["GET /api/status"]


def test_doctor_tests_one_device_beside_the_processor(cli: CommandLine, monkeypatch: pytest.MonkeyPatch) -> None:
    from agent.app import doctor_commands
    from agent.inference.engine.devices import DeviceNote, Fault, Trial
    from agent.inference.engine.engine_calls import EngineConfig, ModelFile

    said = cli("doctor", "--device", "CUDA")
    assert said.code == 1 and "[model.missing]" in said.err
    monkeypatch.setattr(doctor_commands, "model_files", lambda _: {"yunet-1": ModelFile("yunet", "/m", "0" * 64)})
    said = cli("doctor", "--device", "TPU")
    assert said.code == 1 and "[settings.invalid]" in said.err

    note: list[DeviceNote] = []

    async def trials(config: EngineConfig) -> tuple[dict[str, Trial], DeviceNote | None]:
        found = {"CPU": Trial(None, "bf16", 150.0)}
        return (found | {config.device: Trial(None, "f16", 12.25)}, None) if not note else (found, note[0])

    monkeypatch.setattr(doctor_commands, "_trials", trials)
    said = cli("doctor", "--device", "CUDA.1")
    assert said.code == 0 and "✓ CUDA.1: " in said.out and "12.2 ms" in said.out and "✓ CPU: " in said.out
    note.append(DeviceNote("CUDA", Fault.ABSENT))
    said = cli("doctor", "--device", "CUDA")
    assert said.code == 1 and "✗ CUDA: No ONNX Runtime for CUDA" in said.out
    said = cli("doctor", "--device", "CUDA", "--json")
    assert [json.loads(line)["fault"] for line in said.out.splitlines()] == [None, "absent"]


def test_doctor_looks_at_the_models_and_the_library(cli: CommandLine, monkeypatch: pytest.MonkeyPatch) -> None:
    from agent.app import doctor_commands

    real = doctor_commands.all_checks
    monkeypatch.setattr(doctor_commands, "all_checks", lambda session: {name: real(session)[name] for name in ("models", "library", "key")})
    said = cli("doctor")
    assert said.code == 1 and "[model.missing]" in said.out and "none yet" in said.out
    cli("backup", "create")
    assert "0 photos, 0 faces" in cli("doctor").out


def test_where_nothing_is_watched_the_status_says_so(cli: CommandLine, running_agent: FakeAgent) -> None:
    running_agent.answers["/api/status"] = httpx.Response(200, json={**STATUS, "state": "idle", "queued": 0, "folders": []})
    assert cli("status").out.startswith("No folder is watched yet. Add one with `ai-popup folders add FOLDER`")


def test_chinese_sentences_follow_each_other_without_a_space(cli: CommandLine) -> None:
    cli("config", "set", "general.language", "zh-CN")
    said = cli("config", "set", "general.theme", "pink")
    assert "。请" in said.err and "auto、" in said.err and "。 请" not in said.err


@pytest.mark.parametrize(("words", "told"), [(["run"], ["settings.invalid"]), (["run", "--no-tray"], [])])
def test_who_started_it_from_a_menu_is_told_why_it_did_not_start(
    cli: CommandLine, monkeypatch: pytest.MonkeyPatch, words: list[str], told: list[str]
) -> None:
    said: list[str] = []

    async def problem(_: Notifier, texts: Texts, error: AgentError) -> None:
        said.append(error.code)

    monkeypatch.setattr(Notifier, "problem", problem)
    cli.paths.settings.write_text("[general]\nlanguage = 7\n")
    assert cli(*words).code == 1
    assert said == told


def test_settings_whose_file_is_lost_come_back_with_a_change(cli: CommandLine) -> None:
    cli.root.joinpath("photos").mkdir()
    for words in (("config", "set", "popup.seconds", "5"), ("folders", "add", str(cli.root / "photos")), ("update", "channel", "beta")):
        cli.paths.settings.unlink(missing_ok=True)
        cli.paths.settings_copy.write_text("[recognition] # mine\nenabled = true\n")
        assert "[settings.gone]" in cli("config", "validate").err
        assert cli(*words).code == 0
        assert cli.paths.settings.read_text().startswith("[recognition] # mine\nenabled = true\n")
        assert cli("config", "validate").code == 0

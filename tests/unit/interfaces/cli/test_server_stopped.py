"""Commands in the home of a team server that does not run, or can't."""

from __future__ import annotations

import subprocess
import sys
from typing import TYPE_CHECKING

import httpx
import pytest

from agent.infrastructure.core.service_context import utc_now
from agent.infrastructure.core.settings import KeyHome
from agent.infrastructure.store.keys import LibraryKeys
from agent.infrastructure.store.secret_stores import key_home
from agent.interfaces.web.certificates import Certificates

if TYPE_CHECKING:
    from pathlib import Path

    from tests.support.in_process_agent import FakeAnalyser
    from tests.unit.interfaces.cli.conftest import CommandLine, FakeAgent


@pytest.mark.parametrize("own", [True, False])
def test_a_command_says_so_and_makes_no_library_beside(cli: CommandLine, own: bool) -> None:
    if own:
        (cli.paths.data / "postgres").mkdir()
    else:
        cli.paths.settings.write_text('[server]\ndatabase = "postgresql://elsewhere/photos"\n')
    for words in (("people", "list"), ("backup", "create"), ("undo",)):
        said = cli(*words)
        assert said.code == 1 and "[server.stopped]" in said.err
    assert not (cli.paths.library / "library.db").exists()


def test_the_doctor_says_so_once_and_makes_no_library_beside(cli: CommandLine, monkeypatch: pytest.MonkeyPatch) -> None:
    from agent.app import doctor_commands

    real = doctor_commands.all_checks
    left_out = dict.fromkeys(("engine", "wall", "models"), lambda: "fine")
    monkeypatch.setattr(doctor_commands, "all_checks", lambda session: real(session) | left_out)
    LibraryKeys(cli.paths.library, key_home(KeyHome.FILE, cli.paths.keys)).create()
    (cli.paths.data / "postgres").mkdir()

    said = cli("doctor")

    assert said.code == 0 and said.out.count("ai-popup serve") == 1 and "ai-popup run" not in said.out
    assert "Tray" not in said.out and not (cli.paths.library / "library.db").exists()


@pytest.mark.parametrize("words", [("members", "list"), ("libraries", "list"), ("incidents", "list")])
def test_commands_about_a_team_name_the_command_that_starts_its_server(cli: CommandLine, words: tuple[str, ...]) -> None:
    assert "[agent.not_running]" in cli(*words).err
    (cli.paths.data / "postgres").mkdir()

    said = cli(*words)

    assert said.code == 1 and "[server.stopped]" in said.err and "ai-popup serve" in said.err and "systemctl start ai-popup" in said.err


@pytest.mark.parametrize("words", [("status",), ("pause",), ("resume",), ("open", "--print"), ("quit",)])
def test_commands_to_the_running_program_name_the_command_that_starts_a_server(cli: CommandLine, words: tuple[str, ...]) -> None:
    assert "[agent.not_running]" in cli(*words).err
    (cli.paths.data / "postgres").mkdir()

    said = cli(*words)

    assert said.code == 1 and "[server.stopped]" in said.err and "systemctl start ai-popup" in said.err and "ai-popup run" not in said.err


@pytest.mark.parametrize("words", [("status",), ("doctor",)])
def test_a_server_that_hangs_is_started_again_as_a_server(
    cli: CommandLine, running_agent: FakeAgent, monkeypatch: pytest.MonkeyPatch, words: tuple[str, ...]
) -> None:
    from agent.app import doctor_commands

    real = doctor_commands.all_checks
    monkeypatch.setattr(doctor_commands, "all_checks", lambda session: {"agent": real(session)["agent"]})
    running_agent.slow = "/api/status"
    said = cli(*words)
    assert "[agent.unreachable]" in said.out + said.err and "ai-popup run" in said.out + said.err
    (cli.paths.data / "postgres").mkdir()

    said = cli(*words)

    assert said.code == 1 and "systemctl restart ai-popup" in said.out + said.err and "ai-popup run" not in said.out + said.err


@pytest.mark.parametrize("words", [("status",), ("members", "list"), ("people", "list")])
@pytest.mark.parametrize("content", ["[server\n", '[server]\nport = "many"\n'])
def test_with_wrong_settings_they_say_so_and_how_the_server_is_started(cli: CommandLine, words: tuple[str, ...], content: str) -> None:
    (cli.paths.data / "postgres").mkdir()
    cli.paths.settings.write_text(content)

    said = cli(*words)

    assert said.code == 1 and "[server.stopped]" in said.err and "ai-popup config validate" in said.err
    assert "systemctl start ai-popup" in said.err and "ai-popup run" not in said.err


def test_a_desktop_with_wrong_settings_is_not_taken_for_a_server(cli: CommandLine) -> None:
    cli.paths.settings.write_text("[server\n")
    assert "[agent.not_running]" in cli("status").err and "[settings.unreadable]" in cli("people", "list").err


@pytest.mark.parametrize("words", [["serve"], ["worker"]])
def test_a_server_without_its_packages_names_the_command_that_installs_them(cli: CommandLine, words: list[str]) -> None:
    code = "import sys; sys.modules.update(psycopg=None, procrastinate=None, argon2=None)\n"
    code += "from agent.app.command_line import main; sys.exit(main(sys.argv[1:]))"
    done = subprocess.run([sys.executable, "-c", code, *words], capture_output=True, text=True, timeout=100, check=False)
    assert done.returncode == 1 and "[server.packages_missing]" in done.stderr and "my-ai-popup[server]" in done.stderr


def test_a_desktops_library_in_the_same_home_stays_usable(cli: CommandLine, analyser: FakeAnalyser, tmp_path: Path) -> None:
    cli("backup", "create")
    (cli.paths.data / "postgres").mkdir()
    assert cli("people", "list").code == 0


def test_problems_are_asked_of_the_server_whose_library_it_is(
    cli: CommandLine, running_agent: FakeAgent, monkeypatch: pytest.MonkeyPatch
) -> None:
    (cli.paths.data / "postgres").mkdir()
    problem = {"code": "engine.memory", "cause": "It took too much memory.", "remedy": "Raise the limit."}
    facts = {"place_id": 1, "name": "a.jpg", "path": "/photos/a.jpg", "quarantined": True, "at": "2026-05-06T07:08:09Z", "action": "retry"}
    pages = {"0": [facts | {"problem": problem}], "1": []}

    def answer(request: httpx.Request) -> httpx.Response:
        assert request.url.path == "/api/problems"
        return httpx.Response(200, json={"items": pages.pop(request.url.params["offset"]), "total": 1})

    monkeypatch.setattr(running_agent, "answer", answer)

    said = cli("problems", "list")

    assert said.code == 0 and "/photos/a.jpg: It took too much memory. Raise the limit. [engine.memory]" in said.out
    assert not pages and not (cli.paths.library / "library.db").exists()


@pytest.mark.parametrize("words", [("status",), ("people", "list"), ("doctor",), ("backup", "status"), ("backup", "drill")])
def test_of_a_server_that_waits_for_its_database_they_do_not_say_that_it_must_be_started(
    cli: CommandLine, monkeypatch: pytest.MonkeyPatch, words: tuple[str, ...]
) -> None:
    from agent.app import doctor_commands
    from agent.infrastructure.core.instance_lock import alone

    real, wanted = doctor_commands.all_checks, ("library", "agent")
    monkeypatch.setattr(doctor_commands, "all_checks", lambda session: {n: check for n, check in real(session).items() if n in wanted})
    LibraryKeys(cli.paths.library, key_home(KeyHome.FILE, cli.paths.keys)).create()
    (cli.paths.data / "postgres").mkdir()

    with alone(cli.paths, command=False):  # as `serve` does before it opens the database
        said = cli(*words)

    told = said.out + said.err
    assert told.count("does not answer yet") == 1 and "systemctl start" not in told and "ai-popup serve" not in told


def test_the_doctor_of_a_stopped_server_looks_at_its_certificate(cli: CommandLine, monkeypatch: pytest.MonkeyPatch) -> None:
    from agent.app import doctor_commands

    real = doctor_commands.all_checks
    monkeypatch.setattr(doctor_commands, "all_checks", lambda session: {"certificate": real(session)["certificate"]})
    (cli.paths.data / "postgres").mkdir()
    assert "made by the server" in cli("doctor").out

    Certificates(cli.paths.data / "made", lambda: ("photos.example",), utc_now).load()
    file = cli.paths.data / "made" / "server.pem"
    cli.paths.settings.write_text(f"[server]\ncertificate = '{file}'\nprivate_key = '{file}'\n")
    assert "valid until 20" in cli("doctor").out

    file.write_text("no certificate")
    said = cli("doctor")
    assert said.code == 1 and "✗ Certificate: " in said.out and "[server.certificate]" in said.out

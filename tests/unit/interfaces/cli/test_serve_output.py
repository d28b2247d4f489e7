"""What `ai-popup serve` prints of the first administrator's link: on a terminal the link, elsewhere only where it is."""

from __future__ import annotations

import json
import sys
from typing import TYPE_CHECKING

import pytest

from agent.app.server import process
from agent.app.server.addresses import LINK_FILE, ServerAddresses, forget_link

if TYPE_CHECKING:
    from collections.abc import Callable

    from tests.unit.interfaces.cli.conftest import CommandLine

LINK = "https://photos.example:8443/#invitation/t0ken"


@pytest.fixture
def link(monkeypatch: pytest.MonkeyPatch) -> list[str | None]:
    """What the server invites by."""
    given: list[str | None] = [LINK]

    class Answers:
        def __init__(self, _: object, __: object, up: Callable[[ServerAddresses], None], *___: object) -> None:
            self.run = lambda: up(ServerAddresses("Photos", "https://photos.example:8443", "AB", given[0]))

    monkeypatch.setattr(process, "Server", Answers)
    return given


@pytest.mark.usefixtures("link")
def test_what_may_be_a_log_gets_the_name_of_a_file_that_only_its_user_reads(cli: CommandLine) -> None:
    file = cli.paths.data / LINK_FILE
    said = cli("serve")
    assert said.code == 0 and str(file) in said.out and "t0ken" not in said.out + said.err
    assert file.read_text() == f"{LINK}\n"
    assert sys.platform == "win32" or file.stat().st_mode & 0o777 == 0o600
    as_json = cli("serve", "--json")
    assert "t0ken" not in as_json.out + as_json.err
    assert json.loads(as_json.out) | {"invitation": None, "invitation_file": str(file)} == json.loads(as_json.out)
    forget_link(cli.paths.data)
    forget_link(cli.paths.data)
    assert not file.exists()


@pytest.mark.usefixtures("link")
def test_a_terminal_shows_the_link_and_no_file_is_made(cli: CommandLine, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys.stdout, "isatty", lambda: True)
    assert LINK in cli("serve").out
    assert json.loads(cli("serve", "--json").out)["invitation"] == LINK
    assert not (cli.paths.data / LINK_FILE).exists()


def test_once_someone_can_sign_in_nothing_is_said(cli: CommandLine, link: list[str | None]) -> None:
    link[0] = None
    assert json.loads(cli("serve", "--json").out)["invitation_file"] is None
    assert "has no administrator yet" not in cli("serve").out

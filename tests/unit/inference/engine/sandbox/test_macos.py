"""The sandbox profile says what is granted and quotes what it is given; where it is refused nothing is claimed."""

import os
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from agent.inference.engine.sandbox import macos
from agent.inference.engine.sandbox.report import OPEN, Sandbox
from agent.inference.engine.sandbox.sandbox_paths import SandboxPaths

ROOMS = SandboxPaths(read=(Path("/opt/program"),), write=(Path('/opt/a "scratch"\\folder'),))


class System:
    """The system's library; `result` is what it answers."""

    def __init__(self, result: int) -> None:
        self.result = result
        self.profiles: list[str] = []
        self.freed = 0

    def sandbox_init(self, profile: bytes, _flags: object, _problem: object) -> int:
        self.profiles.append(profile.decode())
        return self.result

    def sandbox_free_error(self, _problem: object) -> None:
        self.freed += 1


@pytest.fixture(autouse=True)
def unlimited(monkeypatch: pytest.MonkeyPatch) -> list[int | None]:
    """Limits would stay with the tests."""
    asked: list[int | None] = []
    monkeypatch.setattr(macos, "limit", asked.append)
    return asked


POSIX = pytest.mark.skipif(os.name != "posix", reason="the rules name POSIX's paths")


def raised(system: System, rooms: SandboxPaths = ROOMS) -> Sandbox:
    def load(_name: str) -> Any:
        return system

    return macos.enter_sandbox(rooms, load=load)


@POSIX
def test_what_is_denied_comes_before_what_is_granted() -> None:
    rules = macos.profile(ROOMS)
    assert rules.index("(deny file-read-data") < rules.index('(allow file-read-data (subpath "/opt/program")')
    assert rules.index("(deny file-write*)") < rules.index("(allow file-write* ")
    for shut in ("network*", "process-exec*", "process-fork", "mach-lookup", "ipc-sysv*"):
        assert f"(deny {shut})" in rules
    assert rules.count("(") == rules.count(")")


def test_core_mls_services_are_open_only_to_an_engine_that_uses_accelerators() -> None:
    assert "ANECompilerService" not in macos.profile(ROOMS)
    rules = macos.profile(replace(ROOMS, devices=True))
    assert rules.index("(deny mach-lookup)") < rules.index('(global-name "com.apple.ANECompilerService")')
    assert rules.count("(") == rules.count(")")


@POSIX
@pytest.mark.parametrize("private", ["/Users", "/Volumes", "/private/tmp", "/private/var/tmp", "/private/var/folders"])
def test_no_folder_in_which_users_have_files_is_open(private: str) -> None:
    rules = macos.profile(ROOMS)
    begin = rules.index("(deny file-read-data ")
    assert f'(subpath "{private}")' in rules[begin : rules.index("\n", begin)]


@POSIX
def test_a_folder_can_not_write_rules_of_its_own() -> None:
    assert '(allow file-write* (subpath "/opt/a \\"scratch\\"\\\\folder")' in macos.profile(ROOMS)


def test_a_sandbox_that_stands_holds_everything(unlimited: list[int | None]) -> None:
    system = System(0)
    wall = raised(system, SandboxPaths((), (), address_space=5))
    assert wall.check() == "sandbox" and len(system.profiles) == 1 and unlimited == [5]


def test_a_profile_that_is_refused_is_no_wall() -> None:
    system = System(-1)
    assert raised(system) == OPEN and system.freed == 1


def test_only_the_engine_that_takes_pictures_of_the_screen_may_ask_the_window_server() -> None:
    assert "windowserver" not in macos.profile(ROOMS)
    rules = macos.profile(replace(ROOMS, screen=True))
    assert rules.index("(deny mach-lookup)") < rules.index('(allow mach-lookup (global-name "com.apple.windowserver.active")')
    assert rules.count("(") == rules.count(")")

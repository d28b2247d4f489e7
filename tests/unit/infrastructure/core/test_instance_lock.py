"""Who else uses the library is told apart: the agent, or a command that does without one."""

import sys
from collections.abc import Callable
from contextlib import AbstractContextManager
from pathlib import Path

import pytest

from agent.domain.errors import AlreadyRunning, CommandRunning
from agent.infrastructure.core.instance_lock import SCRATCH, alone, together
from agent.infrastructure.core.paths import AppPaths


@pytest.mark.parametrize(("command", "told"), [(True, CommandRunning), (False, AlreadyRunning)])
def test_whoever_comes_second_is_told_who_was_first(tmp_path: Path, command: bool, told: type[Exception]) -> None:
    paths = AppPaths.find({"AI_POPUP_HOME": str(tmp_path)})
    for _ in range(2):
        with alone(paths, command=command), pytest.raises(told), alone(paths):
            raise AssertionError("two at once")


def test_the_agent_after_a_command_is_not_taken_for_one(tmp_path: Path) -> None:
    paths = AppPaths.find({"AI_POPUP_HOME": str(tmp_path)})
    with alone(paths):
        pass
    with alone(paths, command=False), pytest.raises(AlreadyRunning), alone(paths):
        raise AssertionError("two at once")


@pytest.mark.skipif(sys.platform == "win32", reason="on Windows there is one server")
def test_several_servers_share_the_library_and_keep_commands_out(tmp_path: Path) -> None:
    one, other = (AppPaths.find({"AI_POPUP_HOME": str(tmp_path), "AI_POPUP_INSTANCE": name}) for name in ("one", "other"))
    with together(one):
        with together(other), pytest.raises(AlreadyRunning), together(other):
            raise AssertionError("the same instance twice")
        with pytest.raises(AlreadyRunning), alone(one):
            raise AssertionError("a command beside a server")
    with alone(one), pytest.raises(CommandRunning), together(other):
        raise AssertionError("a server beside a command")


@pytest.mark.parametrize("hold", [alone, together])
def test_a_copy_of_a_library_that_a_killed_command_left_is_deleted(
    tmp_path: Path, hold: Callable[[AppPaths], AbstractContextManager[None]]
) -> None:
    paths = AppPaths.find({"AI_POPUP_HOME": str(tmp_path)}).create()
    left = paths.data / f"{SCRATCH}a1b2"
    left.mkdir()
    (left / "library.db").write_bytes(b"face prints")
    with hold(paths):
        assert not left.exists()

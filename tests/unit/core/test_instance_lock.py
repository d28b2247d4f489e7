"""Who else uses the library is told apart: the agent, or a command that does without one."""

from pathlib import Path

import pytest

from agent.core.instance_lock import alone
from agent.core.paths import AppPaths
from agent.domain.errors import AlreadyRunning, CommandRunning


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

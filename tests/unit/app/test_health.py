"""What the doctor says of the engine's walls."""

from dataclasses import replace

import pytest

from agent.app.health import Finding, Wall
from agent.domain.errors import EngineOpen

WHOLE = Wall(files=True, writes=True, network=True, programs=True, by="bricks")


def test_a_wall_that_stands_says_what_it_is_made_of() -> None:
    assert WHOLE.check() == "bricks"


@pytest.mark.parametrize(
    ("wall", "gap"),
    [
        (Wall(), "both"),
        (replace(WHOLE, files=False), "files"),
        (replace(WHOLE, writes=False), "files"),
        (replace(WHOLE, network=False), "network"),
        (replace(WHOLE, programs=False), "network"),
    ],
)
def test_a_gap_is_named_and_is_no_failure(wall: Wall, gap: str) -> None:
    with pytest.raises(EngineOpen) as caught:
        wall.check()
    assert caught.value.params == {gap: 1}
    assert Finding("wall", error=caught.value).state == "absent"

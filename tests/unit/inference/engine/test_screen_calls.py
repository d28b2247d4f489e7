"""What crosses between agent and the screen's engine: what can be no answer is not believed."""

from dataclasses import replace

import pytest

from agent.domain.errors import EngineBadAnswer
from agent.domain.face import Box, Face, Quality
from agent.domain.image import Recipe
from agent.domain.screen import Monitor, ScreenRef
from agent.inference.engine import screen_calls
from agent.inference.engine.screen_calls import ScreenCoverRequest
from agent.inference.engine.screen_port import GrabbedFrame, WatchedScreen, WatchTask

FACE = Face(Box(-1.5, 2, 30, 40), 0.9, ((1, 2), (3, 4), (5, 6), (7, 8), (9, 10)), Quality(20, 100, -3, 4))
ONE = Monitor(1, 800, 100, 1920, 1080, 1.0, True)
BESIDE = Monitor(2, 0, 0, 800, 600, 1.0, False, -800, -100)
TASK = WatchTask(Recipe("centerface-2"), min_score=0.5, min_face=20)


def test_monitors_come_back_as_they_were_sent() -> None:
    assert screen_calls.MONITORS.checked(screen_calls.MONITORS.response.load(screen_calls.MONITORS.response.dump((ONE, BESIDE))), None) == (
        ONE,
        BESIDE,
    )


@pytest.mark.parametrize(
    "wrong",
    [
        (),
        (BESIDE,),
        (replace(ONE, x=-1),),
        (replace(ONE, w=0),),
        (replace(ONE, w=1_000_000),),
        (replace(ONE, y=10**30),),
        (replace(ONE, left=-1_000_000),),
        (replace(ONE, scale=0.0),),
        (replace(ONE, scale=1e-9),),
        tuple(replace(ONE, number=number) for number in range(1, 1_001)),
    ],
)
def test_monitors_that_no_desk_has_are_a_bad_answer(wrong: tuple[Monitor, ...]) -> None:
    with pytest.raises(EngineBadAnswer):
        screen_calls.MONITORS.checked(wrong, None)


@pytest.mark.parametrize("wrong", [GrabbedFrame("../a", 10, 10), GrabbedFrame("0a" * 16, 0, 10), GrabbedFrame("0a" * 16, 10, 10**12)])
def test_a_picture_that_can_not_be_is_a_bad_answer(wrong: GrabbedFrame) -> None:
    assert screen_calls.GRAB.checked(GrabbedFrame("0a" * 16, 10, 10), ScreenRef()) == GrabbedFrame("0a" * 16, 10, 10)
    with pytest.raises(EngineBadAnswer):
        screen_calls.GRAB.checked(wrong, ScreenRef())


def test_a_covered_picture_is_of_the_format_that_was_asked_for() -> None:
    assert screen_calls.COVER.checked(b"\xff\xd8\xff...", ScreenCoverRequest("0a" * 16, (), "jpeg"))
    with pytest.raises(EngineBadAnswer):
        screen_calls.COVER.checked(b"<svg>", ScreenCoverRequest("0a" * 16, (), "png"))


@pytest.mark.parametrize(
    "wrong",
    [
        WatchedScreen(False, (FACE,)),
        WatchedScreen(True, (replace(FACE, embedding=bytes(768)),)),
        WatchedScreen(True, (replace(FACE, chip=b"\xff\xd8"),)),
        WatchedScreen(True, (replace(FACE, box=Box(0, 0, 0, 5)),)),
        WatchedScreen(True, (replace(FACE, box=Box(0, 0, 1e200, 1e200)),)),
        WatchedScreen(True, (replace(FACE, score=2.0),)),
        WatchedScreen(True, (FACE,) * 100_001),
    ],
)
def test_faces_that_can_not_be_seen_on_a_screen_are_a_bad_answer(wrong: WatchedScreen) -> None:
    assert screen_calls.WATCH.checked(WatchedScreen(True, (FACE,)), TASK) == WatchedScreen(True, (FACE,))
    with pytest.raises(EngineBadAnswer):
        screen_calls.WATCH.checked(wrong, TASK)

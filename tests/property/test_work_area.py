"""Where the popup stands, on any screen."""

from hypothesis import given
from hypothesis import strategies as st

from agent.desktop.system.work_area import MARGIN, Rect, frame, place
from agent.infrastructure.core.settings import Corner


@given(
    area=st.builds(Rect, st.integers(-8000, 8000), st.integers(-8000, 8000), st.integers(1, 8000), st.integers(1, 8000)),
    width=st.integers(1, 2000),
    height=st.integers(1, 2000),
    corner=st.sampled_from(Corner),
)
def test_a_window_that_fits_lies_within_and_another_keeps_its_top_left(area: Rect, width: int, height: int, corner: Corner) -> None:
    x, y = place(area, width, height, corner)

    assert x >= area.x
    assert y >= area.y
    if width + 2 * MARGIN <= area.w:
        assert area.x + MARGIN <= x <= area.x + area.w - width - MARGIN
    if height + 2 * MARGIN <= area.h:
        assert area.y + MARGIN <= y <= area.y + area.h - height - MARGIN


@given(
    area=st.builds(Rect, st.integers(-8000, 8000), st.integers(-8000, 8000), st.integers(100, 8000), st.integers(100, 8000)),
    corner=st.sampled_from(Corner),
)
def test_it_is_never_larger_than_the_room_there_is(area: Rect, corner: Corner) -> None:
    at = frame(area, 380, 520, corner)
    assert (at.w, at.h) == (min(380, area.w - 24), min(520, area.h - 24))
    assert area.x + MARGIN <= at.x <= area.x + area.w - at.w - MARGIN
    assert area.y + MARGIN <= at.y <= area.y + area.h - at.h - MARGIN

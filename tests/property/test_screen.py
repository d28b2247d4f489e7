"""Regions of the screen say the same when they are written and read again, and are cut where the picture ends."""

import contextlib

import pytest
from hypothesis import given
from hypothesis import strategies as st

from agent.domain.screen import ScreenRegion

SIDE = st.integers(1, 99_999)
PLACE = st.integers(0, 99_999)
REGIONS = st.builds(ScreenRegion, PLACE, PLACE, SIDE, SIDE)


@given(REGIONS)
def test_a_region_is_read_as_it_was_written(region: ScreenRegion) -> None:
    assert ScreenRegion.parse(str(region)) == region


@given(st.text(alphabet=",0123456789-. ") | st.text())
def test_what_is_read_was_written_so(text: str) -> None:
    with contextlib.suppress(ValueError):
        assert str(ScreenRegion.parse(text)) == text


@pytest.mark.parametrize("text", ["", "1,2,3", "0,0,0,5", "-1,0,5,5", "01,2,3,4", "1,2,3,4,5", "١,2,3,4"])
def test_what_is_no_region_is_refused(text: str) -> None:
    with pytest.raises(ValueError):
        ScreenRegion.parse(text)


@given(st.integers(-500, 500), st.integers(-500, 500), st.integers(0, 900), st.integers(0, 900), SIDE, SIDE)
def test_a_region_is_cut_where_the_picture_ends(x: int, y: int, w: int, h: int, width: int, height: int) -> None:
    kept = ScreenRegion.clipped(x, y, w, h, within=(width, height))
    there = (set(range(x, x + w)) & set(range(width)), set(range(y, y + h)) & set(range(height)))
    if kept is None:
        assert not all(there)
    else:
        assert (set(range(kept.x, kept.x + kept.w)), set(range(kept.y, kept.y + kept.h))) == there

"""References to the screen say the same when they are written and read again, and regions are cut where the picture ends."""

import contextlib

import pytest
from hypothesis import given
from hypothesis import strategies as st

from agent.domain.screen import ScreenRef, ScreenRegion

SIDE = st.integers(1, 99_999)
PLACE = st.integers(0, 99_999)
REGIONS = st.builds(ScreenRegion, PLACE, PLACE, SIDE, SIDE)
REFERENCES = st.builds(ScreenRef, st.integers(0, 99), st.none() | REGIONS)


@given(REFERENCES)
def test_a_reference_is_read_as_it_was_written(reference: ScreenRef) -> None:
    assert ScreenRef.parse(str(reference)) == reference


@given(st.text(alphabet="screen:/,0123456789-. ") | st.text())
def test_what_is_read_was_written_so(text: str) -> None:
    with contextlib.suppress(ValueError):
        assert str(ScreenRef.parse(text)) == text


@pytest.mark.parametrize(
    "text", ["", "screen:", "screen:1/", "screen:1/1,2,3", "screen:1/0,0,0,5", "screen:-1", "screen:01", "screen:1/1,2,3,4,5", "screen:١"]
)
def test_what_is_no_reference_is_refused(text: str) -> None:
    with pytest.raises(ValueError):
        ScreenRef.parse(text)


@given(st.integers(-500, 500), st.integers(-500, 500), st.integers(0, 900), st.integers(0, 900), SIDE, SIDE)
def test_a_region_is_cut_where_the_picture_ends(x: int, y: int, w: int, h: int, width: int, height: int) -> None:
    kept = ScreenRegion.clipped(x, y, w, h, within=(width, height))
    there = (set(range(x, x + w)) & set(range(width)), set(range(y, y + h)) & set(range(height)))
    if kept is None:
        assert not all(there)
    else:
        assert (set(range(kept.x, kept.x + kept.w)), set(range(kept.y, kept.y + kept.h))) == there

"""Any covers on files of any lossless format: what they touch is gone from the copy, and nothing else of it changes."""

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from agent.domain.face import Box
from agent.domain.redaction import Cover, Look, Shape, Style
from agent.inference.vision.redacted import RenderOptions, render, restore
from agent.inference.vision.redactor import covered
from tests.support.covered_files import FILES, HEIGHT, LIMITS, LOSSLESS, WIDTH, rgba

ONE = {name: FILES[name](1) for name in LOSSLESS}
SHOWN = {name: rgba(data) for name, data in ONE.items()}
PLACE, SIDE = st.floats(-80, 150), st.floats(0, 150)
LOOKS = st.builds(Look, st.sampled_from(Style), st.sampled_from(Shape))
COVERS = st.lists(st.builds(Cover, st.builds(Box, PLACE, PLACE, SIDE, SIDE), LOOKS, st.floats(-180, 180)), max_size=4)


@given(st.sampled_from(LOSSLESS), COVERS)
@settings(max_examples=120)
def test_what_no_cover_touches_is_the_same_and_what_one_touches_is_opaque(name: str, covers: list[Cover]) -> None:
    before, after = SHOWN[name], rgba(render(ONE[name], RenderOptions(tuple(covers)), LIMITS).data)
    below = covered(covers, WIDTH, HEIGHT)
    visible = ~below & (before[:, :, 3] > 0)
    assert np.array_equal(before[visible], after[visible])
    assert np.array_equal(before[:, :, 3][~below], after[:, :, 3][~below])
    assert (after[:, :, 3][below] == 255).all()


@given(st.sampled_from(LOSSLESS), COVERS)
@settings(max_examples=60)
def test_what_was_kept_of_it_brings_all_of_it_back(name: str, covers: list[Cover]) -> None:
    copy = render(ONE[name], RenderOptions(tuple(covers), keep_regions=True), LIMITS)
    visible = SHOWN[name][:, :, 3] > 0
    assert np.array_equal(rgba(restore(copy.data, copy.parts, LIMITS))[visible], SHOWN[name][visible])

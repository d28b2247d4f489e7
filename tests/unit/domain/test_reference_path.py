"""The picture that stands for a reference photo is the one that the aligner cuts out."""

import pytest

from agent.domain import reference_path
from agent.inference.vision.aligner import CHIP_SIDE, FACE_SIDE, MARGIN, TEMPLATE
from agent.infrastructure.core.access_scope import shown_path


def test_the_face_is_where_the_aligner_puts_it() -> None:
    box = reference_path.FACE
    assert reference_path.SIDE == CHIP_SIDE
    assert (box.x, box.y, box.w, box.h) == (MARGIN, MARGIN, FACE_SIDE, FACE_SIDE)
    for ours, theirs in zip(reference_path.LANDMARKS, TEMPLATE, strict=True):
        assert ours == pytest.approx((theirs[0] + MARGIN, theirs[1] + MARGIN))


def test_the_key_is_not_the_photos_digest_and_is_shown_by_its_beginning() -> None:
    key = reference_path.key_of("a" * 64)
    assert key != "a" * 64 and len(key) == 64
    assert shown_path(reference_path.path_of(key)) == f"reference/{key[:12]}"
    assert reference_path.shown("/photos/reference:1.jpg") is None

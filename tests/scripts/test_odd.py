"""What the benchmark of odd files has against a copy."""

from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, cast

import numpy as np
import PIL.Image
import pytest

from agent.domain.face import Analysis, Box, Face, Quality, StageTimes
from agent.domain.image import Recipe
from agent.domain.redaction import Cover
from agent.inference.vision.redacted import RenderOptions, render
from scripts.benchmarks import odd, run
from tests.support.covered_files import COVER, FILES, HEIGHT, LIMITS, WIDTH, rgba

if TYPE_CHECKING:
    from agent.inference.engine.pool import EnginePool

EMBEDDING = np.eye(1, 128, dtype="<f4").tobytes()


def analysis(width: int) -> Analysis:
    return Analysis("0" * 64, 1, width, HEIGHT, "png", Recipe("centerface-2"), "f32", (), StageTimes(0, 0, 0, 0))


@pytest.mark.parametrize("name", ["png", "jpeg", "avif", "tiff-deep"])
def test_a_good_copy_has_nothing_against_it(name: str, tmp_path: Path) -> None:
    copy, plain = tmp_path / "copy", tmp_path / "plain.png"
    copy.write_bytes(render(FILES[name](1), RenderOptions((COVER,)), LIMITS).data)
    assert odd._decoded(copy, plain, analysis(WIDTH), [COVER]) == ()
    assert np.array_equal(np.asarray(PIL.Image.open(plain)), rgba(copy.read_bytes())[:, :, :3])


@pytest.mark.parametrize(("covers", "width", "against"), [((), WIDTH, ("not_flat",)), ((COVER,), WIDTH + 1, ("size",))])
def test_a_copy_that_shows_what_is_covered_or_has_another_size_is_told(
    covers: tuple[Cover, ...], width: int, against: tuple[str, ...], tmp_path: Path
) -> None:
    copy = tmp_path / "copy"
    copy.write_bytes(render(FILES["png"](1), RenderOptions(covers), LIMITS).data)
    assert odd._decoded(copy, tmp_path / "plain.png", analysis(width), [COVER]) == against


class Pool:
    """Finds one face in every copy, whose embedding is that of the covered face."""

    def __init__(self, found: Analysis) -> None:
        self.found = found

    async def analyse(self, _: object) -> Analysis:
        return self.found


ELSEWHERE = replace(COVER.box, x=COVER.box.x + 2 * COVER.box.w)


@pytest.mark.parametrize(
    ("pixels", "place", "against"),
    [(30.0, COVER.box, ("seen",)), (30.0, ELSEWHERE, ("seen",)), (5.0, ELSEWHERE, ()), (5.0, COVER.box, ("seen",))],
)
async def test_a_covered_person_who_is_found_again_is_told_and_a_speck_only_in_its_place(
    pixels: float, place: Box, against: tuple[str, ...], tmp_path: Path
) -> None:
    copy = tmp_path / "copy"
    copy.write_bytes(render(FILES["png"](1), RenderOptions((COVER,)), LIMITS).data)
    found = ((COVER.box, pixels), (place, 60))
    faces = [Face(box, 0.9, ((1.0, 1.0),) * 5, Quality(size, 500, 0, 0), EMBEDDING) for box, size in found]
    before, after = (replace(analysis(WIDTH), faces=(face,)) for face in faces)
    assert await odd._wrong(cast("EnginePool", Pool(after)), copy, before, [COVER]) == against


def test_it_is_measured_on_a_folder_only(tmp_path: Path) -> None:
    assert len(run.measures(["odd", str(tmp_path)], long=False)) == 1
    with pytest.raises(ValueError, match="needs the folder"):
        run.measures(["odd"], long=False)

"""Files laid out as few programs lay them out, with the real nets: the face that is on one is on no copy of it."""

from pathlib import Path

import numpy as np
import PIL.Image
import pytest

from agent.app.ports import Analyse
from agent.domain.image import Recipe
from agent.domain.redaction import Look, Style, cover_of
from agent.engine.service import Engine
from agent.vision.codecs import Limits, decode
from agent.vision.copies import Wish, render
from agent.vision.redactor import covered
from tests.golden.test_redactions import APART, vectors
from tests.odd_files import ODD

RECOGNISE = Recipe("centerface-2", "mobilefacenet-2")
LIMITS = Limits(megapixels=50, megabytes=50)


@pytest.mark.parametrize("style", [Style.SOLID, Style.MOSAIC])
@pytest.mark.parametrize("name", [name for name in ODD if name != "bigtiff-motorola"])
def test_a_face_is_found_and_covered_however_its_file_is_laid_out(
    engine: Engine, samples_folder: Path, tmp_path: Path, name: str, style: Style
) -> None:
    with PIL.Image.open(samples_folder / "biden.jpg") as whole:
        picture = np.asarray(whole.convert("RGB").reduce(2))
    path, copy = tmp_path / "photo", tmp_path / "copy"
    path.write_bytes(ODD[name](picture))
    before = engine.analyse(Analyse(str(path), RECOGNISE, thorough=True))
    assert before.faces
    covers = tuple(cover_of(face, Look(style)) for face in before.faces)
    copy.write_bytes(render(path.read_bytes(), Wish(covers, "png"), LIMITS).data)
    seen = vectors(engine.analyse(Analyse(str(copy), RECOGNISE, thorough=True)))
    assert all(np.linalg.norm(known - other) > APART for known in vectors(before) for other in seen)
    outside = ~covered(covers, picture.shape[1], picture.shape[0])
    off = np.abs(decode(copy.read_bytes(), LIMITS).pixels.astype(int) - picture)[outside]
    assert off.max() <= (16 if name == "bmp-4444" else 0)

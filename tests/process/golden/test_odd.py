"""Files laid out as few programs lay them out, with the real nets: the face that is on one is on no copy of it."""

import io
from pathlib import Path

import numpy as np
import PIL.Image
import pytest

from agent.domain.image import Recipe
from agent.domain.redaction import Look, Style, cover_of
from agent.inference.engine.analyser import Analyse
from agent.inference.engine.service import Engine
from agent.inference.vision.animations.animation_frames import look_through
from agent.inference.vision.codecs import DecodeLimits, decode
from agent.inference.vision.redacted import RenderOptions, render
from agent.inference.vision.redactor import covered
from tests.process.golden.test_redactions import APART, faces_on, vectors
from tests.support.unusual_images import ODD

RECOGNISE = Recipe("centerface-2", "mobilefacenet-2")
LIMITS = DecodeLimits(megapixels=50, megabytes=50)


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
    copy.write_bytes(render(path.read_bytes(), RenderOptions(covers, "png"), LIMITS).data)
    seen = vectors(engine.analyse(Analyse(str(copy), RECOGNISE, thorough=True)))
    assert all(np.linalg.norm(known - other) > APART for known in vectors(before) for other in seen)
    outside = ~covered(covers, picture.shape[1], picture.shape[0])
    off = np.abs(decode(copy.read_bytes(), LIMITS).pixels.astype(int) - picture)[outside]
    assert off.max() <= (16 if name == "bmp-4444" else 0)


@pytest.mark.parametrize("alpha", [8, 16, 32])
@pytest.mark.parametrize("kind", ["PNG", "WEBP"])
def test_a_face_that_shines_through_faintly_is_found_and_covered(
    engine: Engine, samples_folder: Path, tmp_path: Path, kind: str, alpha: int
) -> None:
    """Transparency can be removed from a copy, so what lies below it must be covered too."""
    with PIL.Image.open(samples_folder / "biden.jpg") as whole:
        clear = whole.convert("RGB").reduce(2)
    known = faces_on(engine, clear, tmp_path)
    assert known
    clear.putalpha(alpha)
    options = {"lossless": True} if kind == "WEBP" else {}
    path = tmp_path / "photo"
    clear.save(path, kind, **options)
    before = engine.analyse(Analyse(str(path), RECOGNISE, thorough=True)).faces
    assert all(any(face.box.iou(other.box) > 0.5 for other in before) for face in known)
    copy = render(path.read_bytes(), RenderOptions(tuple(cover_of(face, Look()) for face in before)), LIMITS).data
    with PIL.Image.open(io.BytesIO(copy)) as opened:
        shown = np.asarray(opened.convert("RGBA"))
    for face in known:
        x, y = round(face.box.x + face.box.w / 2), round(face.box.y + face.box.h / 2)
        assert (shown[y - 10 : y + 10, x - 10 : x + 10] == (0, 0, 0, 255)).all()
    bare = PIL.Image.fromarray(shown[:, :, :3])
    assert not [face for face in faces_on(engine, bare, tmp_path) if any(face.box.iou(other.box) > 0.5 for other in known)]


def test_a_face_that_shines_through_faintly_is_found_in_a_film(engine: Engine, samples_folder: Path) -> None:
    with PIL.Image.open(samples_folder / "biden.jpg") as whole:
        clear = whole.convert("RGB").reduce(2)
    frames = [clear.copy() for _ in range(2)]
    for number, frame in enumerate(frames):
        frame.putpixel((number, 0), (255, 0, 0))
        frame.putalpha(16)
    out = io.BytesIO()
    frames[0].save(out, "PNG", save_all=True, append_images=frames[1:])
    seen = look_through(out.getvalue(), LIMITS, engine.detector("centerface-2").thorough)
    assert [bool(sight.finds) for sight in seen.sights] == [True, True]

"""Redactions of the samples with the real nets: who was on a photo is not to be recognised on its copy, nor on any frame of a film."""

from pathlib import Path

import numpy as np
import PIL.Image
import PIL.ImageSequence
import pytest
from numpy.typing import NDArray

from agent.domain.face import Analysis, Face
from agent.domain.image import Recipe
from agent.domain.redaction import Look, Style, cover_of
from agent.features.redaction.video.job_files import VideoJobFolder
from agent.features.redaction.video.video_redactor import VideoOptions, VideoRedactor
from agent.inference.engine.analyser import Analyse
from agent.inference.engine.service import Engine
from agent.inference.engine.video_engine import EngineAnimations
from agent.inference.vision.codecs import DecodeLimits
from agent.inference.vision.redacted import RenderOptions, render
from agent.inference.vision.redactor import SOLID
from tests.support.inline_engine import InlineEngine

DETECT, RECOGNISE = Recipe("centerface-2"), Recipe("centerface-2", "mobilefacenet-2")
LIMITS = DecodeLimits(megapixels=50, megabytes=50)
SAMPLES = ("obama.jpg", "biden.jpg", "obama_partial_face.jpg", "32bit.png")
# Beyond this two faces are nobody's the same, see agent.domain.identity_matching.
APART = 1.05


def vectors(analysis: Analysis) -> list[NDArray[np.float32]]:
    return [np.frombuffer(face.embedding, "<f4") for face in analysis.faces if face.embedding is not None]


@pytest.mark.parametrize("name", SAMPLES)
def test_whatever_is_seen_of_a_covered_face_is_nobody(engine: Engine, samples_folder: Path, tmp_path: Path, name: str) -> None:
    """A detector may still take a head with a black oval in it for a face."""
    path = samples_folder / name
    before = engine.analyse(Analyse(str(path), RECOGNISE, thorough=True))
    assert before.faces
    for style in Style:
        covers = tuple(cover_of(face, Look(style)) for face in before.faces)
        (tmp_path / style).write_bytes(render(path.read_bytes(), RenderOptions(covers), LIMITS).data)
        seen = vectors(engine.analyse(Analyse(str(tmp_path / style), RECOGNISE, thorough=True)))
        assert all(np.linalg.norm(known - other) > APART for known in vectors(before) for other in seen)


async def test_a_face_that_moves_through_a_gif_is_covered_wherever_it_is(engine: Engine, samples_folder: Path, tmp_path: Path) -> None:
    with PIL.Image.open(samples_folder / "biden.jpg") as whole:
        head = whole.crop((330, 60, 830, 660)).resize((100, 120))
    frames = []
    for place in ((20, 30), (180, 60), (350, 100)):
        frame = PIL.Image.new("RGB", (480, 270), (90, 120, 90))
        frame.paste(head, place)
        frames.append(frame)
    path, output = tmp_path / "film.gif", tmp_path / "copy.gif"
    frames[0].save(path, save_all=True, append_images=frames[1:], duration=[40, 50, 60])
    faces = [face for frame in frames for face in faces_on(engine, frame, tmp_path)]
    assert len(faces) == 3
    redactor = VideoRedactor(EngineAnimations(InlineEngine(engine)), VideoJobFolder(tmp_path / "jobs"))
    await redactor.redact(VideoOptions(str(path), str(output), Look()))
    with PIL.Image.open(output) as opened:
        shown = [each.convert("RGB") for each in PIL.ImageSequence.Iterator(opened)]
        durations = [each.info["duration"] for each in PIL.ImageSequence.Iterator(opened)]
    assert durations == [40, 50, 60]
    for face, covered in zip(faces, shown, strict=True):
        x, y = round(face.box.x + face.box.w / 2), round(face.box.y + face.box.h / 2)
        assert (np.asarray(covered)[y - 15 : y + 15, x - 12 : x + 12] == SOLID).all()
        assert not faces_on(engine, covered, tmp_path)


def faces_on(engine: Engine, picture: PIL.Image.Image, folder: Path) -> tuple[Face, ...]:
    picture.save(folder / "frame.png")
    return engine.analyse(Analyse(str(folder / "frame.png"), DETECT, thorough=True)).faces

"""Videos and animations whose covers were edited, redacted again by real engines."""

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np
import PIL.Image
import PIL.ImageSequence
import pytest

from agent.domain.face import Box
from agent.domain.redaction import Cover, Look, Reason, Shape
from agent.features.redaction.options import Mark
from agent.features.redaction.video.editable_tracks import covered_along, marks_along, moments_of
from agent.features.redaction.video.job_files import VideoJobFolder
from agent.features.redaction.video.video_redactor import ByHand, VideoOptions, VideoRedactor
from agent.inference.engine.video_ports import VideoRenderer
from tests.process.clips.test_clips import blacks, face_clip, films, renderer

__all__ = ["films", "renderer"]  # fixtures

pytestmark = pytest.mark.asyncio(loop_scope="module")


@pytest.mark.parametrize("kind", ["PNG", "TIFF"])
async def test_by_hand_a_face_shows_throughout_and_an_area_is_covered_in_every_frame(
    films: VideoRenderer, samples_folder: Path, tmp_path: Path, kind: str
) -> None:
    with PIL.Image.open(samples_folder / "biden.jpg") as opened:
        face = opened.convert("RGB").reduce(4).crop((0, 0, 250, 200))
    frames = [PIL.Image.new("RGB", (600, 240), (120, 120, 120)) for _ in range(4)]
    for number, frame in enumerate(frames):
        frame.paste(face, (5 + 10 * number, 20))
        frame.paste(face, (310 - 3 * number, 20))
    original, look = tmp_path / "film", Look()
    frames[0].save(original, kind, save_all=True, append_images=frames[1:])
    redactor = VideoRedactor(films, VideoJobFolder(tmp_path / "jobs"))
    copy = await redactor.redact(VideoOptions(str(original), str(tmp_path / "copy"), look))
    moments, marks = moments_of(copy.clip), marks_along(copy.trails, copy.verdicts, look)
    assert moments is not None and marks is not None and (moments.first, moments.last, moments.apart) == (0, 3, kind == "TIFF")

    def ways(marks: Sequence[Mark]) -> ByHand:
        return ByHand(copy.clip.sha256, covered_along(marks, moments))

    def pictures(name: str) -> list[np.ndarray]:
        with PIL.Image.open(tmp_path / name) as opened:
            return [np.asarray(frame.convert("RGB")) for frame in PIL.ImageSequence.Iterator(opened)]

    # As it was decided, it comes out as it did.
    await redactor.redact(VideoOptions(str(original), str(tmp_path / "same"), look, by_hand=ways(marks)))
    assert all(map(np.array_equal, pictures("same"), pictures("copy")))

    left = [replace(mark, covered=mark.cover.box.x > 150) for mark in marks]
    area = Mark(Cover(Box(10, 225, 40, 15), Look(shape=Shape.BOX), 0.0, Reason.HAND))
    await redactor.redact(VideoOptions(str(original), str(tmp_path / "edited"), look, by_hand=ways([*left, area])))
    assert len(pictures("edited")) == 4
    for before, whole, after in zip(pictures("film"), pictures("copy"), pictures("edited"), strict=True):
        assert not after[225:240, 10:50].any()
        assert np.array_equal(after[:220, :290], before[:220, :290]) and not np.array_equal(whole[:220, :290], before[:220, :290])
        assert np.array_equal(after[:220, 310:], whole[:220, 310:]) and not np.array_equal(whole[:220, 310:], before[:220, 310:])
    assert not list((tmp_path / "jobs").iterdir())


async def test_by_hand_a_clip_is_covered_where_somebody_says_in_every_frame(
    renderer: VideoRenderer, samples_folder: Path, tmp_path: Path
) -> None:
    original, look = face_clip(tmp_path / "clip.mp4", samples_folder), Look()
    redactor = VideoRedactor(renderer, VideoJobFolder(tmp_path / "jobs"))
    copy = await redactor.redact(VideoOptions(str(original), str(tmp_path / "copy"), look))
    moments, marks = moments_of(copy.clip), marks_along(copy.trails, copy.verdicts, look)
    assert moments is not None and marks is not None and not moments.apart
    assert (moments.last - moments.first) // moments.step + 1 == 20

    area = Mark(Cover(Box(0, 440, 320, 40), Look(shape=Shape.BOX), 0.0, Reason.HAND))
    for said, name in ((marks, "same"), ([replace(marks[0], covered=False), area], "edited")):
        ways = ByHand(copy.clip.sha256, covered_along(said, moments))
        await redactor.redact(VideoOptions(str(original), str(tmp_path / name), look, by_hand=ways))
    assert blacks(tmp_path / "same") == blacks(tmp_path / "copy")
    drawn = 320 * 40 / (640 * 480)
    for before, after in zip(blacks(original), blacks(tmp_path / "edited"), strict=True):
        assert abs(after - before - drawn) < 0.01

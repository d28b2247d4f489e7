"""The straight line: what is computed, what is not, and how the time is told."""

from collections.abc import Callable
from dataclasses import replace

import numpy as np
import PIL.Image
import pytest
from numpy.typing import NDArray

from agent.domain.errors import ImageTruncated
from agent.domain.face import Box, Landmarks
from agent.domain.image import Recipe
from agent.inference.vision import pipeline as pipeline_module
from agent.inference.vision.aligner import CHIP_SIDE, align
from agent.inference.vision.codecs import DecodeLimits, Image, Pixels, decode
from agent.inference.vision.detection import Detection
from agent.inference.vision.detector import Decoder
from agent.inference.vision.detectors.centerface import CenterFace
from agent.inference.vision.pipeline import STAGES, FileDecoder, NetModel, Pipeline, Stage, StageRun, Wanted, analyse

LIMITS = DecodeLimits(megapixels=10, megabytes=10)
POINTS: Landmarks = ((30, 40), (70, 40), (50, 60), (35, 80), (65, 80))


class Stages:
    """A pipeline whose stages write down that they ran."""

    def __init__(self, *faces: Detection, recognise: bool) -> None:
        self.ran: list[str] = []
        self._faces = faces
        recipe = Recipe("test-1", "test-2" if recognise else None)
        self.pipeline = Pipeline(recipe, "f32", self._detect, self._align, self._embed if recognise else None)

    def _detect(self, decoder: Decoder, min_score: float) -> list[Detection]:
        self.ran.append(f"detect {decoder(50).scale}")
        return [face for face in self._faces if face.score >= min_score]

    def _align(self, image: Image, face: Detection) -> tuple[Pixels, Detection]:
        self.ran.append(f"align {image.scale}")
        return align(image, face.landmarks), face

    def _embed(self, faces: NDArray[np.uint8]) -> NDArray[np.float32]:
        self.ran.append(f"embed {len(faces)}")
        return np.ones((len(faces), 4), np.float32)


def face(side: float, score: float = 0.9) -> Detection:
    scaled = [(x * side / 100, y * side / 100) for x, y in POINTS]
    return Detection(Box(0, 0, side, side), score, (scaled[0], scaled[1], scaled[2], scaled[3], scaled[4]))


@pytest.fixture
def photo(encoded: Callable[..., bytes]) -> bytes:
    return encoded(np.random.default_rng(4).integers(0, 255, (300, 400, 3), np.uint8), "JPEG")


def ticking() -> Callable[[], float]:
    """A clock that moves on by a second each time it is read."""
    seconds = iter(range(1000))
    return lambda: float(next(seconds))


def test_without_an_embedder_no_chip_and_no_embedding_is_computed(photo: bytes) -> None:
    stages = Stages(face(100), face(200), recognise=False)
    analysis = analyse(photo, stages.pipeline, Wanted(), LIMITS, ticking())
    assert stages.ran == ["detect 0.125"]
    assert [(found.embedding, found.chip) for found in analysis.faces] == [(None, None)] * 2
    assert analysis.recipe == Recipe("test-1", None)


def test_with_an_embedder_each_face_has_both(photo: bytes) -> None:
    stages = Stages(face(100), face(200), recognise=True)
    analysis = analyse(photo, stages.pipeline, Wanted(), LIMITS, ticking())
    assert stages.ran == ["detect 0.125", "align 1.0", "align 1.0", "embed 2"]
    for found in analysis.faces:
        assert found.embedding == np.ones(4, "<f4").tobytes()
        assert found.chip is not None
        assert decode(found.chip, LIMITS).pixels.shape == (CHIP_SIDE, CHIP_SIDE, 3)


def test_chips_can_be_left_out(photo: bytes) -> None:
    analysis = analyse(photo, Stages(face(100), recognise=True).pipeline, Wanted(keep_chips=False), LIMITS, ticking())
    assert analysis.faces[0].chip is None
    assert analysis.faces[0].embedding is not None


def test_only_small_faces_have_the_file_decoded_finer(photo: bytes) -> None:
    stages = Stages(face(390), recognise=True)
    analyse(photo, stages.pipeline, Wanted(), LIMITS, ticking())
    assert stages.ran == ["detect 0.125", "align 0.25", "embed 1"]


def test_a_photo_without_faces_embeds_nothing(photo: bytes) -> None:
    stages = Stages(recognise=True)
    assert analyse(photo, stages.pipeline, Wanted(), LIMITS, ticking()).faces == ()
    assert stages.ran == ["detect 0.125"]


def test_small_and_doubtful_faces_are_left_out(photo: bytes) -> None:
    stages = Stages(face(19), face(21), face(100, score=0.4), recognise=False)
    analysis = analyse(photo, stages.pipeline, Wanted(min_score=0.5, min_face=20), LIMITS, ticking())
    assert [found.box.w for found in analysis.faces] == [21]


def test_an_analysis_tells_what_the_file_is(photo: bytes) -> None:
    analysis = analyse(photo, Stages(recognise=False).pipeline, Wanted(), LIMITS, ticking())
    assert (analysis.size, analysis.width, analysis.height, analysis.format, analysis.precision) == (len(photo), 400, 300, "jpeg", "f32")
    assert len(analysis.sha256) == 64


def test_a_thumbnail_is_made_of_what_is_decoded_already_and_only_when_asked_for(photo: bytes) -> None:
    stages = Stages(recognise=False)
    assert analyse(photo, stages.pipeline, Wanted(), LIMITS, ticking()).thumbnail is None
    thumbnail = analyse(photo, stages.pipeline, Wanted(thumbnail=40), LIMITS, ticking()).thumbnail
    assert thumbnail is not None
    image = decode(thumbnail, LIMITS)
    assert (image.width, image.height, image.format) == (40, 30, "jpeg")


def test_a_small_photos_thumbnail_is_no_larger_than_itself(photo: bytes) -> None:
    thumbnail = analyse(photo, Stages(recognise=False).pipeline, Wanted(thumbnail=4000), LIMITS, ticking()).thumbnail
    assert thumbnail is not None and decode(thumbnail, LIMITS).width == 400


def test_times_are_milliseconds_of_each_stage_and_decoding_counts_once(photo: bytes) -> None:
    # Every reading of the clock takes a second: decoding is two readings wherever it happens.
    ms = analyse(photo, Stages(face(100), recognise=True).pipeline, Wanted(), LIMITS, ticking()).ms
    assert (ms.decode, ms.detect, ms.align, ms.embed) == (2000, 2000, 2000, 1000)


def test_a_decoder_decodes_again_only_for_more(photo: bytes) -> None:
    decoder = FileDecoder(photo, LIMITS, ticking())
    coarse = decoder(50)
    assert decoder(10) is coarse
    fine = decoder(51)
    assert (coarse.scale, fine.scale) == (0.125, 0.25)
    assert decoder(50) is fine
    whole = decoder(9999)
    assert whole.scale == 1.0
    assert decoder(99999) is whole


def test_errors_of_the_file_pass_through(photo: bytes) -> None:
    with pytest.raises(ImageTruncated):
        analyse(photo[:-500], Stages(recognise=False).pipeline, Wanted(), LIMITS, ticking())


def film(encoded: Callable[..., bytes], *shades: int) -> bytes:
    first, *more = (PIL.Image.new("RGB", (60, 40), (shade, shade, 90)) for shade in shades)
    return encoded(first, "GIF", save_all=True, append_images=more, duration=list(range(20, 20 + 10 * len(shades), 10)))


def test_frames_are_counted_if_that_is_wanted_and_only_the_first_is_looked_at(encoded: Callable[..., bytes]) -> None:
    data, stages = film(encoded, 10, 90, 200), Stages(face(30), recognise=False)
    assert analyse(data, stages.pipeline, Wanted(), LIMITS, ticking()).frames == 1
    counted = analyse(data, stages.pipeline, Wanted(count_frames=True), LIMITS, ticking())
    assert (counted.frames, len(counted.faces)) == (3, 1)


def test_another_stage_runs_if_the_recipe_has_a_model_for_it_and_what_it_needs_is_there(
    photo: bytes, monkeypatch: pytest.MonkeyPatch
) -> None:
    ran: list[tuple[str, object]] = []

    def stage(name: str, *needs: str, own_model: bool = True) -> Stage:
        def run(run: StageRun) -> int:
            ran.append((name, run.pipeline.others.get(name)))
            return len(run.results["detect"])

        models: dict[str, NetModel[object]] = {"letters-1": CenterFace} if own_model else {}
        return Stage(name, run, needs, models)

    stages = (*STAGES, stage("text", "detect"), stage("words", "text", own_model=False), stage("codes"), stage("digits", "codes"))
    monkeypatch.setattr(pipeline_module, "STAGES", stages)
    pipeline = replace(Stages(face(100), recognise=False).pipeline, others={"text": "letters", "digits": "numbers"})
    assert len(analyse(photo, pipeline, Wanted(), LIMITS, ticking()).faces) == 1
    assert ran == [("text", "letters"), ("words", None)]

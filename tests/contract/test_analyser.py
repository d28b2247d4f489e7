"""Every Analyser keeps the port's promises: the pool of processes and the one in this process."""

import asyncio
import sys
from collections.abc import AsyncIterator
from pathlib import Path

import numpy as np
import pytest
import pytest_asyncio

from agent.domain.errors import ImageEmpty, ImageMissing, ImageTruncated, ImageUnsupported, ModelMissing
from agent.domain.face import Box
from agent.domain.image import NO_FACES, Recipe
from agent.inference.engine.analyser import Analyse, Analyser
from agent.inference.engine.compute_setup import ComputeSetup
from agent.inference.engine.engine_calls import EngineConfig
from agent.inference.engine.pool import EnginePool
from agent.inference.vision.codecs import DecodeLimits, decode
from agent.infrastructure.core.settings import EngineSettings
from tests.support.inline_engine import InlineAnalyser

LIMITS = DecodeLimits(megapixels=1, megabytes=1)
DETECT = Recipe("centerface-2")
RECOGNISE = Recipe("centerface-2", "mobilefacenet-2")


@pytest_asyncio.fixture(params=["pool", "inline"], scope="module", loop_scope="module")
async def analyser(request: pytest.FixtureRequest, engine_config: EngineConfig) -> AsyncIterator[Analyser]:
    made: Analyser
    if request.param == "inline":
        made = InlineAnalyser(engine_config)
    else:
        made = EnginePool(
            EngineSettings(workers=1),
            engine_config.models,
            ComputeSetup(converted=Path(engine_config.converted), cache=Path(engine_config.cache)),
            command=[sys.executable, "-c", "from agent.inference.engine.engine_worker import main; raise SystemExit(main())"],
        )
    yield made
    await made.close()


pytestmark = pytest.mark.asyncio(loop_scope="module")


async def test_detection_alone_gives_boxes_and_no_face_prints(analyser: Analyser, samples_folder: Path) -> None:
    analysis = await analyser.analyse(Analyse(str(samples_folder / "obama.jpg"), DETECT))
    (face,) = analysis.faces
    assert (face.embedding, face.chip) == (None, None)
    assert face.score > 0.8
    assert (analysis.width, analysis.height, analysis.format, analysis.recipe) == (910, 1137, "jpeg", DETECT)
    assert analysis.size == (samples_folder / "obama.jpg").stat().st_size
    assert analysis.ms.decode > 0 and analysis.ms.detect > 0 and analysis.ms.embed < analysis.ms.detect


async def test_recognition_adds_an_embedding_of_length_one_and_a_chip(analyser: Analyser, samples_folder: Path) -> None:
    analysis = await analyser.analyse(Analyse(str(samples_folder / "biden.jpg"), RECOGNISE))
    (face,) = analysis.faces
    assert face.embedding is not None and face.chip is not None
    vector = np.frombuffer(face.embedding, "<f4")
    assert vector.shape == (192,)
    assert np.linalg.norm(vector) == pytest.approx(1, abs=1e-5)
    assert decode(face.chip, LIMITS).pixels.shape == (160, 160, 3)


async def test_an_image_that_is_only_read_has_no_faces(analyser: Analyser, samples_folder: Path) -> None:
    analysis = await analyser.analyse(Analyse(str(samples_folder / "biden.jpg"), Recipe(NO_FACES), thumbnail=100))
    assert (analysis.faces, analysis.recipe) == ((), Recipe(NO_FACES))
    assert (analysis.width, analysis.height) != (0, 0) and analysis.thumbnail


async def test_chips_can_be_left_out(analyser: Analyser, samples_folder: Path) -> None:
    analysis = await analyser.analyse(Analyse(str(samples_folder / "biden.jpg"), RECOGNISE, keep_chips=False))
    assert analysis.faces[0].chip is None and analysis.faces[0].embedding is not None


async def test_the_same_file_gives_the_same_faces(analyser: Analyser, samples_folder: Path) -> None:
    task = Analyse(str(samples_folder / "obama2.jpg"), RECOGNISE)
    first, second = await asyncio.gather(analyser.analyse(task), analyser.analyse(task))
    assert (first.sha256, first.faces) == (second.sha256, second.faces)


async def test_errors_of_a_file_are_named_and_the_next_one_is_served(analyser: Analyser, samples_folder: Path, tmp_path: Path) -> None:
    whole = (samples_folder / "obama.jpg").read_bytes()
    for name, data, error in (
        ("empty.jpg", b"", ImageEmpty),
        ("cut.jpg", whole[:9000], ImageTruncated),
        ("text.jpg", b"words and words", ImageUnsupported),
    ):
        (tmp_path / name).write_bytes(data)
        with pytest.raises(error):
            await analyser.analyse(Analyse(str(tmp_path / name), DETECT))
    with pytest.raises(ImageMissing):
        await analyser.analyse(Analyse(str(tmp_path / "none.jpg"), DETECT))
    with pytest.raises(ModelMissing):
        await analyser.analyse(Analyse(str(samples_folder / "obama.jpg"), Recipe("unheard-of-9")))
    assert len((await analyser.analyse(Analyse(str(samples_folder / "obama.jpg"), DETECT))).faces) == 1


async def test_a_preview_is_a_jpeg_within_its_bound(analyser: Analyser, samples_folder: Path, tmp_path: Path) -> None:
    preview = await analyser.preview(str(samples_folder / "32bit.png"), 300)
    image = decode(preview, LIMITS)
    assert (image.width, image.height) == (156, 300)
    with pytest.raises(ImageMissing):
        await analyser.preview(str(tmp_path / "none.jpg"), 300)


async def test_what_is_hidden_in_a_preview_has_one_colour(analyser: Analyser, samples_folder: Path) -> None:
    photo, boxes = str(samples_folder / "obama.jpg"), (Box(0.25, 0.25, 0.5, 0.5), Box(-0.5, 0.9, 0.6, 0.5))
    before = decode(await analyser.preview(photo, 400), LIMITS).pixels.astype(int)
    after = decode(await analyser.preview(photo, 400, boxes), LIMITS).pixels.astype(int)
    rows, columns = before.shape[:2]
    inside = after[rows // 4 + 8 : 3 * rows // 4 - 8, columns // 4 + 8 : 3 * columns // 4 - 8]
    assert inside.std() < 2 and after[rows - 4, 4].std() < 2, "also where a box reaches past the edge"
    assert abs(after[: rows // 8] - before[: rows // 8]).mean() < 1


async def test_it_forgets_and_goes_on(analyser: Analyser, samples_folder: Path) -> None:
    task = Analyse(str(samples_folder / "biden.jpg"), RECOGNISE)
    before = await analyser.analyse(task)
    analyser.forget()
    assert (await analyser.analyse(task)).faces == before.faces

"""What crosses between agent and engine: nothing is lost, and nothing is believed unchecked."""

import json
from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

import pytest

from agent.domain.errors import EngineBadAnswer, EngineTimeout, ImageTooLarge, Unexpected, leaves
from agent.domain.face import Analysis, Box, Face, Quality, StageTimes
from agent.domain.image import Recipe
from agent.domain.redaction import Cover, Look, Reason, Shape, Style
from agent.inference.engine import engine_calls as calls
from agent.inference.engine import rpc
from agent.inference.engine.analyser import Analyse
from agent.inference.engine.renderer import KeptRegion, Render, Rendered

RECIPE = Recipe("centerface-2", "mobilefacenet-1")
FACE = Face(
    Box(-1.5, 2, 30, 40), 0.9, ((1, 2), (3, 4), (5, 6), (7, 8), (9, 10)), Quality(20, 100, -3, 4), b"\xff\x00\x80\x3f", b"\xff\xd8chip"
)
ANALYSIS = Analysis(
    "0a" * 32, 1234, 800, 600, "jpeg", RECIPE, "bf16", (FACE, replace(FACE, embedding=None, chip=None)), StageTimes(1, 2, 3, 4)
)
TASK = Analyse("photo.jpg", RECIPE)


def test_everything_comes_back_as_it_was_sent() -> None:
    config = calls.EngineConfig({"centerface-2": calls.ModelFile("centerface", "a/b", "00")}, "c", "d", threads=3)
    assert calls.HELLO.request.load(calls.HELLO.request.dump(config)) == config
    assert calls.ANALYSE.request.load(calls.ANALYSE.request.dump(TASK)) == TASK
    assert calls.ANALYSE.response.load(calls.ANALYSE.response.dump(ANALYSIS)) == ANALYSIS
    assert calls.PREVIEW.response.load(calls.PREVIEW.response.dump(b"\xff\xd8\xff")) == b"\xff\xd8\xff"


def test_a_body_that_is_text_already_makes_the_same_request() -> None:
    asked = Analyse("a \udcff, ö.jpg", RECIPE)
    whole = rpc.request(7, "analyse", calls.ANALYSE.request.dump(asked), (3,), "r1")
    text = rpc.with_text(rpc.request(7, "analyse", None, (3,), "r1"), calls.ANALYSE.request.text(asked))
    assert b"\n" not in text, "a line is a request"
    assert json.loads(text) == whole
    assert calls.PREVIEW.response.load(json.loads(calls.PREVIEW.response.text(b"\xff\xd8\xff"))) == b"\xff\xd8\xff"


def dumped() -> dict[str, object]:
    raw = calls.ANALYSE.response.dump(ANALYSIS)
    assert isinstance(raw, dict)
    return raw


@pytest.mark.parametrize(
    "change",
    [
        {"width": "800"},
        {"width": 1.5},
        {"faces": None},
        {"faces": [{}]},
        {"more": 1},
        {"ms": {"decode": float("nan"), "detect": 0, "align": 0, "embed": 0}},
        {"ms": {"decode": float("inf"), "detect": 0, "align": 0, "embed": 0}},
    ],
)
def test_wrong_shapes_are_bad_answers(change: dict[str, object]) -> None:
    with pytest.raises(EngineBadAnswer):
        rpc.believe(rpc.answer(1, {**dumped(), **change}), 1, calls.ANALYSE.response)


def test_an_answer_to_another_request_is_a_bad_answer() -> None:
    with pytest.raises(EngineBadAnswer):
        rpc.believe(rpc.answer(1, dumped()), 2, calls.ANALYSE.response)
    with pytest.raises(EngineBadAnswer):
        rpc.believe({}, 2, calls.ANALYSE.response)


def test_errors_keep_their_code_and_facts() -> None:
    message = rpc.failure(5, ImageTooLarge(megapixels=300, limit=200))
    with pytest.raises(ImageTooLarge) as caught:
        rpc.believe(message, 5, calls.ANALYSE.response)
    assert caught.value.params == {"megapixels": 300, "limit": 200}
    with pytest.raises(EngineTimeout):
        rpc.believe(rpc.failure(5, EngineTimeout(seconds=1.5)), 5, calls.ANALYSE.response)


def test_a_code_nobody_knows_is_a_defect() -> None:
    with pytest.raises(Unexpected):
        rpc.believe({"id": 1, "error": {"code": "new.code", "params": {}}}, 1, calls.ANALYSE.response)


@pytest.mark.parametrize("code", ["settings.invalid", "store.damaged", "desktop.no_display", "api.unauthorised"])
def test_an_engine_tells_only_of_what_can_go_wrong_in_an_engine(code: str) -> None:
    assert code in leaves()
    with pytest.raises(EngineBadAnswer):
        rpc.believe({"id": 1, "error": {"code": code, "params": {}}}, 1, calls.ANALYSE.response)


@pytest.mark.parametrize("params", [{"kind": "x" * 201}, {f"a{number}": 1 for number in range(11)}, {"limit": 10**300}, {"x" * 201: 1}])
def test_facts_of_an_error_are_few_and_short(params: dict[str, object]) -> None:
    with pytest.raises(EngineBadAnswer):
        rpc.believe({"id": 1, "error": {"code": "image.corrupt", "params": params}}, 1, calls.ANALYSE.response)


@pytest.mark.parametrize(
    "error", ["boom", {}, {"code": 5}, {"code": "<script>", "params": {}}, {"code": "image.empty", "params": {"a": []}}]
)
def test_an_error_that_is_none_is_a_bad_answer(error: object) -> None:
    with pytest.raises(EngineBadAnswer):
        rpc.believe({"id": 1, "error": error}, 1, calls.ANALYSE.response)


@pytest.mark.parametrize(
    "wrong",
    [
        replace(ANALYSIS, sha256="../../etc"),
        replace(ANALYSIS, width=0),
        replace(ANALYSIS, size=-1),
        replace(ANALYSIS, recipe=Recipe("centerface-2")),
        replace(ANALYSIS, faces=(replace(FACE, embedding=b"abc"),)),
        replace(ANALYSIS, faces=(replace(FACE, box=Box(0, 0, -1, 5)),)),
        replace(ANALYSIS, faces=(replace(FACE, box=Box(0, 0, 1e200, 1e200)),)),
        replace(ANALYSIS, faces=(replace(FACE, score=-0.1),)),
        replace(ANALYSIS, faces=(FACE,) * 100_001),
    ],
)
def test_an_analysis_that_can_not_be_is_a_bad_answer(wrong: Analysis) -> None:
    with pytest.raises(EngineBadAnswer):
        calls.ANALYSE.checked(wrong, TASK)


def test_face_prints_nobody_asked_for_are_a_bad_answer() -> None:
    task = Analyse("photo.jpg", Recipe("centerface-2"))
    without = replace(ANALYSIS, recipe=task.recipe)
    with pytest.raises(EngineBadAnswer):
        calls.ANALYSE.checked(without, task)
    clean = replace(without, faces=(replace(FACE, embedding=None, chip=None),))
    assert calls.ANALYSE.checked(clean, task) == clean


def test_a_preview_must_be_a_jpeg() -> None:
    assert calls.PREVIEW.checked(b"\xff\xd8\xff...\xff\xd9", calls.PreviewRequest("photo.jpg", 256))
    with pytest.raises(EngineBadAnswer):
        calls.PREVIEW.checked(b"<svg onload='...'>", calls.PreviewRequest("photo.jpg", 256))


def test_a_thumbnail_comes_only_when_asked_for_and_is_a_jpeg() -> None:
    picture = replace(ANALYSIS, thumbnail=b"\xff\xd8\xff...\xff\xd9", taken_at=datetime(2025, 1, 2, 3, 4, 5))  # noqa: DTZ001
    asked = replace(TASK, thumbnail=480)
    assert calls.ANALYSE.checked(calls.ANALYSE.response.load(calls.ANALYSE.response.dump(picture)), asked) == picture
    for wrong, task in (
        (picture, TASK),
        (replace(picture, thumbnail=b"<svg>"), asked),
        (replace(ANALYSIS, taken_at=datetime(2025, 1, 2, tzinfo=UTC)), TASK),
    ):
        with pytest.raises(EngineBadAnswer):
            calls.ANALYSE.checked(wrong, task)


@pytest.mark.parametrize("name", ["caf\udce9.jpg", "\ud800.jpg", '50%25 "a"\n.jpg', "中文 😀.jpg", "C:\\a b\\c.jpg"])
def test_every_name_a_system_allows_reaches_the_engine(name: str) -> None:
    task = Analyse(f"/photos/{name}", Recipe("centerface-2"))
    asked = calls.PreviewRequest(task.path, 256)
    assert calls.ANALYSE.request.load(json.loads(json.dumps(calls.ANALYSE.request.dump(task)))) == task
    assert calls.PREVIEW.request.load(json.loads(json.dumps(calls.PREVIEW.request.dump(asked)))) == asked


COVERED = Render(
    "photo-\udcff.jpg", "copy-\udcff", (Cover(Box(1, 2, 3, 4), Look(Style.BLUR, Shape.BOX), 5.5, Reason.HAND),), keep_regions=True
)
RENDERED = Rendered("0a" * 32, 800, 600, "jpeg", "0b" * 32, 99, ("gps", "maker-note"), (KeptRegion(5, 6, b"\x89PNG\r\n\x1a\nrest"),))


def test_a_task_to_cover_and_its_answer_come_back_as_they_were_sent() -> None:
    assert calls.RENDER.request.load(json.loads(json.dumps(calls.RENDER.request.dump(COVERED)))) == COVERED
    assert calls.RENDER.response.load(json.loads(json.dumps(calls.RENDER.response.dump(RENDERED)))) == RENDERED
    restore = calls.RestoreTask("a", RENDERED.regions, "b-\udcff")
    assert calls.RESTORE.request.load(calls.RESTORE.request.dump(restore)) == restore
    assert calls.RENDER.checked(RENDERED, COVERED) == RENDERED


@pytest.mark.parametrize(
    "change",
    [
        {"sha256": "0A" * 32},
        {"copy_sha256": ""},
        {"width": 0},
        {"copy_size": 0},
        {"format": "exe"},
        {"removed": ("<script>",)},
        {"removed": ("exif",) * 31},
        {"regions": (KeptRegion(5, 6, b"not a picture"),)},
        {"regions": (KeptRegion(800, 6, RENDERED.regions[0].png),)},
        {"regions": (KeptRegion(5, -1, RENDERED.regions[0].png),)},
        {"regions": RENDERED.regions * 2},
        {"regions": (KeptRegion(5, 6, RENDERED.regions[0].png + bytes(calls.LARGEST_REGIONS)),)},
    ],
)
def test_a_copy_that_can_not_be_is_not_believed(change: dict[str, Any]) -> None:
    with pytest.raises(EngineBadAnswer):
        calls.RENDER.checked(replace(RENDERED, **change), COVERED)


def test_a_copy_in_another_format_or_with_regions_nobody_asked_for_is_not_believed() -> None:
    for task in (replace(COVERED, format="png"), replace(COVERED, keep_regions=False)):
        with pytest.raises(EngineBadAnswer):
            calls.RENDER.checked(RENDERED, task)
